"""Images that are not square, from a folder through training, resuming, sampling, exporting and uploading."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageOps

import kgen
from kgen.core import recipe as recipes
from kgen.explorer import subject
from kgen.training.train import train
from tests.helpers.recipes import shrink

SIZE = (32, 48)
CLOCK = {"image_size": "32x48", "steps": 2, "log_every": 1, "sample_every": 2, "checkpoint_every": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Returns a folder of eight pictures of noise, 50 pixels high and 60 wide."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(random.integers(0, 256, (50, 60, 3), np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module", params=["autoencoder", pytest.param("dcgan", marks=pytest.mark.slow)])
def trained(request, folder, tmp_path_factory):
    """Returns what training returns, of a run of two steps that was resumed after one."""
    root = tmp_path_factory.mktemp(request.param)
    small = shrink(recipes.find(request.param), dataset=f"folder:{folder}", **CLOCK)
    first = train(small, root / "runs", None, steps=1)
    return train(small, root / "runs", root / "exports", resume=first.run)


def test_the_recipe_names_the_rectangle(trained):
    assert json.loads((trained.run / "recipe.json").read_text())["image_size"] == "32x48"
    environment = json.loads((trained.run / "environment.json").read_text())
    assert environment["images"] == [8, *SIZE, 3]


def test_pictures_are_grids_of_rectangles(trained):
    for picture in [*(trained.run / "samples").glob("*.png"), trained.exported / "samples.png"]:
        width, height = Image.open(picture).size
        assert height % SIZE[0] == 0 and width % SIZE[1] == 0 and height * width > SIZE[0] * SIZE[1]


def test_run_and_export_answer_alike(trained):
    answers = []
    for path in (trained.run, trained.exported):
        model = kgen.load(path)
        if model.draws:
            answers.append(model.generator.draw(seed=3, count=2))
        else:
            given = np.random.default_rng(1).integers(0, 256, (2, *SIZE, 3), np.uint8)
            answers.append(model.autoencoder.reconstruct(given))
        assert answers[-1].shape == (2, *SIZE, 3)
    np.testing.assert_allclose(*answers, atol=1e-6)


def test_an_upload_is_cut_as_training_cuts_it(trained, folder):
    model = kgen.load(trained.exported)
    if not model.encodes:
        pytest.skip("a generator has no upload")
    upload = (folder / "0.png").read_bytes()
    code = subject.of(trained.exported).encode(upload)
    expected = ImageOps.fit(Image.open(io.BytesIO(upload)), SIZE[::-1], Image.Resampling.BICUBIC)
    np.testing.assert_allclose(code, model.autoencoder.encode(np.asarray(expected)[None])[0], atol=1e-6)
