"""scripts/latent.py on a known autoencoder: its folder, its table, its flags, and a sentence for every mistake."""

import dataclasses
import json
import os
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_limits

from kgen import data
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference import loading
from tests.helpers import commands, processes
from tests.helpers.linear_autoencoder import Linear, spots


def write_recipe(folder, **changes):
    """Makes a folder with the recipe.json of a run."""
    folder.mkdir(parents=True)
    changed = dataclasses.replace(recipes.find("dcgan"), **changes)
    (folder / "recipe.json").write_text(changed.to_json())


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder on a known autoencoder; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run sets its own

    def run(*arguments, opened=None, asked=None):
        def load(path, trust):
            (asked if asked is not None else []).append(path)
            if opened is None:
                raise UsageError(f"{path} has no encoder.")
            return types.SimpleNamespace(autoencoder=opened)

        monkeypatch.setattr(loading, "load", load)
        with threadpool_limits(1):
            return commands.call(monkeypatch, capsys, "latent", *arguments)

    return run


@pytest.fixture(scope="module")
def ring():
    return Linear(data.load("ring", "train[:100]", size=16).images, 4)


def test_the_script_on_a_run(call, ring):
    write_recipe(Path("runs/dcgan-ring-0001"), dataset="ring", image_size=16)
    asked = []
    code, out, errors = call("--run", "latest", "--count", "70", "--seed", "3", opened=ring, asked=asked)
    assert (code, asked) == (0, [Path("runs/dcgan-ring-0001")]), errors
    figures = json.loads(Path("latent/latent.json").read_text())
    about = {"model": "dcgan", "dataset": "ring", "from": "runs/dcgan-ring-0001"}
    assert {name: figures[name] for name in about} == about
    assert (figures["images"], figures["seed"], figures["size"]) == ({"train": 70, "test": 70}, 3, 4)
    lines = out.splitlines()
    assert lines[0].split() == "70 test images, code of 4 autoencoder PCA".split()
    assert lines[1].split()[-2:] == [f"{figures[f'{of}mean_squared_error']:.4f}" for of in ("", "pca_")]
    assert lines[2].split()[-2:] == [f"{figures[f'{of}binary_cross_entropy']:.4f}" for of in ("", "pca_")]
    assert lines[3].split()[-1] == f"{figures['clustering_accuracy']:.1%}"
    assert lines[4].split()[-1] == f"{figures['probe_accuracy']:.1%}"
    assert lines[5].split()[-1] == f"{sum(figures['variance_shares'][:2]):.1%}"
    assert lines[6] == "latent; turn the codes by hand: tensorboard --logdir latent/projector"
    assert errors.splitlines()[0] == "codes" and len(errors.splitlines()) == 6
    tried = np.array(Image.open("latent/reconstructions.png"))[:16].reshape(16, 16, 16).swapaxes(0, 1)
    test = data.load("ring", "test", size=16).images[..., 0]
    assert all((test == image).all(axis=(1, 2)).any() for image in tried)


def test_the_script_on_an_export_of_a_folder_without_a_test_split(call, tmp_path):
    pictures = spots(100).images
    (tmp_path / "pictures").mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture[..., 0]).save(tmp_path / f"pictures/{number:03}.png")
    write_recipe(Path("export"), dataset=f"folder:{tmp_path}/pictures", image_size=8)
    asked = []
    code, out, errors = call("--saved-model", "export", "--out", "a/b", opened=Linear(pictures, 3), asked=asked)
    assert (code, asked) == (0, [Path("export")]), errors
    assert errors.startswith(f"{tmp_path}/pictures has no split 'test'")
    assert "A fifth of the images that the model was trained on stands for it." in errors
    figures = json.loads(Path("a/b/latent.json").read_text())
    assert figures["images"] == {"train": 80, "test": 20}
    assert figures["probe_accuracy"] is None
    assert out.splitlines()[4].split()[-1] == "-"


@pytest.mark.parametrize(
    "line, words",
    [
        ("", "Give either --run or --saved-model."),
        ("--run x --saved-model y", "Give either --run or --saved-model."),
        ("--run latest", "There is no run in runs"),
        ("--run x --count 19", "--count must be at least 20, not 19."),
        ("--run x --count many", "--count"),
        ("--run x --seed -1", "--seed must be from 0 to 2147483647, not -1."),
        ("--run x --seed 2147483648", "--seed must be from 0 to 2147483647, not 2147483648."),
        ("--run x --sed 1", "--sed"),
        ("--run x", "latent.py: x has no encoder."),
        ("--saved-model x", "latent.py: x has no encoder."),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_nothing(line, words, call, tmp_path):
    code, out, errors = call(*line.split())
    assert (code, out) == (2, "")
    assert words in " ".join(errors.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["file", "file/folder"])
def test_a_folder_that_cannot_be_made(out, call, ring):
    Path("file").write_text("")
    write_recipe(Path("run"), dataset="ring")
    code, printed, errors = call("--run", "run", "--out", out, opened=ring)
    assert (code, printed) == (2, "")
    assert errors.startswith(f"latent.py: The folder {out} cannot be made:")


def test_data_that_is_not_there(call, ring):
    write_recipe(Path("run"), dataset="folder:/nowhere")
    code, printed, errors = call("--run", "run", opened=ring)
    assert (code, printed) == (2, "")
    assert errors.startswith("latent.py: The folder of pictures '/nowhere' does not exist")


def test_a_package_that_is_missing_is_told_first(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    asked = []
    code, out, errors = call("--run", "x", asked=asked)
    assert (code, out, asked) == (2, "", [])
    assert "This needs matplotlib" in errors and errors.endswith('pip install -e ".[lab]"\n')


@pytest.mark.parametrize("line, code", [("--help", 0), ("--run x --count 1", 2), ("--run latest", 2)])
def test_help_and_a_mistake_cost_no_heavy_import(line, code, tmp_path):
    heavy = "['tensorflow', 'keras', 'sklearn', 'matplotlib', 'scipy']" if line != "--run latest" else "['tensorflow']"
    watch = (
        "import atexit, runpy, sys\n"
        f"atexit.register(lambda: print([name for name in {heavy} if name in sys.modules]))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", watch, processes.SCRIPTS / "latent.py", *line.split()]
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert done.stdout.endswith("[]\n")
