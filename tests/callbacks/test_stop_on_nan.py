"""Training stops at a loss or a gradient that is no number, and says which and when."""

import dataclasses
import math
import re

import pytest
import tensorflow as tf

from kgen import callbacks
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import Diverged
from kgen.models import gan
from kgen.runs import checkpoint
from kgen.training import train as training
from tests.helpers import processes
from tests.helpers.small_dcgan import train


def test_an_infinite_gradient_under_a_finite_loss_is_named(tmp_path, monkeypatch):
    steps = []
    original = BaseTrainer.__init__

    def keep(self, *arguments):
        original(self, *arguments)
        steps.append(self.step)

    def generator_turn(self, real):
        fake = self.sample(real.shape[0])
        late = tf.cast(steps[0].value >= 9, tf.float32)
        bad = tf.sqrt(late * 0.0 * tf.reduce_sum(fake) + (1 - late))  # in round 10 sqrt(0), whose gradient is infinite
        return {"generator": self.loss.generator(self.discriminate(fake)) + bad}

    monkeypatch.setattr(BaseTrainer, "__init__", keep)
    monkeypatch.setattr(gan.GAN, "generator_turn", generator_turn)
    with pytest.raises(Diverged, match=r"^generator_gradient_norm was not a finite number at step 10;"):
        train(tmp_path, steps=20, checkpoint_every=5, sample_every=20)
    assert checkpoint.steps(processes.run_of(tmp_path) / "checkpoints") == [5]


def spoil(monkeypatch, player, step):
    """Makes the loss of one player NaN in one step."""
    turn, clock = getattr(gan.GAN, f"{player}_turn"), tf.Variable(0)

    def spoilt(self, real):
        values = turn(self, real)
        return {**values, player: values[player] + tf.where(clock.assign_add(1) == step, math.nan, 0.0)}

    monkeypatch.setattr(gan.GAN, f"{player}_turn", spoilt)


@pytest.mark.parametrize(
    "player, step, at_once, kept",
    [
        ("discriminator", 10, 1, [5]),
        ("generator", 3, 1, []),
        ("discriminator", 12, 5, [5, 10]),
    ],
)
def test_a_loss_that_is_no_number_is_named_with_its_step(player, step, at_once, kept, tmp_path, monkeypatch):
    spoil(monkeypatch, player, step)
    with pytest.raises(Diverged, match=rf"^{player}_loss was not a finite number at step {step};"):
        train(tmp_path, steps_per_execution=at_once)
    (run,) = (tmp_path / "runs").iterdir()
    assert checkpoint.steps(run / "checkpoints") == kept
    assert not (tmp_path / "exports").exists() or not list((tmp_path / "exports").rglob("saved_model.pb"))


def test_of_losses_that_fail_in_one_step_the_first_to_be_computed_is_named(tmp_path, monkeypatch):
    """A NaN in the discriminator's gradient is one of the generator's, whose turn comes after."""
    turn, clock = gan.GAN.discriminator_turn, tf.Variable(0)

    def spoilt(self, real):
        factor = tf.where(clock.assign_add(1) == 7, math.nan, 1.0)
        return {name: value * factor for name, value in turn(self, real).items()}

    monkeypatch.setattr(gan.GAN, "discriminator_turn", spoilt)
    told = r"^discriminator_loss was not a finite number at step 7; the first of \d+ weights .* is discriminator/"
    with pytest.raises(Diverged, match=told):
        train(tmp_path)


@pytest.mark.slow
def test_a_learning_rate_that_explodes(tmp_path, monkeypatch):
    arguments = [*processes.GAN, "--learning-rate", "1e18"]
    process = processes.fork(*arguments, cwd=tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 3
    name, step = re.search(r"train\.py: (\w+) was not a finite number at step (\d+);", errors).groups()
    assert "Traceback" not in errors
    monkeypatch.setattr(
        callbacks.StopOnNaN, "at", lambda self, step: None
    )  # the truth: let it run on, and read the log
    monkeypatch.setattr(callbacks.Samples, "at", lambda self, step: None)
    found = recipes.from_json((processes.run_of(tmp_path) / "recipe.json").read_text())
    found = dataclasses.replace(found, log_every=1, steps=int(step) + 2)
    monkeypatch.setattr(checkpoint, "save", lambda *_: None)
    monkeypatch.setattr(training.saved_model, "export", lambda *_, **__: tmp_path)
    monkeypatch.setattr(training.interpolation, "save_walk", lambda *_: None)
    lines = processes.log(training.train(found, tmp_path / "unguarded").run)
    first = next(line for line in lines if not all(map(math.isfinite, line.values())))
    assert first["step"] == int(step) and not math.isfinite(first[name])
