"""Command lines: help without TensorFlow, and for every mistake a sentence and an exit code."""

import dataclasses
import inspect
import io
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import tensorflow as tf
from safetensors import SafetensorError

from kgen.cli import parsing
from kgen.core import recipe as recipes
from kgen.core.options import MAY_CHANGE, marked
from kgen.errors import Diverged, UsageError
from tests.helpers import processes
from tests.helpers.recipes import slow_but

SCRIPTS = sorted((Path(__file__).parents[2] / "scripts").glob("*.py"))
TINY = "--width 4 --latent-dim 8 --batch-size 8 --steps 5".split()


# Help.


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_help_needs_no_tensorflow(path):
    code = (
        "import atexit, runpy, sys\n"
        "heavy = ('tensorflow', 'keras', 'tensorflow_datasets', 'mlxtend', 'sklearn')\n"
        "atexit.register(lambda: print('HEAVY', [name for name in heavy if name in sys.modules]))\n"
        "sys.argv = [sys.argv[1], '--help']\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    done = subprocess.run([sys.executable, "-c", code, path], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: {path.name}" in done.stdout
    assert done.stdout.endswith("HEAVY []\n")


@pytest.mark.parametrize("name", recipes.names())
def test_help_explains_every_number(name):
    """tyro reads the comment behind a field, on the same line; a formatter may have broken the line."""
    kinds = [kind for kind in type(recipes.find(name)).__mro__ if dataclasses.is_dataclass(kind)]
    source = "".join(inspect.getsource(kind) for kind in kinds)
    fields = dataclasses.fields(recipes.find(name))
    assert [f.name for f in fields if not re.search(rf"^    {f.name}: .* = .*  # \w.*\.$", source, re.M)] == []


@pytest.mark.parametrize("name", slow_but("dcgan", "acai", "autoencoder-basic", "wgan", "vae"))
def test_help_shows_the_numbers_of_the_model_asked_for(name, call):
    code, out, _ = call("train", "--model", name, "--help")
    shown, own = " ".join(out.split()), recipes.find(name)
    assert code == 0
    rates = [str(value) for field, value in vars(own).items() if field.endswith("learning_rate")]
    assert f"{own.steps})" in shown and rates and all(rate in shown for rate in rates)
    assert all(other in shown for other in recipes.names())


# Mistakes. {words that the sentence must have}


@pytest.fixture
def places(tmp_path):
    """Folders and files that mistakes are made with."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk/a.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    (tmp_path / "junk/b.jpg").write_bytes(b"")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/recipe.json").write_text('{"no": "recipe"}')
    return tmp_path


MISTAKES = [
    ("train --model dcgam", ["no model 'dcgam'", "Did you mean dcgan?"]),
    ("train --model", ["--model"]),
    ("train --model DCGAN", ["no model 'DCGAN'"]),
    ("train --model ../../x", ["no model '../../x'"]),
    ("train --stpes 5", ["--stpes", "--steps"]),
    ("train stray", ["stray"]),
    ("train --steps five", ["--steps", "'five'"]),
    ("train --steps 1e3", ["--steps", "'1e3'"]),
    ("train --steps 2.5", ["--steps", "'2.5'"]),
    ("train --ema much", ["--ema", "'much'"]),
    ("train --crop middle", ["--crop", "'middle'", "center", "squash"]),
    ("train --jit maybe", ["--jit", "auto", "off"]),
    ("train --precision float16", ["--precision", "mixed_bfloat16"]),
    ("train --steps 0", ["--steps must be at least 1, not 0."]),
    ("train --steps -5", ["--steps must be at least 1, not -5."]),
    ("train --batch-size 0", ["--batch-size must be at least 1, not 0."]),
    ("train --keep 0", ["--keep must be at least 1, not 0."]),
    ("train --log-every 0", ["--log-every must be at least 1, not 0."]),
    ("train --ema 1", ["--ema must be at least 0 and below 1, not 1.0."]),
    ("train --ema nan", ["--ema must be a finite number, not nan."]),
    ("train --seed -1", ["--seed must be from 0 to 2147483647, not -1."]),
    ("train --seed 2147483648", ["--seed must be from 0 to 2147483647, not 2147483648."]),
    ("train --learning-rate 0", ["--learning-rate must be above 0, not 0.0."]),
    ("train --learning-rate nan", ["--learning-rate must be a finite number, not nan."]),
    ("train --latent-dim 0", ["--latent-dim must be at least 1, not 0."]),
    ("train --image-size 3", ["--image-size must be from 4 to 1024, not 3."]),
    ("train --image-size 48", ["48x48", "--image-size 64"]),
    ("train --image-size 64x1025", ["--image-size must be from 4 to 1024, not 64x1025."]),
    ("train --image-size 64,96", ["--image-size must be pixels like 64, or height x width like 64x96, not 64,96."]),
    ("train --image-size 48x80", ["32 by a multiple of 8", "not 48x80", "--image-size 64x112."]),
    ("train --model vae-gan --image-size 32x64", ["square images of 32, 64 pixels, not 32x64", "--image-size 32."]),
    ("train --background red", ["--background must be white, black or a colour like #ff8000, not red."]),
    ("train --steps 7 --steps-per-execution 2", ["--steps must be a multiple of --steps-per-execution 2, not 7."]),
    ("train --resume", ["--resume"]),
    ("train --resume nowhere", ["nowhere is not a run directory", "recipe.json"]),
    ("train --resume empty", ["empty is not a run directory", "recipe.json"]),
    ("train --resume file", ["file is not a run directory", "recipe.json"]),
    ("train --resume notes", ["notes/recipe.json is not a recipe"]),
    ("train --resume latest", ["no run in runs"]),
    ("train --resume latest --runs-dir empty", ["no run in empty"]),
    ("train --resume=latest --runs_dir=empty", ["no run in empty"]),
    ("train --dataset mnist6k", ["no dataset 'mnist6k'", "Did you mean 'mnist5k'?"]),
    ("train --dataset mnist5k:x", ["'mnist5k' takes nothing after a colon"]),
    ("train --dataset cifar10 --data-dir empty", ["cifar10", "cifar-10-binary.tar.gz", "--data-dir"]),
    ("train --dataset cifar10 --data-dir nowhere", ["nowhere does not exist"]),
    ("train --data-dir nowhere", ["nowhere does not exist"]),
    ("train --dataset cifar10 --data-dir file", ["file is a file"]),
    ("train --dataset folder", ["folder:PATH"]),
    ("train --dataset folder:nowhere", ["nowhere' does not exist"]),
    ("train --dataset folder:file", ["file' is a file"]),
    ("train --dataset folder:empty", ["empty has no usable picture"]),
    ("train --dataset folder:junk", ["2 of 2 pictures cannot be used", "a.png", "b.jpg", "--skip-bad"]),
    ("train --classes 3,77", ["no class '77'"]),
    ("train --classes ,", ["--classes must be names or numbers"]),
    ("train --classes 3,3", ["once"]),
    ("train --dataset lines --classes 3", ["no classes"]),
    ("train --split valid", ["no split 'valid'", "train, test"]),
    ("train --split train[:0]", ["No image is left"]),
    ("train --split train[:9999]", ["4500"]),
    ("train --runs-dir file", ["file"]),
    ("train --runs-dir file/runs", ["file/runs"]),
    ("train --exports-dir file", ["file"]),
    ("train --exports-dir m[1]", ["m[1] cannot hold exports: TensorFlow reads [ ] in a path as a pattern."]),
    ("sample", ["--run", "--saved-model"]),
    ("sample --run x --saved-model y", ["--run", "--saved-model"]),
    ("sample --run latest", ["no run in runs"]),
    ("sample --run empty", ["empty is neither a run directory"]),
    ("sample --saved-model empty", ["nor an export", "saved_model.pb"]),
    ("sample --run empty --count 0", ["--count must be from 1 to 10000, not 0."]),
    ("sample --run empty --count 10001", ["--count must be from 1 to 10000, not 10001."]),
    ("sample --run empty --count some", ["--count", "'some'"]),
    ("sample --run empty --out nowhere/x.png", ["no folder nowhere"]),
    ("sample --run empty --out junk", ["--out junk is not a new or an empty folder."]),
    ("sample --run empty --out x.png --count 10001", ["--count must be from 1 to 10000, not 10001."]),
    ("sample --run empty --out x.jpg", ["--out must be a PNG file", "not x.jpg"]),
    ("sample --run empty --seed -1", ["--seed must be from 0 to 2147483647, not -1."]),
    ("sample --run empty --seed 2147483648", ["--seed must be from 0 to 2147483647, not 2147483648."]),
    ("export", ["no run in runs"]),
    ("export --run empty", ["empty is not a run directory"]),
]


@pytest.mark.parametrize("line, words", MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_a_sentence_and_exit_code_2(line, words, call, places):
    name, *arguments = line.split()
    extra = TINY if name == "train" and "--steps" not in arguments else []
    code, out, errors = call(name, *extra, *arguments)
    shown = " ".join(errors.split())
    assert code == 2
    assert [word for word in words if word not in shown] == [], errors
    assert "Traceback" not in errors and out == ""
    assert not list(places.glob("runs/*")), "a mistake leaves no run behind"


@pytest.mark.parametrize("line", ["--model dcgam", "--image-size 48"])
def test_mistakes_in_a_process_of_their_own(line, tmp_path):
    process = processes.fork(*TINY, *line.split(), cwd=tmp_path)
    out, errors = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert errors and "Traceback" not in errors


def test_a_shell_sees_the_sentence_alone(tmp_path):
    process = processes.start("--resume", "nowhere", cwd=tmp_path)
    out, errors = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert errors.startswith("train.py: nowhere is not a run directory") and errors.count("\n") == 1


def test_the_frame_of_a_terminal_without_lines_is_taken_off(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    with pytest.raises(UsageError, match=r"^Unrecognized options: --bogus, 3\. See"):
        parsing.parse_training(["--bogus", "3"])


@pytest.fixture(scope="module")
def run():
    return processes.run_of(processes.uninterrupted(*processes.DCGAN))


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("--batch-size 16", ["--batch-size of", "is 8 and cannot change"]),
        ("--seed 1", ["--seed of", "is 0 and cannot change"]),
        ("--no-first-norm --first-norm", ["--first-norm of", "cannot change"]),
        ("--dataset ring", ["--dataset of", "is mnist5k and cannot change"]),
        ("--model gan", ["is a run of dcgan, not of gan"]),
        ("--model dcgam", ["dcgam"]),
        ("--generator-width 7", ["--generator-width"]),
        ("--evaluate mmd", ["trains on the images that --evaluate would compare with", "--evaluate-on"]),
        ("--keep 0", ["--keep must be at least 1, not 0."]),
    ],
)
def test_a_resumed_run_stays_what_it_is(arguments, words, call, run):
    before = (run / "recipe.json").read_bytes()
    code, out, errors = call("train", "--resume", run, *arguments.split())
    assert (code, out) == (2, "")
    assert [word for word in words if word not in " ".join(errors.split())] == [], errors
    assert (run / "recipe.json").read_bytes() == before


@pytest.mark.parametrize("flag", marked(recipes.find("dcgan"), MAY_CHANGE))
def test_what_may_change_in_a_resumed_run_may(flag, call, run, places):
    place = str(places / "empty")
    others = {"data_dir": place, "classifier": place, "inception": place, "on_nan": "rollback"}
    value = others.get(flag, "70")
    given = [f"--{flag.replace('_', '-')}", *([] if flag in ("histograms", "skip_bad") else [value])]
    given += ["--evaluate-on", "test"] if flag == "evaluate" else []  # or images would be held out from now on
    code, out, _ = call("train", "--resume", run, "--dry-run", *given)
    assert code == 0
    assert str(getattr(recipes.from_json(out), flag)) == ("True" if flag in ("histograms", "skip_bad") else value)


def test_latest_is_resumed_with_its_own_numbers(call, run):
    code, out, _ = call("train", "--resume", "latest", "--runs-dir", run.parent, "--dry-run")
    assert code == 0
    assert recipes.from_json(out) == recipes.from_json((run / "recipe.json").read_text())


# The exit codes.


def raises(error):
    def main(arguments):
        raise error

    return main


@pytest.mark.parametrize(
    "error, code, text",
    [
        (UsageError("Wrong."), 2, "train.py: Wrong.\n"),
        (Diverged("NaN."), 3, "train.py: NaN.\n"),
        (KeyboardInterrupt(), 130, "train.py: Interrupted."),
    ],
)
def test_exit_codes(error, code, text, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/some/where/train.py"])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as end:
        parsing.run(raises(error), [])
    out, errors = capsys.readouterr()
    assert (end.value.code, out) == (code, "")
    assert errors.startswith(text)


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "x"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        tf.errors.ResourceExhaustedError(None, None, "models/variables: No space left on device"),
    ],
)
def test_a_full_disk_is_one_sentence(error, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as end:
        parsing.run(raises(error), [])
    out, errors = capsys.readouterr()
    assert (end.value.code, out) == (1, "") and errors.startswith("train.py: No space is left on the device. ")


def test_a_bug_in_kgen_is_not_hidden(monkeypatch):
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(ZeroDivisionError):
        parsing.run(raises(ZeroDivisionError()), [])


def test_an_unknown_flag_of_many_characters_is_not_repeated_whole():
    with pytest.raises(UsageError, match="^Unrecognized options: --xxx") as caught:
        parsing.parse(parsing.Options[recipes.Recipe], [f"--{'x' * 10_000}"])
    assert len(str(caught.value)) < 600
