"""Decayed Adam's updates against the formula, its warm-up and its end."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.optimizers import DecayedAdam


def by_hand(gradients, rate, beta_1, beta_2, epsilon, end, warmup=1):
    """All weights after each update, in float64; Kingma and Ba 2015, arXiv:1412.6980, end of section 2."""
    weights, weight, mean, square = [], 1.0, 0.0, 0.0
    for t, gradient in enumerate(gradients):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        correction = np.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
        weight -= (
            rate * min(1.0, (t + 1) / warmup) * max(0.0, 1 - t / end) * correction * mean / (np.sqrt(square) + epsilon)
        )
        weights.append(weight)
    return weights


def updated(optimizer, gradients, jit_compile=None):
    weight = keras.Variable(1.0)
    optimizer.build([weight])

    def update(gradient):
        optimizer.apply([gradient], [weight])

    if jit_compile is not None:
        update = tf.function(update, jit_compile=jit_compile)
    weights = []
    for gradient in gradients:
        update(keras.ops.convert_to_tensor(gradient, "float32"))
        weights.append(float(weight.numpy()))
    return weights


GRADIENTS = np.random.default_rng(0).normal(size=10)


@pytest.mark.parametrize("jit_compile", [None, False, True])
@pytest.mark.parametrize("beta_1, beta_2, epsilon", [(0.5, 0.99, 1e-8), (0.0, 0.9, 0.1)])
def test_the_updates_are_those_of_the_formula(beta_1, beta_2, epsilon, jit_compile):
    weights = updated(DecayedAdam(0.1, beta_1, beta_2, epsilon, end=8), GRADIENTS, jit_compile)
    np.testing.assert_allclose(weights, by_hand(GRADIENTS, 0.1, beta_1, beta_2, epsilon, 8), rtol=1e-5)
    assert weights[7] != weights[6] and weights[7] == weights[8] == weights[9]  # the rate is 0 from update 8 on


@pytest.mark.parametrize("jit_compile", [None, False, True])
def test_the_rate_rises_over_the_warm_up(jit_compile):
    weights = updated(DecayedAdam(0.1, 0.5, 0.99, 1e-8, end=8, warmup=4), GRADIENTS, jit_compile)
    np.testing.assert_allclose(weights, by_hand(GRADIENTS, 0.1, 0.5, 0.99, 1e-8, 8, 4), rtol=1e-5)
    optimizer = DecayedAdam(0.1, end=8, warmup=4)
    assert DecayedAdam.from_config(optimizer.get_config()).warmup == 4


def test_far_from_the_end_it_is_adam():
    plain = updated(keras.optimizers.Adam(0.1, 0.5, 0.99, 1e-8), GRADIENTS)
    np.testing.assert_allclose(updated(DecayedAdam(0.1, 0.5, 0.99, end=10**9), GRADIENTS), plain, rtol=1e-6)


def test_the_initial_rate_may_be_assigned():
    optimizer = DecayedAdam(0.1, 0.5, 0.99, end=8)
    optimizer.learning_rate = 0.3
    np.testing.assert_allclose(updated(optimizer, GRADIENTS), by_hand(GRADIENTS, 0.3, 0.5, 0.99, 1e-8, 8), rtol=1e-5)
    assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.3)


def test_refuses_an_end_before_the_first_update():
    with pytest.raises(ValueError, match="`end` must be at least 1. Received: end=0"):
        DecayedAdam(end=0)


def test_config_round_trip():
    one = DecayedAdam(0.2, 0.1, 0.8, end=10, amsgrad=True, clipnorm=2.0)
    config = one.get_config()
    assert (config["end"], config["epsilon"], config["beta_1"], config["beta_2"]) == (10, 1e-8, 0.1, 0.8)
    assert DecayedAdam.from_config(config).get_config() == config
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(one))
    assert isinstance(copy, DecayedAdam) and copy.get_config() == config
