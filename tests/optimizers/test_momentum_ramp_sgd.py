"""The updates of gradient descent with a growing momentum against the formula."""

import keras
import numpy as np
import pytest

from kgen.optimizers import ExponentialDecay, MomentumRampSGD


def by_hand(gradients, rate, decay, floor, first, final, start, end):
    weight, velocity = 1.0, 0.0
    for t, gradient in enumerate(gradients):
        momentum = first + min(max((t - start) / (end - start), 0), 1) * (final - first)
        velocity = momentum * velocity - max(rate / decay**t, floor) * gradient
        weight += velocity
    return weight


@pytest.mark.parametrize("floor", [1e-6, 0.08])
def test_the_updates_are_those_of_the_formula(floor):
    gradients = np.random.default_rng(0).normal(size=12)
    rate = ExponentialDecay(0.1, decay=1.05, floor=floor)
    optimizer = MomentumRampSGD(rate, momentum=0.5, final_momentum=0.7, start=2, end=8)
    weight = keras.Variable(1.0)
    optimizer.build([weight])
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weight])
    expected = by_hand(gradients, 0.1, 1.05, floor, 0.5, 0.7, 2, 8)
    assert float(weight.numpy()) == pytest.approx(expected, rel=1e-5)


def test_the_rate_may_be_a_number_that_is_assigned():
    optimizer, weight = MomentumRampSGD(0.1, end=10), keras.Variable(1.0)
    optimizer.build([weight])
    optimizer.learning_rate = 0.3
    optimizer.apply([keras.ops.ones(())], [weight])
    assert float(weight.numpy()) == pytest.approx(1 - 0.3)


def test_config_round_trip():
    one = MomentumRampSGD(0.2, final_momentum=0.9, start=1, end=10)
    assert MomentumRampSGD.from_config(one.get_config()).get_config() == one.get_config()
