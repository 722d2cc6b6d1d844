"""What a run leaves behind, how it stops, and what it says when it cannot go on."""

import dataclasses
import hashlib
import importlib.metadata
import json
import math
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from kgen import data, images
from kgen.core import recipe as recipes
from kgen.core.trainer import Trainer
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.rng import Rng
from kgen.runs import build, checkpoint, directory
from kgen.training import train as training
from tests.helpers import processes
from tests.helpers.processes import DCGAN
from tests.helpers.recipes import pictures

SMALL = {"width": 4, "latent_dim": 8, "batch_size": 8, "log_every": 5, "sample_every": 20, "checkpoint_every": 5}
LONG = [*DCGAN, "--steps", "300"]


LOGGED = {
    "generator_loss", "discriminator_loss", "generator_gradient_norm", "discriminator_gradient_norm",
    "real_score", "fake_score",
}  # fmt: skip


def train(tmp_path, resume=None, **changes):
    """Trains a small dcgan in this process."""
    small = dataclasses.replace(recipes.find("dcgan"), **{**SMALL, "steps": 20, **changes})
    return training.train(small, tmp_path / "runs", tmp_path / "exports", resume)


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def run():
    return processes.run_of(processes.uninterrupted(*DCGAN))


def test_a_run_directory_holds_what_is_promised(run):
    assert run.name == "dcgan-mnist5k-0001"
    assert {path.name for path in run.iterdir()} - {".lock"} == {
        "recipe.json", "environment.json", "log.jsonl", "diagnosis.jsonl", "real.png", "interpolation.gif", "samples",
        "checkpoints", "train", "export.json",
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
    assert found["images_sha256"] == hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def test_real_png_shows_64_training_images(run):
    picture = pixels(run / "real.png")
    assert picture.shape == (8 * 28, 8 * 28)
    tiles = picture.reshape(8, 28, 8, 28).swapaxes(1, 2).reshape(64, -1)
    known = {image.tobytes() for image in data.load("mnist5k").images}
    assert all(tile.tobytes() in known for tile in tiles)
    assert len({tile.tobytes() for tile in tiles}) > 60


def test_the_log_has_every_loss_and_the_speed(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(5, 61, 5))
    assert all(set(line) == {"step", *LOGGED, "images_per_second"} for line in lines)
    assert all(line["images_per_second"] > 0 for line in lines)


def test_tensorboard_shows_the_log_and_the_pictures(run):
    events = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    looked = {f"diagnosis/{name}" for name in (*LOGGED, "sample_distance", "real_distance")}
    assert set(events.Tags()["tensors"]) == {
        "recipe", "samples", *LOGGED, "images_per_second", *looked, "_hparams_/session_start_info"
    }  # fmt: skip
    for name in ("generator_loss", "discriminator_loss"):
        found = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(name)]
        assert found == [(line["step"], pytest.approx(line[name], rel=1e-6)) for line in processes.log(run)]
    pictures = {event.step: tf.make_ndarray(event.tensor_proto) for event in events.Tensors("samples")}
    assert list(pictures) == [0, 20, 40, 60]
    for step, (width, height, encoded) in pictures.items():
        shown = tf.io.decode_png(encoded).numpy()[..., 0]
        assert (int(width), int(height)) == shown.shape[::-1]
        np.testing.assert_array_equal(shown, pixels(run / f"samples/{step:06d}.png"))
    (text,) = tf.make_ndarray(events.Tensors("recipe")[0].tensor_proto).ravel()
    assert '"latent_dim": 8' in text.decode()


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


def test_keep_and_the_last_step_whatever_the_clock(tmp_path):
    result = train(tmp_path, steps=18, checkpoint_every=4, keep=4, sample_every=7, log_every=5)
    assert checkpoint.steps(result.run / "checkpoints") == [8, 12, 16, 18]
    assert [line["step"] for line in processes.log(result.run)] == [5, 10, 15, 18]
    assert sorted(path.stem for path in (result.run / "samples").iterdir()) == ["000000", "000007", "000014", "000018"]


# One run directory, several processes, one after the other or not.


def test_two_processes_cannot_train_one_run(run, tmp_path):
    own = shutil.copytree(run, tmp_path / "runs/copy")
    with directory.lock(own):
        process = processes.fork("--resume", own, cwd=tmp_path)
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors == f"train.py: {own} is being trained by another process. Wait for it, or start a new run.\n"
    processes.finish(processes.fork("--resume", own, cwd=tmp_path))


def test_more_steps_on_resume_equal_as_many_from_the_start(run, tmp_path):
    own = shutil.copytree(run, tmp_path / "runs/copy")
    processes.finish(processes.fork("--resume", own, "--steps", "67", cwd=tmp_path))
    longer = processes.uninterrupted(*DCGAN, "--steps", "67")
    assert processes.ending(own) == processes.ending(processes.run_of(longer))


def test_fewer_steps_than_were_played_are_refused(tmp_path):
    result = train(tmp_path, steps=10)
    before = (result.run / "recipe.json").read_text()
    with pytest.raises(UsageError, match="--steps.* 10.*5"):
        train(tmp_path, resume=result.run, steps=5)
    assert (result.run / "recipe.json").read_text() == before


def test_a_run_that_is_done_can_be_resumed(tmp_path):
    result = train(tmp_path, steps=10)
    before = processes.ending(result.run)
    again = train(tmp_path, resume=result.run, steps=10)
    assert again.step == 10 and again.exported is not None
    assert processes.ending(result.run) == before


def test_other_images_are_refused(tmp_path, monkeypatch):
    result = train(tmp_path, steps=5)
    with pytest.raises(UsageError, match="--split of .* is train and cannot change in a resumed run"):
        train(tmp_path, resume=result.run, steps=10, split="test")
    monkeypatch.setattr(build, "load", lambda recipe: data.load("mnist5k", "test"))
    with pytest.raises(UsageError, match="started with other images"):
        train(tmp_path, resume=result.run, steps=10)


def test_reopen_needs_a_checkpoint(tmp_path):
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL)
    run = directory.create(tmp_path, small)
    directory.write_environment(run, pictures(size=28))
    with pytest.raises(UsageError, match="has no checkpoint yet"):
        build.reopen(small, run)


def test_sampling_needs_no_images(tmp_path):
    """The folder of pictures may be gone by the time a run is drawn from or exported."""
    (tmp_path / "pictures").mkdir()
    for i, picture in enumerate(pictures(8, size=28).images):
        images.save_png(tmp_path / f"pictures/{i}.png", picture)
    result = train(tmp_path, steps=5, dataset=f"folder:{tmp_path}/pictures", image_size=28)
    shutil.rmtree(tmp_path / "pictures")
    ran, exported = loading.load(result.run).generator, loading.load(result.exported).generator
    np.testing.assert_array_equal(ran.draw(1, 3), exported.draw(1, 3))


def test_the_policy_is_put_back():
    before = keras.config.dtype_policy()
    with pytest.raises(ZeroDivisionError), build.precision("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        1 / 0
    assert keras.config.dtype_policy() == before
    assert isinstance(build.prepare(dataclasses.replace(recipes.find("dcgan"), **SMALL), data.load("ring")), Trainer)
