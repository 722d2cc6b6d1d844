"""kgen attributes on a small archive of faces, half of them bright."""

import dataclasses
import json
import types
import zipfile

import numpy as np
import pytest
from PIL import Image

from kgen.core import recipe as recipes
from kgen.inference import loading
from kgen.runs import directory
from tests.helpers import commands
from tests.helpers.linear_autoencoder import Linear

RANDOM = np.random.default_rng(0)


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """A run's recipe and forty faces, half of them bright: Smiling."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "celeba").mkdir()
    lines = ["40", "Smiling Male"]
    with zipfile.ZipFile(tmp_path / "celeba/faces.zip", "w") as archive:
        for number in range(1, 41):
            bright, noise = number % 2, RANDOM.integers(0, 20, (109, 89, 3))
            with archive.open(f"{number:06}.png", "w") as file:
                Image.fromarray(np.uint8(noise + 60 + 100 * bright)).save(file, "PNG")
            lines.append(f"{number:06}.png {1 if bright else -1} {1 if number > 20 else -1}")
    (tmp_path / "celeba/list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    own = dataclasses.replace(recipes.find("vae"), dataset="celeba", data_dir=tmp_path, image_size=8)
    run = tmp_path / "runs/vae-celeba-0001"
    run.mkdir(parents=True)
    directory.write_recipe(run, own)
    opened = Linear(RANDOM.integers(0, 256, (300, 8, 8, 3), np.uint8), 192)
    monkeypatch.setattr(loading, "load", lambda path: types.SimpleNamespace(autoencoder=opened))
    return tmp_path


def test_the_command_writes_rows_of_faces_and_the_directions(faces, monkeypatch, capsys):
    code, out, errors = commands.call(
        monkeypatch, capsys, "attributes", "--attributes", "Male", "Smiling", "--columns", "4", "--out", "found"
    )
    assert (code, errors.replace("\r", "").strip().startswith("Traceback")) == (0, False)
    assert "Male, Smiling" in out
    directions = json.loads((faces / "found.json").read_text())["directions"]
    assert list(directions) == ["Male", "Smiling"]
    male, smiling = (np.linalg.norm(directions[name]) for name in directions)
    assert smiling == pytest.approx(100 / 255 * np.sqrt(192), rel=0.05)  # all 192 numbers are brighter by 100
    assert male < 0.2 * smiling
    assert np.asarray(Image.open(faces / "found.png")).shape == (4 * 8, 4 * 8, 3)  # no test split: the last faces


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--attributes", "Hat"], "no Hat"),
        (["--count", "5"], "--count must be at least 20"),
        (["--columns", "0"], "--columns must be from 1"),
        (["--out", "nowhere/x"], "there is no folder nowhere"),
    ],
)
def test_a_mistake_is_a_sentence(flags, said, faces, monkeypatch, capsys):
    code, out, errors = commands.call(monkeypatch, capsys, "attributes", *flags)
    assert (code, out) == (2, "") and said in errors


def test_another_dataset_is_refused(faces, monkeypatch, capsys):
    run = faces / "runs/vae-mnist5k-0001"
    run.mkdir()
    directory.write_recipe(run, recipes.find("vae"))
    code, _, errors = commands.call(monkeypatch, capsys, "attributes", "--run", run)
    assert code == 2 and "only celeba has attributes" in errors
