"""Attribute vectors against means by hand, on a known autoencoder; the command on a small archive."""

import dataclasses
import json
import types
import zipfile

import numpy as np
import pytest
from PIL import Image

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.runs import directory
from kgen.studies import attributes
from tests.helpers import commands
from tests.helpers.linear_autoencoder import Linear

RANDOM = np.random.default_rng(0)


def test_a_vector_is_the_mean_with_less_the_mean_without():
    codes = RANDOM.normal(size=(30, 4)).astype(np.float32)
    values = RANDOM.integers(2, size=(30, 3)).astype(bool)
    found = attributes.vectors(codes, values)
    for j in range(3):
        have = [codes[i] for i in range(30) if values[i, j]]
        lack = [codes[i] for i in range(30) if not values[i, j]]
        np.testing.assert_allclose(found[j], sum(have) / len(have) - sum(lack) / len(lack), rtol=1e-5, atol=1e-6)
    assert found.dtype == np.float32


def test_chosen_attributes_come_in_the_order_asked_for():
    values = np.tile([[True, False, True], [False, True, True]], (20, 1))
    values[:15, 2] = False
    found = attributes.chosen(values, ("a", "b", "c"), ["c", "a"])
    np.testing.assert_array_equal(found, values[:, [2, 0]])


@pytest.mark.parametrize("wanted, said", [(["Hat"], "no Hat; there are a, b"), (["b"], "b: 9 of 40 images")])
def test_unknown_and_rare_attributes_are_refused(wanted, said):
    values = np.zeros((40, 2), bool)
    values[:20, 0] = values[:9, 1] = True
    with pytest.raises(UsageError, match=said):
        attributes.chosen(values, ("a", "b"), wanted)


def test_the_picture_adds_a_direction_to_the_code():
    pixels = RANDOM.integers(100, 130, (50, 4, 4, 1), np.uint8)
    own = Linear(pixels, 16)  # loses nothing
    brighter = own.encode(np.full((1, 4, 4, 1), 140, np.uint8)) - own.encode(np.full((1, 4, 4, 1), 120, np.uint8))
    sheet = attributes.picture(own, pixels[:5], brighter, 2.0)
    assert sheet.shape == (12, 20, 1)
    np.testing.assert_allclose(sheet[4:8].astype(int), sheet[:4], atol=1)
    np.testing.assert_allclose(sheet[8:].astype(int), sheet[:4].astype(int) + 40, atol=1)


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


def test_the_script(faces, monkeypatch, capsys):
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
