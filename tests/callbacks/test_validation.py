"""Validation after each epoch, the best weights, stopping early; a planted curve says what must happen."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from kgen import callbacks
from kgen.core import recipe as recipes
from kgen.runs import build, directory
from kgen.training import train as training
from tests.helpers import processes
from tests.helpers.planted_faults import CURVE, TINY, lines, planted, same, state, train


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that patience ends."""
    folder = tmp_path_factory.mktemp("stopped")
    result, measure = planted(folder, CURVE, steps=1_000, patience=3, exports=folder / "exports", seed=3)
    return result, measure


def test_patience_ends_a_run(stopped):
    result, measure = stopped
    assert result.finished and result.step == 7 * 4 and int(result.trainer.step.numpy()) == 28
    assert len(measure.looks) == 7  # the least loss was the fourth; of the three behind it none was less
    assert state(result.run)[0] == "000028"
    assert processes.log(result.run)[-1]["step"] == 28


def test_the_held_out_fold_is_measured_with_the_runs_seed(stopped):
    _, measure = stopped
    whole = build.load(dataclasses.replace(recipes.find("autoencoder"), **TINY))
    _, held = dataclasses.replace(recipes.find("autoencoder"), seed=3).divide(whole)
    np.testing.assert_array_equal(measure.held.images, held.images)
    assert measure.seed == 3 and len(held.images) == 20


def test_the_best_weights_are_exhibited_bit_for_bit(stopped):
    result, measure = stopped
    assert same(result.trainer.best_game().autoencoder, measure.looks[3])
    assert not same(result.trainer.game.autoencoder, measure.looks[3])
    assert same(result.trainer.game.autoencoder, measure.looks[6])  # training has gone on
    assert int(result.trainer.best_step.numpy()) == 16 and float(result.trainer.best_loss.numpy()) == 0.25


def test_the_best_weights_are_exported(stopped):
    result, measure = stopped
    x = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype(np.float32)
    exported = tf.saved_model.load(result.exported).signatures["reconstruct"](images=tf.constant(x))["images"]
    network = result.trainer.game.autoencoder
    kept = network.get_weights()
    network.set_weights(measure.looks[3])
    np.testing.assert_allclose(exported, 1 / (1 + np.exp(-network(x).numpy())), atol=1e-5)
    network.set_weights(kept)
    again, _ = build.reopen(directory.read_recipe(result.run), result.run)
    assert same(again.best_game().autoencoder, measure.looks[3])  # the checkpoint has them


def test_epochs_jsonl_has_a_line_for_each_epoch(stopped):
    assert lines(stopped[0].run) == [
        {
            "step": 4 * number,
            "epoch": number,
            "validation_binary_cross_entropy": loss,
            "validation_squared_error": 1 - loss,
            "best": number in (1, 2, 4),
        }
        for number, loss in enumerate(CURVE[:7], 1)
    ]


def test_tensorboard_shows_them(stopped):
    events = EventAccumulator(str(stopped[0].run / "train"), size_guidance={"tensors": 0}).Reload()
    for name, expected in (("validation/binary_cross_entropy", CURVE[:7]), ("validation/best", [1, 1, 0, 1, 0, 0, 0])):
        found = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors(name)]
        assert found == [(4 * number, value) for number, value in enumerate(expected, 1)]


@pytest.mark.parametrize("steps", [1_000, 2_000])
def test_a_run_that_stopped_early_is_only_exported_when_resumed(steps, stopped, tmp_path, monkeypatch):
    run = shutil.copytree(stopped[0].run, tmp_path / "runs/copy")
    (run / "export.json").unlink()
    before = state(run), (run / "epochs.jsonl").read_bytes(), (run / "log.jsonl").read_bytes()
    monkeypatch.setattr(training, "play", None)
    again = train(tmp_path, run, tmp_path / "exports", steps=steps, patience=3, seed=3)
    assert again.finished and again.step == 28 and again.exported == tmp_path / "exports/autoencoder-mnist5k/1"
    assert (state(run), (run / "epochs.jsonl").read_bytes(), (run / "log.jsonl").read_bytes()) == before
    assert same(again.trainer.best_game().autoencoder, stopped[1].looks[3])


def test_the_best_epoch_is_kept_when_training_ends_normally(tmp_path):
    result, measure = planted(tmp_path, [0.5, 0.25, 0.75], steps=12)
    assert result.finished and len(measure.looks) == 3 and result.exported is None
    assert same(result.trainer.best_game().autoencoder, measure.looks[1])


def test_a_run_that_ends_within_an_epoch_looks_once_more(tmp_path):
    result, measure = planted(tmp_path, [0.5, 0.25, 0.125], steps=10)
    looks = [(line["step"], line["epoch"], line["best"]) for line in lines(result.run)]
    assert looks == [(4, 1, True), (8, 2, True), (10, 2.5, True)]
    assert same(result.trainer.game.autoencoder, measure.looks[2])
    assert same(result.trainer.best_game().autoencoder, measure.looks[2])
    again, _ = build.reopen(directory.read_recipe(result.run), result.run)
    assert same(again.best_game().autoencoder, measure.looks[2])  # saved after the last look


@pytest.mark.slow
def test_a_look_within_an_epoch_is_no_epoch_of_patience(tmp_path):
    """A run that is resumed with more steps must go on where one with as many from the start would."""
    short, _ = planted(tmp_path, [0.5, 0.25, 0.375], steps=10, patience=1)
    longer, measure = planted(tmp_path, [0.125, 0.25], resume=short.run, steps=1_000, patience=1)
    assert longer.step == 16 and len(measure.looks) == 2


def test_with_moving_averages_they_are_measured_and_kept(tmp_path):
    result, measure = planted(tmp_path, [0.5, 0.25, 0.75, 0.5], steps=16, ema=0.9)
    assert same(result.trainer.best_game().autoencoder, measure.looks[1])
    assert same(result.trainer.averages["autoencoder"], measure.looks[3])
    assert not same(result.trainer.game.autoencoder, measure.looks[3])


def test_weights_are_measured_before_they_are_pruned(tmp_path):
    shares = {"prune_encoder_dense": 0.5, "prune_decoder_dense": 0.25}
    result, measure = planted(tmp_path, [0.5, 0.75, 0.25], steps=12, prune_every=3, **shares)
    assert all((weight != 0).all() for weight in measure.looks[2][::2])
    assert same(result.trainer.best_game().autoencoder, measure.looks[2])
    groups = [f"sparsity_{name}" for name in result.trainer.game.groups()]
    assert [[line[name] for name in groups] for line in lines(result.run)] == [[0, 0, 0, 0]] * 2 + [[0.5, 0, 0.25, 0]]


def test_without_held_out_images_the_last_weights_are_exhibited(tmp_path):
    result = train(tmp_path, steps=10, folds=0, prune_every=2, prune_encoder_dense=0.25, prune_decoder_dense=0.0)
    assert result.trainer.best_game().autoencoder is result.trainer.game.autoencoder
    sparsities = {f"sparsity_{name}": 0 for name in result.trainer.game.groups()}
    assert lines(result.run) == [  # 100 images are 5 steps
        {"step": 5, "epoch": 1, **sparsities},
        {"step": 10, "epoch": 2, **sparsities, "sparsity_encoder_dense": 0.25},
    ]


EVERYTHING = {
    "channels": (2,), "kernels": (2,), "strides": (2,), "paddings": (0,),
    "steps": 30, "patience": 50, "encoder_dropout": 0.2, "decoder_dropout": 0.1, "noise": "uniform:0.7",
    "prune_every": 2, "mask": "persistent", "prune_encoder_dense": 0.4, "prune_encoder_convolution": 0.3,
    "prune_decoder_dense": 0.2, "anneal": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return train(tmp_path_factory.mktemp("straight"), **EVERYTHING).run


def ending(run):
    samples = {path.name: path.read_bytes() for path in (run / "samples").iterdir()}
    return state(run), lines(run), processes.log(run), samples, (run / "diagnosis.jsonl").read_bytes()


@pytest.mark.slow
def test_an_interrupted_run_ends_as_the_straight_one(straight, tmp_path, monkeypatch):
    original = callbacks.Interrupt.at

    def at(self, step):
        self.asked = step == 9  # within an epoch, between two checkpoints
        original(self, step)

    monkeypatch.setattr(callbacks.Interrupt, "at", at)
    first = train(tmp_path, **EVERYTHING)
    assert not first.finished and first.step == 9 and [line["step"] for line in lines(first.run)] == [4, 8]
    assert train(tmp_path, first.run, **EVERYTHING).finished
    assert ending(first.run) == ending(straight)


@pytest.mark.slow
def test_what_was_written_after_the_last_checkpoint_is_written_again(straight, tmp_path):
    run = shutil.copytree(straight, tmp_path / "runs/copy")
    for folder in (run / "checkpoints").iterdir():
        if int(folder.name) > 20:
            shutil.rmtree(folder)
    with (run / "epochs.jsonl").open("a") as file:
        file.write('{"step": 12, "ep')  # as a kill leaves it
    assert train(tmp_path, run, **EVERYTHING).finished
    assert ending(run) == ending(straight)
    assert [line["step"] for line in lines(run)] == [4, 8, 12, 16, 20, 24, 28, 30]
    events = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    steps = [event.step for event in events.Tensors("validation/binary_cross_entropy")]
    assert steps == [4, 8, 12, 16, 20, 24, 28, 30]
    found = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("validation/squared_error")]
    assert found == [pytest.approx(line["validation_squared_error"], rel=1e-6) for line in lines(run)]
