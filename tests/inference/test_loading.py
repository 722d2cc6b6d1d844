"""Images from a run and from its export are the same images."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.core import requests
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.runs import checkpoint
from tests.helpers import processes


@pytest.fixture(scope="module")
def folder():
    return processes.uninterrupted(*processes.DCGAN)


@pytest.fixture(scope="module")
def draws(folder):
    """The sources of a run and of its export."""
    run, exported = processes.run_of(folder), folder / "saved_models/dcgan-mnist5k/1"
    return loading.load(run).generator, loading.load(exported).generator


def test_a_run_and_its_export_draw_the_same(draws):
    one, two = (source.draw(7, 5) for source in draws)
    assert one.shape == (5, 28, 28, 1) and one.dtype == np.float32
    np.testing.assert_allclose(one, two, atol=1e-6)
    assert not np.array_equal(one, draws[0].draw(8, 5))


def test_a_checkpoint_of_a_run_is_opened_at_its_step(folder):
    run = processes.run_of(folder)
    steps = checkpoint.steps(run / "checkpoints")
    assert len(steps) > 1
    opened = {step: loading.load(run / f"checkpoints/{step:06d}") for step in steps}
    assert {step: model.step for step, model in opened.items()} == {step: step for step in steps}
    pictures = {step: model.generator.draw(7, 2) for step, model in opened.items()}
    np.testing.assert_array_equal(pictures[steps[-1]], loading.load(run).generator.draw(7, 2))
    assert not np.array_equal(pictures[steps[0]], pictures[steps[-1]])
    weights = opened[steps[0]].game.generator.weights[0].numpy()
    saved = checkpoint.read(run / f"checkpoints/{steps[0]:06d}").values()
    assert any(array.shape == weights.shape and np.array_equal(array, weights) for array in saved)


def test_a_damaged_checkpoint_is_named(folder, tmp_path):
    run = shutil.copytree(processes.run_of(folder), tmp_path / "run")
    one = run / f"checkpoints/{checkpoint.steps(run / 'checkpoints')[0]:06d}"
    (one / checkpoint.STATE).write_bytes(b"short")
    with pytest.raises(UsageError, match=f"{one.name} is damaged .*: take another one"):
        loading.load(one)


def test_more_images_than_one_request_makes(draws):
    count = 2 * requests.LIMIT + 3
    images = draws[1].draw(7, count)
    assert images.shape == (count, 28, 28, 1)
    assert len({image.tobytes() for image in images}) == count
    np.testing.assert_allclose(images[: requests.LIMIT], draws[1].draw(7, requests.LIMIT), atol=1e-6)
    np.testing.assert_allclose(images, draws[0].draw(7, count), atol=1e-6)


def test_the_script_writes_the_same_picture_from_both(folder, draws, tmp_path):
    sources = {
        "run": ["--run", processes.run_of(folder)],
        "export": ["--saved-model", folder / "saved_models/dcgan-mnist5k/1"],
    }
    for name, source in sources.items():
        process = processes.fork(
            *source, "--seed", "7", "--count", "5", "--out", f"{name}.png", cwd=tmp_path, script="sample.py"
        )
        assert processes.finish(process)[0] == f"{name}.png, 5 images from {source[1]}\n"
    picture = np.asarray(Image.open(tmp_path / "run.png"))
    np.testing.assert_array_equal(picture, np.asarray(Image.open(tmp_path / "export.png")))
    tiles = picture.reshape(2, 28, 3, 28).swapaxes(1, 2).reshape(6, 28, 28, 1)
    assert np.abs(tiles[:5] - draws[0].draw(7, 5) * 255).max() <= 0.51
    assert not tiles[5].any()


def test_a_folder_that_is_no_export(tmp_path):
    with pytest.raises(UsageError, match="nor an export \\(it has no saved_model.pb\\)"):
        loading.load(tmp_path).generator


def test_an_export_that_cannot_draw(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "other"))
    with pytest.raises(UsageError, match="has no signature 'sample'"):
        loading.load(tmp_path / "other").generator


def test_an_export_without_its_weights(folder, tmp_path):
    copy = shutil.copytree(folder / "saved_models/dcgan-mnist5k/1", tmp_path / "1")
    shutil.rmtree(copy / "variables")
    with pytest.raises(UsageError, match="cannot be loaded"):
        loading.load(copy).generator


@pytest.mark.parametrize("content", [b"", b"not a model"])
def test_a_damaged_export(content, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be loaded"):
        loading.load(tmp_path).generator


def test_an_export_of_another_version_of_kgen_opens_without_its_recipe(folder, tmp_path):
    exported = folder / "saved_models/dcgan-mnist5k/1"
    copy = shutil.copytree(exported, tmp_path / "1")
    recipe = json.loads((copy / "recipe.json").read_text())
    (copy / "recipe.json").write_text(json.dumps({**recipe, "rounds_per_execution": 1}))
    found = loading.load(copy)
    assert found.recipe is None and loading.load(exported).recipe is not None
    np.testing.assert_array_equal(found.generator.draw(1, 2), loading.load(exported).generator.draw(1, 2))
