"""Dropout by the dice of the run: share, scale, independence, and the mask as gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import Dropout
from kgen.rng import Rng


def dropped(seed, rate=0.3, shape=(200, 50), wrap=lambda function: function):
    def roll():
        with Rng(seed):
            return Dropout(rate)(tf.ones(shape), training=True)

    return wrap(roll)().numpy()


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.75])
def test_rate_and_scale(rate):
    y = dropped(1, rate)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)
    # 10,000 units: 5 standard deviations.
    np.testing.assert_allclose((y == 0).mean(), rate, atol=5 * (rate * (1 - rate) / 10_000) ** 0.5)


def test_units_are_dropped_independently():
    zero = dropped(1, 0.5) == 0
    for axis in (0, 1):  # 500 or so standard deviations away if one mask were shared along an axis
        np.testing.assert_allclose(zero.mean(axis=axis), 0.5, atol=0.4)
        assert zero.mean(axis=axis).std() > 0


def test_equal_dice_drop_the_same_and_others_do_not():
    np.testing.assert_array_equal(dropped(1), dropped(1))
    assert (dropped(1) != dropped(2)).mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.03)


def test_two_draws_of_the_same_dice_differ():
    layer = Dropout(0.3)
    with Rng(1):
        first, second = layer(tf.ones((200, 50)), training=True), layer(tf.ones((200, 50)), training=True)
    assert np.mean(first != second) == pytest.approx(2 * 0.3 * 0.7, abs=0.03)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_and_xla_equal_eager(jit_compile):
    compiled = dropped(1, wrap=lambda function: tf.function(function, jit_compile=jit_compile))
    np.testing.assert_array_equal(compiled, dropped(1))


def test_gradient_is_the_mask():
    x = tf.random.stateless_normal((20, 5), seed=(0, 0))
    with Rng(1), tf.GradientTape() as tape:
        tape.watch(x)
        y = Dropout(0.5)(x, training=True)
    gradient = tape.gradient(y, x)
    np.testing.assert_array_equal(gradient, np.where(y == 0, 0.0, 2.0))
    assert set(np.unique(gradient)) == {0.0, 2.0}


def test_dropped_nan_does_not_spread():
    with Rng(1):
        y = Dropout(0.5)(tf.fill((1000,), np.nan), training=True)
    assert 0.4 < np.mean(y == 0) < 0.6


def test_identity_at_inference_and_at_rate_zero_without_dice():
    x = tf.random.stateless_normal((4, 3), seed=(0, 0))
    np.testing.assert_array_equal(Dropout(0.5)(x), x)
    np.testing.assert_array_equal(Dropout(0.5)(x, training=False), x)
    np.testing.assert_array_equal(Dropout(0.0)(x, training=True), x)


def test_training_without_dice_raises():
    with pytest.raises(RuntimeError, match="inside `with Rng"):
        Dropout(0.5)(tf.ones((2, 2)), training=True)


def test_functional_models_are_built_without_dice():
    x = keras.Input((4, 4, 2))
    y = keras.layers.Dense(3)(Dropout(0.5)(x, training=True))
    model = keras.Model(x, y)
    sequence = keras.Sequential([keras.Input((8,)), Dropout(0.5), keras.layers.Dense(2)])
    assert model.output_shape == (None, 4, 4, 3) and sequence.output_shape == (None, 2)
    with Rng(1):
        in_training = [sequence(tf.ones((4, 8)), training=True) for _ in range(2)]
    assert np.abs(in_training[0] - in_training[1]).max() > 0


def test_bfloat16():
    with Rng(1):
        y = Dropout(0.2, dtype="mixed_bfloat16")(tf.ones((100, 10)), training=True)
    assert y.dtype == tf.bfloat16
    assert set(np.unique(tf.cast(y, tf.float32))) == {0.0, 1.25}


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_refuses_other_rates(rate):
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\)"):
        Dropout(rate)


def test_config_round_trip():
    assert Dropout.from_config(Dropout(0.25, name="d").get_config()).rate == 0.25
