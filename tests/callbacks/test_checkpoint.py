"""Checkpoints are saved by the clock and at the last step, and only the newest are kept."""

import dataclasses

import keras
import pytest

from kgen.callbacks import Log
from kgen.core import recipe as recipes
from kgen.runs import checkpoint
from kgen.training import train as training
from tests.helpers import processes
from tests.helpers.small_dcgan import SMALL, train


@pytest.mark.slow
def test_a_run_that_dies_after_its_last_step_still_writes_its_last_line(tmp_path, monkeypatch):
    """The last checkpoint comes last of all: what a run has not written yet when it dies, it writes when resumed."""
    clock = {"steps": 10, "checkpoint_every": 5, "log_every": 7, "sample_every": 7}
    straight = train(tmp_path / "straight", **clock)
    finish = Log.finish

    def die(self, step):
        raise KeyboardInterrupt

    monkeypatch.setattr(Log, "finish", die)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", **clock)
    monkeypatch.setattr(Log, "finish", finish)
    run = processes.run_of(tmp_path / "killed")
    assert checkpoint.steps(run / "checkpoints") == [5]
    train(tmp_path / "killed", resume=run, **clock)
    assert processes.ending(run) == processes.ending(straight.run)


def test_a_callback_of_the_user_that_stops_training_leaves_a_checkpoint_of_that_step(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch + 1 >= 7

    recipe = dataclasses.replace(recipes.find("dcgan"), **{**SMALL, "steps": 20})
    result = training.train(recipe, tmp_path / "runs", None, callbacks=(Stop(),))
    assert (result.step, result.finished, result.exported) == (7, False, None)
    assert checkpoint.steps(result.run / "checkpoints") == [5, 7]


@pytest.mark.slow
def test_keep_and_the_last_step_whatever_the_clock(tmp_path):
    result = train(tmp_path, steps=18, checkpoint_every=4, keep=4, sample_every=7, log_every=5)
    assert checkpoint.steps(result.run / "checkpoints") == [8, 12, 16, 18]
    assert [line["step"] for line in processes.log(result.run)] == [5, 10, 15, 18]
    assert sorted(path.stem for path in (result.run / "samples").iterdir()) == ["000000", "000007", "000014", "000018"]
