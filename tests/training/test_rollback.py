"""A run that diverges goes on from its last checkpoint at lower rates, as one that was given them there."""

import json
import math

import pytest
import tensorflow as tf

from kgen.core.base_trainer import BaseTrainer
from kgen.data import pipeline
from kgen.errors import Diverged
from kgen.models import gan
from kgen.runs import build, checkpoint
from kgen.training import rollback
from kgen.training import train as training
from tests.helpers.small_dcgan import SMALL, train

FINAL = "checkpoints/000020"


@pytest.fixture
def diverges(monkeypatch):
    """Makes the discriminator's loss NaN from step 8 on while its rates are above a share of the recipe's."""

    def plant(above):
        trainers = []
        build_trainer, turn = BaseTrainer.__init__, gan.GAN.discriminator_turn

        def note(self, *arguments):
            build_trainer(self, *arguments)
            trainers.append(self)

        def spoilt(self, real):
            now = trainers[-1]
            bad = (now.step.value >= 7) & (now.rate_factor.value > above)
            return {name: value * tf.where(bad, math.nan, 1.0) for name, value in turn(self, real).items()}

        monkeypatch.setattr(BaseTrainer, "__init__", note)
        monkeypatch.setattr(gan.GAN, "discriminator_turn", spoilt)

    return plant


def state(run):
    return checkpoint.read(run / FINAL)


def same(one, other):
    return one.keys() == other.keys() and all((one[key] == other[key]).all() for key in one)


@pytest.mark.slow
def test_a_rollback_equals_a_run_whose_rates_were_halved_at_the_checkpoint(tmp_path, diverges, capsys):
    plain = train(tmp_path / "plain", steps=5)
    for player in plain.trainer.game.players.values():
        player.optimizer.learning_rate = float(player.optimizer.learning_rate.numpy()) / 2
    by_hand = played(plain.trainer, 5, 20)
    diverges(above=0.5)
    found = train(tmp_path / "rolled", on_nan="rollback")
    assert found.finished and found.step == 20
    rolled = state(found.run)
    assert float(rolled.pop("trainer/005.factor")) == 0.5
    by_hand.pop("trainer/005.factor")
    logged = {"trainer/001.summed", "trainer/002.sums"}  # no line of the log was written by hand
    assert same(
        {k: v for k, v in rolled.items() if k not in logged}, {k: v for k, v in by_hand.items() if k not in logged}
    )
    (line,) = map(json.loads, (found.run / rollback.FILE).read_text().splitlines())
    assert line == {"step": 5, "rate_factor": 0.5, "reason": "discriminator_loss was not a finite number at step 8"}
    assert "step 8: back to step 5, at 0.5 of the learning rates." in capsys.readouterr().err


def played(trainer, start, stop):
    """Returns the state of a trainer after it has played on without callbacks."""
    data = build.load(training.recipes.find("dcgan"))
    steps = pipeline.training_steps(
        data, batch_size=SMALL["batch_size"], batches=1, seed=0, start=start, stop=stop, labelled=False
    )
    trainer.compile()
    trainer.fit(steps, epochs=1, shuffle=False, verbose=0)
    return {key: variable.numpy() for key, variable in checkpoint.variables(trainer).items()}


@pytest.mark.slow
def test_a_resumed_run_keeps_its_lower_rates(tmp_path, diverges):
    diverges(above=0.25)
    whole = train(tmp_path / "whole", on_nan="rollback")
    first = train(tmp_path / "parts", on_nan="rollback", steps=12)
    train(tmp_path / "parts", resume=first.run)
    assert same(state(whole.run), state(first.run))
    assert [json.loads(line)["rate_factor"] for line in (whole.run / rollback.FILE).read_text().splitlines()] == [
        0.5,
        0.25,
    ]


@pytest.mark.slow
def test_without_a_checkpoint_it_begins_again(tmp_path, diverges):
    diverges(above=0.5)
    found = train(tmp_path, on_nan="rollback", checkpoint_every=20)
    assert json.loads((found.run / rollback.FILE).read_text())["step"] == 0
    assert found.finished


@pytest.mark.slow
def test_the_number_of_rollbacks_is_bounded(tmp_path, diverges):
    diverges(above=0.0)
    with pytest.raises(Diverged, match="Rates were halved 5 times, which did not help"):
        train(tmp_path, on_nan="rollback")
    (run,) = (tmp_path / "runs").iterdir()
    assert len((run / rollback.FILE).read_text().splitlines()) == rollback.MOST
    assert checkpoint.steps(run / "checkpoints") == [5]


@pytest.mark.slow
def test_by_default_it_stops(tmp_path, diverges):
    diverges(above=0.5)
    with pytest.raises(Diverged, match="--on-nan rollback"):
        train(tmp_path)
