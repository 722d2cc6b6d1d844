"""scripts/hybrids.py on small trained runs, from flags to folder, and a sentence for every mistake."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from kgen import data
from kgen.core import recipe as recipes
from kgen.inference import classifier as classifiers
from kgen.inference import loading
from kgen.runs import build
from kgen.studies.hybrids import measures as hybrid_measures
from kgen.training import train as training
from tests.helpers import commands, planted_faults, processes

DIGITS = "--bodies 1 --wings 7,9".split()


def train(model, folder, **changes):
    """Trains a recipe for a few steps; returns its run directory."""
    clocks = {"log_every": 5, "sample_every": 1_000, "checkpoint_every": 5, "folds": 0, "patience": 0, "batch_size": 20}
    small = dataclasses.replace(recipes.find(model), **{"steps": 5, **clocks, **changes})
    return training.train(small, folder / "runs", folder / "exports").run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Returns a folder with runs and exports; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("hybrids")
    train("autoencoder", folder, **{**planted_faults.TINY, "classes": "7,1", "steps": 10, "folds": 0})
    train("classifier", folder, split="train[:200]", width=2, features=6)
    train("classifier", folder, split="train[:200]", width=2, features=6, classes="1,7,9")
    train("classifier", folder, split="train[:200]", width=2, features=6, image_size=16)
    return folder


@pytest.fixture
def call(trained, monkeypatch, capsys):
    """Runs the script in the folder of runs, as a shell would; returns exit code, stdout, stderr."""
    monkeypatch.chdir(trained)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run sets its own

    def run(*arguments):
        return commands.call(monkeypatch, capsys, "hybrids", *arguments)

    return run


AUTOENCODER, CLASSIFIER = "runs/autoencoder-mnist5k-0001", "runs/classifier-mnist5k-0001"


@pytest.mark.slow
def test_the_script_on_a_run_with_a_judge(call, tmp_path):
    flags = "--count 20 --alpha 0.3,0.7 --sequences 3 --frames 4 --repeats 2 --seed 5".split()
    code, out, errors = call(
        "--run", AUTOENCODER, "--classifier", CLASSIFIER, *DIGITS, *flags, "--out", tmp_path / "a/b"
    )
    assert (code, errors) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("| images | P(1) | P(7,9) | both | polynomial MMD on classifier-mnist5k-0001 features")
    assert lines[-1] == f"20 hybrids of 1 and 7,9: {tmp_path / 'a/b'}"
    assert out.startswith((tmp_path / "a/b/hybrids.md").read_text())
    assert Image.open(tmp_path / "a/b/hybrids.png").size == (5 * 28, 4 * 28)
    assert Image.open(tmp_path / "a/b/pairs.png").size == (16 * 28, 8 * 28)
    assert Image.open(tmp_path / "a/b/sequences.png").size == (6 * 28, 6 * 28)
    assert Image.open(tmp_path / "a/b/sequences.gif").n_frames == 4
    found = json.loads((tmp_path / "a/b/hybrids.json").read_text())
    about = {"model": "autoencoder", "dataset": "mnist5k", "from": AUTOENCODER}
    assert {name: found[name] for name in about} == about
    assert found["protocol"] == {
        "bodies": "1", "wings": "7,9", "pairing": "centre", "count": 20, "alpha": "0.3,0.7", "codes": "mean",
        "split": "test", "sequences": 3, "frames": 4, "repeats": 2, "seed": 5,
    }  # fmt: skip
    expected = {"run": CLASSIFIER, "network": "mnist5k-classifier", "split": "train[:200]", "step": 5}
    assert {name: found["classifier"][name] for name in expected} == expected and len(
        found["classifier"]["weights_sha256"]
    ) == 64
    assert found["images"] == {"reference": 60, "train": 20}  # 30 other 1s; of its 100 images 20 are 7s and 1s
    opened, test = loading.load(AUTOENCODER).autoencoder, data.load("mnist5k", "test")
    with (tmp_path / "a/b/hybrids.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    bodies, wings = (test.images[[int(row[name]) for row in rows]] for name in ("body", "wing"))
    alphas = np.array([[float(row["alpha"])] for row in rows])
    hybrids = opened.decode((1 - alphas) * opened.encode(bodies) + alphas * opened.encode(wings))
    cells = np.array(Image.open(tmp_path / "a/b/hybrids.png")).reshape(4, 28, 5, 28).swapaxes(1, 2).reshape(20, 28, 28)
    np.testing.assert_allclose(cells, hybrids[..., 0] * 255, atol=0.51)
    assert {row["body_class"] for row in rows} == {"1"} and {row["wing_class"] for row in rows} <= {"7", "9"}


@pytest.mark.slow
def test_the_script_on_an_export_without_a_judge(call, tmp_path):
    export = "exports/autoencoder-mnist5k/1"
    code, out, errors = call("--saved-model", export, *DIGITS, "--count", 9, "--out", tmp_path / "export")
    assert (code, out) == (0, f"9 hybrids of 1 and 7,9: {tmp_path / 'export'}\n")
    assert errors == "Without --classifier nothing is measured: give a run of classifier, trained on mnist5k.\n"
    call("--run", AUTOENCODER, *DIGITS, "--count", 9, "--out", tmp_path / "run")
    for name in ("hybrids.png", "pairs.png", "hybrids.csv"):
        assert (tmp_path / "export" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


@pytest.mark.slow
def test_images_that_were_trained_on_are_told(call, tmp_path):
    flags = [*DIGITS, "--split", "train[:100]", "--pairing", "order", "--count", 10, "--out", tmp_path / "out"]
    code, _, errors = call("--run", AUTOENCODER, "--classifier", CLASSIFIER, *flags)
    assert code == 0  # the first wings are 7, 9, 7, 9, ...
    assert errors.startswith("The model was trained on 10 of the 10 bodies and 5 of the wings: what it makes of them ")


@pytest.mark.slow
def test_a_judge_gives_the_classifiers_probabilities_and_features(trained):
    run, test = trained / CLASSIFIER, data.load("mnist5k", "test[:300]")
    shape = test.images.shape[1:]
    probabilities, features = hybrid_measures.looking(classifiers.network(run, shape, test.classes))(test.images)
    game = build.reopen(recipes.from_json((run / "recipe.json").read_text()), run)[0].best_game()
    module = game.served[0]
    expected = [
        module.probabilities(np.float32(part / 255))["probabilities"] for part in (test.images[:150], test.images[150:])
    ]
    np.testing.assert_allclose(probabilities, np.concatenate(expected), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(features[:9], game.encoder(np.float32(test.images[:9] / 255)), rtol=1e-4, atol=1e-5)
    assert probabilities.dtype == features.dtype == np.float64 and features.shape == (300, 6)
    turned = hybrid_measures.looking(classifiers.network(run, shape, test.classes[::-1]))(test.images)[0]
    np.testing.assert_allclose(turned, probabilities[:, ::-1], rtol=1e-9)


@pytest.mark.parametrize(
    "other, words",
    [
        (AUTOENCODER, "is a run of autoencoder: give one of classifier, trained on the same dataset."),
        ("runs/classifier-mnist5k-0002", "knows images 28x28x1 of 1, 7, 9, but these are 28x28x1 of 0, 1, 2, 3, 4, "),
        ("runs/classifier-mnist5k-0003", "knows images 16x16x1 of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, but these are 28x28x1"),
        ("runs/none", "runs/none is not a run directory"),
    ],
)
def test_another_judge_is_refused(other, words, call, tmp_path):
    code, out, errors = call(
        "--run", AUTOENCODER, "--classifier", other, *DIGITS, "--count", 9, "--out", tmp_path / "out"
    )
    assert (code, out) == (2, "")
    assert words in errors and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "line, words",
    [
        ("", "Give either --run or --saved-model."),
        ("--run x --saved-model y", "Give either --run or --saved-model."),
        ("--run x", "hybrids.py: x is not a run directory"),
        ("--saved-model x", "hybrids.py: x is not a run directory"),
        ("--run x --count 1 --classifier y", "--classifier needs a --count of at least 2, not 1."),
        ("--run x --count 0", "--count must be at least 1, not 0."),
        *(
            (
                f"--run x --alpha={alpha}",
                f"--alpha must be LOW,HIGH, two numbers in order and from 0 to 1, not {alpha}".strip() + ".",
            )
            for alpha in ("0.6,0.4", "-0.1,0.5", "0.5,1.1", "0.5", "a,b", "0,0.5,1", "nan,nan", "0,inf", "")
        ),
        ("--run x --pairing any", "--pairing"),
        ("--run x --seed -1", "--seed must be from 0 to 2147483647, not -1."),
        ("--run x --wing 1", "--wing"),
        (f"--run {AUTOENCODER}", "--bodies: there is no class 'horse'; there are: 0, 1, 2"),
        (f"--run {AUTOENCODER} --bodies 1 --wings 1", "--bodies 1 and --wings 1 must have no class in common."),
        (
            f"--run {AUTOENCODER} --bodies 1 --wings 7",
            "--bodies 1: the split 'test' has 50 such images, but --count 64",
        ),
        (f"--run {AUTOENCODER} --split validation", "There is no split 'validation'"),
        (f"--run {CLASSIFIER} --bodies 1 --wings 7 --count 9", f"{CLASSIFIER} has no encoder and decoder"),
        (
            f"--run {AUTOENCODER} --bodies 1 --wings 7 --count 9 --codes sampled",
            "--codes sampled needs a variational enc",
        ),
        ("--run x --sequences -1", "--sequences must be 0 or more, not -1."),
        ("--run x --repeats 0", "--repeats must be at least 1, not 0."),
        ("--run x --frames 1", "--frames must be from 2 to 1000, not 1."),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_nothing(line, words, call, trained):
    before = sorted(trained.iterdir())
    code, out, errors = call(*line.split())
    assert (code, out) == (2, "")
    assert words in " ".join(errors.split()) and errors.count("hybrids.py: ") == 1
    assert "Without --classifier" not in errors
    assert sorted(trained.iterdir()) == before


def test_a_folder_that_cannot_be_made(call, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, errors = call("--run", AUTOENCODER, *DIGITS, "--count", 9, "--out", tmp_path / "file/folder")
    assert (code, out) == (2, "")
    assert f"hybrids.py: The folder {tmp_path / 'file/folder'} cannot be made:" in errors


@pytest.mark.slow
def test_an_export_of_a_folder_of_colour(call, tmp_path, capsys):
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("horse", "bird"):
            (tmp_path / f"pictures/{split}/{name}").mkdir(parents=True)
            for number in range(12):
                picture = random.integers(0, 256, (8, 8, 3), np.uint8)
                Image.fromarray(picture).save(tmp_path / f"pictures/{split}/{name}/{number}.png")
    small = {**planted_faults.TINY, "dataset": f"folder:{tmp_path}/pictures", "image_size": 8, "split": "train"}
    train("autoencoder", tmp_path, **{**small, "folds": 0, "steps": 5})
    shutil.rmtree(tmp_path / "runs")
    capsys.readouterr()
    export = tmp_path / "exports/autoencoder-folder/1"
    code, _, errors = call("--saved-model", export, "--count", 6, "--out", tmp_path / "out")
    assert (code, errors.count("\n")) == (0, 1), errors
    assert Image.open(tmp_path / "out/hybrids.png").size == (3 * 8, 2 * 8)


@pytest.mark.parametrize("line, code", [("--help", 0), ("--run x --count 0", 2), ("--run latest", 2)])
def test_help_and_a_mistake_cost_no_heavy_import(line, code, tmp_path):
    watch = (
        "import atexit, runpy, sys\n"
        "heavy = ['tensorflow', 'keras', 'scipy']\n"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", watch, processes.SCRIPTS / "hybrids.py", *line.split()]
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert done.stdout.endswith("[]\n")
