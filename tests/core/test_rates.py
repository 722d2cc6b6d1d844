"""Factors on the rates of one player and of all, by hand."""

import keras
import numpy as np
import pytest

from kgen.core import rates
from kgen.core.base_trainer import BaseTrainer
from kgen.optimizers import LinearDecay
from tests.core.test_base_trainer import Tug, number, player, steps


def trainer_of(a, b):
    one, other = player(3.0), player(1.0)
    one.optimizer, other.optimizer = keras.optimizers.SGD(a), keras.optimizers.SGD(b)
    made = BaseTrainer(Tug(a=one, b=other))
    made.compile()
    return made


def moved(trainer, count):
    trainer.fit(steps(count), epochs=1, verbose=0)
    return number(trainer, "a"), number(trainer, "b")


def test_numbers_and_schedules_are_lowered_alike(factor=0.125):
    """The same as a game whose recipe gives these rates; a schedule's clock goes on."""
    lowered = trainer_of(0.1, LinearDecay(0.2, end=8))
    rates.lower(lowered, factor)
    by_hand = trainer_of(0.1 * factor, LinearDecay(0.2 * factor, end=8))
    np.testing.assert_allclose(moved(lowered, 3), moved(by_hand, 3), rtol=1e-6)


def test_one_player_is_scaled_before_training():
    scaled, factor = [keras.optimizers.SGD(0.1), keras.optimizers.SGD(LinearDecay(0.2, end=8))], 0.5
    for optimizer in scaled:
        rates.scale(optimizer, factor)
    one, other = player(3.0), player(1.0)
    one.optimizer, other.optimizer = scaled
    made = BaseTrainer(Tug(a=one, b=other))
    made.compile()
    np.testing.assert_allclose(moved(made, 3), moved(trainer_of(0.05, LinearDecay(0.1, end=8)), 3), rtol=1e-6)


def test_a_factor_replaces_the_one_of_before():
    trainer = trainer_of(0.1, LinearDecay(0.2, end=8))
    rates.lower(trainer, 0.5)
    rates.lower(trainer, 0.25)
    assert float(trainer.game.players["a"].optimizer.learning_rate.numpy()) == pytest.approx(0.025)
    assert float(trainer.game.players["b"].optimizer.learning_rate) == pytest.approx(0.05)


def test_a_schedule_is_lowered_after_it_was_traced():
    trainer = trainer_of(0.1, LinearDecay(0.2, end=100))
    moved(trainer, 1)
    rates.lower(trainer, 0.0)
    before = number(trainer, "b")
    assert moved(trainer, 1)[1] == before
    assert trainer.traces == 1
