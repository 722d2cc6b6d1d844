"""Maxout against NumPy, and its gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import Maxout


def test_numbers():
    x = np.float32([[1, 5, 2, -3, -1, -2]])
    np.testing.assert_array_equal(Maxout(3)(x), [[5, -1]])
    np.testing.assert_array_equal(Maxout(2)(x), [[5, 2, -1]])
    np.testing.assert_array_equal(Maxout(1)(x), x)


@pytest.mark.parametrize("linear, shape", [(keras.layers.Dense(12), (5,)), (keras.layers.Conv2D(12, 3), (6, 5, 2))])
def test_after_a_linear_layer_equals_numpy(linear, shape):
    model = keras.Sequential([keras.Input(shape), linear, Maxout(4)])
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    pre = np.asarray(linear(x))
    expected = np.stack([pre[..., 4 * i : 4 * i + 4].max(-1) for i in range(3)], axis=-1)
    assert model.output_shape == (None, *expected.shape[1:])
    np.testing.assert_array_equal(model(x), expected)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_goes_to_the_largest_piece(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(Maxout(2)(x) * tf.constant([10.0, 20.0]))
        return tape.gradient(y, x)

    np.testing.assert_array_equal(gradient(tf.constant([[1.0, 2.0, 4.0, 3.0]])), [[0, 10, 20, 0]])


def test_refuses_a_number_of_channels_that_is_no_multiple():
    with pytest.raises(ValueError, match="multiple of pieces=5. Received: 12 channels"):
        keras.Sequential([keras.Input((12,)), Maxout(5)])
    with pytest.raises(ValueError, match="multiple of pieces=5. Received: 12 channels"):
        Maxout(5)(np.zeros((2, 12), np.float32))
    with pytest.raises(ValueError, match="`pieces` must be at least 1"):
        Maxout(0)


def test_config_round_trip():
    model = keras.Sequential([keras.Input((12,)), Maxout(3)])
    copy = keras.Sequential.from_config(model.get_config())
    assert copy.layers[0].pieces == 3 and copy.output_shape == (None, 4)
