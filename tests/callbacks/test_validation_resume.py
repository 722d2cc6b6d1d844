"""A run that is validated after each epoch ends as the straight one, wherever it was interrupted."""

import shutil

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from kgen import callbacks
from tests.helpers import processes
from tests.helpers.planted_faults import lines, state, train

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
    steps = [event.step for event in events.Tensors("validation_binary_cross_entropy")]
    assert steps == [4, 8, 12, 16, 20, 24, 28, 30]
    found = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("validation_squared_error")]
    assert found == [pytest.approx(line["validation_squared_error"], rel=1e-6) for line in lines(run)]
