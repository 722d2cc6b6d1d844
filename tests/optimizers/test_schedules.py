"""Schedules against their formulas, by themselves and as the rate of an optimizer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.optimizers import ExponentialDecay, LinearDecay, MomentumRampSGD, RMSprop

WRAPS = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}


def rates(schedule, steps, wrap):
    call = wrap(lambda step: schedule(step))
    return [float(call(tf.constant(step, "int32"))) for step in steps]


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_linear_decay_rises_and_falls_to_0(wrap):
    found = rates(LinearDecay(0.1, end=8, warmup=4), range(11), wrap)
    by_hand = [0.1 / 4, 0.1 / 2 * 7 / 8, 0.1 * 3 / 4 * 6 / 8, 0.1 * 5 / 8, 0.05, 0.0375, 0.025, 0.0125, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)
    assert found[8:] == [0, 0, 0]


@pytest.mark.parametrize("warmup", [0, 1])
def test_without_a_warm_up_it_is_keras_s_polynomial_decay(warmup):
    steps = [0, 1, 499, 999, 1000, 5000]
    keras_s = keras.optimizers.schedules.PolynomialDecay(2e-4, 1000, end_learning_rate=0.0)
    found = rates(LinearDecay(2e-4, end=1000, warmup=warmup), steps, WRAPS["eager"])
    np.testing.assert_allclose(found, rates(keras_s, steps, WRAPS["eager"]), rtol=1e-5)


def test_refuses_an_end_before_the_first_update():
    with pytest.raises(ValueError, match="`end` must be at least 1. Received: end=0"):
        LinearDecay(0.1, end=0)


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_an_exponential_decay_is_right_after_a_million_updates(wrap):
    steps = [0, 1, 1000, 125_000, 1_000_000, 10_000_000]
    found = rates(ExponentialDecay(0.1), steps, wrap)
    np.testing.assert_allclose(found, [max(0.1 / 1.000004**step, 1e-6) for step in steps], rtol=1e-5)
    assert found[-1] == np.float32(1e-6)


def test_keras_s_exponential_decay_would_be_wrong():
    """The reason that ours is there: 1 / 1.000004 is no float32."""
    keras_s = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=1 / 1.000004)
    assert abs(float(keras_s(1_000_000)) / (0.1 / 1.000004**1_000_000) - 1) > 5e-3


def adams(gradients, rates, beta_1, beta_2, epsilon):
    """All weights after each update, in float64; Kingma and Ba 2015, arXiv:1412.6980, end of section 2."""
    weights, weight, mean, square = [], 1.0, 0.0, 0.0
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True)):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        correction = np.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
        weight -= rate * correction * mean / (np.sqrt(square) + epsilon)
        weights.append(weight)
    return weights


def weights_after_each(optimizer, gradients, wrap):
    weight = keras.Variable(1.0)
    optimizer.build([weight])
    update = wrap(lambda gradient: optimizer.apply([gradient], [weight]))
    weights = []
    for gradient in gradients:
        update(keras.ops.convert_to_tensor(gradient, "float32"))
        weights.append(float(weight.numpy()))
    return weights


GRADIENTS = np.random.default_rng(0).normal(size=10)


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("beta_1, beta_2, epsilon", [(0.5, 0.99, 1e-8), (0.0, 0.9, 0.1)])
def test_adam_moves_by_the_rate_of_its_own_update(beta_1, beta_2, epsilon, wrap):
    adam = keras.optimizers.Adam(LinearDecay(0.1, end=8, warmup=4), beta_1, beta_2, epsilon)
    weights = weights_after_each(adam, GRADIENTS, wrap)
    falling = [0.1 * min(1, (t + 1) / 4) * max(0, 1 - t / 8) for t in range(10)]
    np.testing.assert_allclose(weights, adams(GRADIENTS, falling, beta_1, beta_2, epsilon), rtol=1e-5)
    assert weights[7] != weights[6] and weights[7] == weights[8] == weights[9]  # the rate is 0 from update 8 on


@pytest.mark.parametrize("schedule", [LinearDecay(0.2, end=10, warmup=3), ExponentialDecay(0.2, 1.01, 1e-3)])
@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, MomentumRampSGD, RMSprop])
def test_config_round_trip(optimizer, schedule):
    one = optimizer(schedule)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(one))
    assert type(copy) is optimizer and copy.get_config() == one.get_config()
    assert float(copy.learning_rate) == float(schedule(0))
