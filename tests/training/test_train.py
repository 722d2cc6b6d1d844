"""What a run leaves behind, how it stops, and what it says when it cannot go on."""

import dataclasses
import hashlib
import importlib.metadata
import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from safetensors.numpy import load_file

from kgen import data, images
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.rng import Rng
from kgen.runs import build, directory
from tests.helpers import processes
from tests.helpers.processes import DCGAN
from tests.helpers.recipes import pictures
from tests.helpers.small_dcgan import train


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def run():
    return processes.run_of(processes.uninterrupted(*DCGAN))


def test_a_run_directory_holds_what_is_promised(run):
    assert run.name == "dcgan-mnist5k-0001"
    assert {path.name for path in run.iterdir()} - {".lock"} == {
        "recipe.json", "environment.json", "log.jsonl", "diagnosis.jsonl", "real.png", "interpolation.gif", "samples",
        "checkpoints", "train", "export.json", "report.html",
    }  # fmt: skip
    assert sorted(path.name for path in (run / "samples").iterdir()) == [f"{i:06d}.png" for i in (0, 20, 40, 60)]
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["000056", "000060"]
    assert (run.parents[1] / "saved_models/dcgan-mnist5k/1/saved_model.pb").is_file()


def test_recipe_json_is_what_was_asked_for(run):
    found = recipes.from_json((run / "recipe.json").read_text())
    assert found == dataclasses.replace(
        recipes.find("dcgan"), width=4, latent_dim=8, batch_size=8, steps=60,
        checkpoint_every=7, log_every=5, sample_every=20, ema=0.9, keep=2,
    )  # fmt: skip


def test_environment_json_names_versions_and_images(run):
    found = json.loads((run / "environment.json").read_text())
    for package in ("tensorflow", "keras", "numpy"):
        assert found[package] == importlib.metadata.version(package)
    images, labels, classes = data.load("mnist5k")
    assert (found["images"], found["classes"]) == (list(images.shape), list(classes))
    each = b"".join(hashlib.sha256(image.tobytes()).digest() for image in images)
    assert found["images_sha256"] == hashlib.sha256(each + labels.tobytes()).hexdigest()


def test_checkpoints_tell_the_images_that_environment_json_tells(run):
    newest = max((run / "checkpoints").iterdir())
    told = json.loads((newest / "manifest.json").read_text())["numbers"]["images_sha256"]
    assert told == json.loads((run / "environment.json").read_text())["images_sha256"]


def test_real_png_shows_64_training_images(run):
    picture = pixels(run / "real.png")
    assert picture.shape == (8 * 28, 8 * 28)
    tiles = picture.reshape(8, 28, 8, 28).swapaxes(1, 2).reshape(64, -1)
    known = {image.tobytes() for image in data.load("mnist5k").images}
    assert all(tile.tobytes() in known for tile in tiles)
    assert len({tile.tobytes() for tile in tiles}) > 60


def averaged_generator(run):
    """Returns a generator with the averaged weights, put together here from the final checkpoint's file."""
    state = load_file(run / "checkpoints/000060/state.safetensors")
    network = directory.read_recipe(run).game(data.load("mnist5k")).generator
    network.set_weights([state[key] for key in sorted(state) if key.startswith("generator_average/")])
    live = [state[key] for key in sorted(state) if key.startswith("generator/")]
    assert any((a != b).any() for a, b in zip(network.get_weights(), live, strict=True))
    return network


def test_samples_and_export_come_from_the_average(run):
    network = averaged_generator(run)
    latent = Rng(0).normal((64, 8))  # the prior is N(0, I), and this the first draw of the run's rng
    made = np.asarray(network(latent, training=False)) / 2 + 0.5
    shown = pixels(run / "samples/000060.png").reshape(8, 28, 8, 28).swapaxes(1, 2).reshape(64, 28, 28, 1)
    assert np.abs(shown - made * 255).max() <= 0.51
    exported = tf.saved_model.load(str(run.parents[1] / "saved_models/dcgan-mnist5k/1"))
    served = exported.signatures["serving_default"](latent=latent)["images"]
    np.testing.assert_allclose(served.numpy(), made, atol=1e-6)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The same 20 steps, logged each, logged every 5, and 5 at a time."""
    ways = {"each": {"log_every": 1}, "every_5": {}, "5_at_a_time": {"steps_per_execution": 5}}
    return {way: train(tmp_path_factory.mktemp(way), **changes) for way, changes in ways.items()}


def test_a_line_of_the_log_is_the_mean_of_its_rounds(three):
    each, fifth = processes.log(three["each"].run), processes.log(three["every_5"].run)
    assert [line["step"] for line in each] == list(range(1, 21)) and len(fifth) == 4
    for number, line in enumerate(fifth):
        for name in ("generator_loss", "discriminator_loss"):
            mean = math.fsum(one[name] for one in each[5 * number : 5 * number + 5]) / 5
            assert line[name] == pytest.approx(mean, rel=1e-5)


def test_rounds_per_execution_change_nothing_and_nothing_is_traced_twice(three):
    assert {way: result.trainer.traces for way, result in three.items()} == dict.fromkeys(three, 1)
    one, five = three["every_5"].run, three["5_at_a_time"].run
    assert processes.log(one) == processes.log(five)
    states = [load_file(run / "checkpoints/000020/state.safetensors") for run in (one, five)]
    for key in states[0]:
        np.testing.assert_array_equal(states[0][key], states[1][key], key)


# One run directory, several processes, one after the other or not.


def test_two_processes_cannot_train_one_run(run, tmp_path):
    own = shutil.copytree(run, tmp_path / "runs/copy")
    with directory.lock(own):
        process = processes.fork("--resume", own, cwd=tmp_path)
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors == f"train.py: {own} is being trained by another process. Wait for it, or start a new run.\n"
    processes.finish(processes.fork("--resume", own, cwd=tmp_path))


@pytest.mark.slow
def test_more_steps_on_resume_equal_as_many_from_the_start(run, tmp_path):
    own = shutil.copytree(run, tmp_path / "runs/copy")
    processes.finish(processes.fork("--resume", own, "--steps", "67", cwd=tmp_path))
    longer = processes.uninterrupted(*DCGAN, "--steps", "67")
    assert processes.ending(own) == processes.ending(processes.run_of(longer))


@pytest.mark.slow
def test_fewer_steps_than_were_played_are_refused(tmp_path):
    result = train(tmp_path, steps=10)
    before = (result.run / "recipe.json").read_text()
    with pytest.raises(UsageError, match="--steps.* 10.*5"):
        train(tmp_path, resume=result.run, steps=5)
    assert (result.run / "recipe.json").read_text() == before


@pytest.mark.slow
def test_a_run_that_is_done_can_be_resumed(tmp_path):
    result = train(tmp_path, steps=10)
    before = processes.ending(result.run)
    again = train(tmp_path, resume=result.run, steps=10)
    assert again.step == 10 and again.exported is not None
    assert processes.ending(result.run) == before


@pytest.mark.slow
def test_other_images_are_refused(tmp_path, monkeypatch):
    result = train(tmp_path, steps=5)
    with pytest.raises(UsageError, match="--split of .* is train and cannot change in a resumed run"):
        train(tmp_path, resume=result.run, steps=10, split="test")
    monkeypatch.setattr(build, "load", lambda recipe, in_memory=True: data.load("mnist5k", "test"))
    with pytest.raises(UsageError, match="started with other images"):
        train(tmp_path, resume=result.run, steps=10)


@pytest.mark.slow
def test_a_gan_goes_on_from_another_run_with_other_data_and_rates(tmp_path):
    """It begins with all networks of that run, averaged where it keeps averages, and with new optimizers."""
    first = train(tmp_path / "first", classes="0,1,2,3,4")
    second = train(tmp_path / "second", classes="5,6", learning_rate=1e-5, start_from=first.run, steps=5)
    for name in ("generator", "discriminator"):
        games = first.trainer.best_game(), second.trainer.game
        before, after = (getattr(game, name).get_weights() for game in games)
        assert all(np.abs(a - b).max() <= 5 * 2e-5 for a, b in zip(before, after, strict=True) if a.ndim > 1)
    fresh = train(tmp_path / "fresh", classes="5,6", learning_rate=1e-5, steps=5)
    assert any(np.abs(a - b).max() > 1e-2 for a, b in zip(
        before, fresh.trainer.game.players["discriminator"].network.get_weights(), strict=True
    ))  # fmt: skip


@pytest.mark.slow
def test_sampling_needs_no_images(tmp_path):
    """The folder of pictures may be gone by the time a run is drawn from or exported."""
    (tmp_path / "pictures").mkdir()
    for i, picture in enumerate(pictures(8, size=28).images):
        images.save_png(tmp_path / f"pictures/{i}.png", picture)
    result = train(tmp_path, steps=5, dataset=f"folder:{tmp_path}/pictures", image_size=28)
    shutil.rmtree(tmp_path / "pictures")
    ran, exported = loading.load(result.run).generator, loading.load(result.exported).generator
    np.testing.assert_array_equal(ran.draw(1, 3), exported.draw(1, 3))
