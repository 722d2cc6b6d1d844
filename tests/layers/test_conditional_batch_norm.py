"""Conditional batch norm against NumPy: in training, at inference, and its gradient by differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import ConditionalBatchNorm

SHAPES = {"images": (6, 4, 5, 3), "vectors": (12, 3)}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def inputs(shape):
    """Returns images whose channels have different means, and a gain and a bias for each image and channel."""
    random = np.random.default_rng(0)
    x = random.normal(size=shape) * [0.5, 2.0, 3.0] + [1.0, -2.0, 0.0]
    return x, random.normal(size=(shape[0], 3)), random.normal(size=(shape[0], 3))


def by_hand(x, gain, bias, mean, variance):
    each = [slice(None)] + [None] * (x.ndim - 2)
    return gain[tuple(each)] * (x - mean) / np.sqrt(variance + 1e-5) + bias[tuple(each)]


@shapes
def test_training_equals_numpy(shape):
    x, gain, bias = inputs(shape)
    layer = ConditionalBatchNorm(momentum=0.8)
    y = layer(*map(np.float32, (x, gain, bias)), training=True)
    values = x.reshape(-1, 3)
    mean, variance = values.mean(axis=0), values.var(axis=0)
    np.testing.assert_allclose(y, by_hand(x, gain, bias, mean, variance), rtol=1e-4, atol=1e-5)
    moving_mean, moving_variance = layer.get_weights()
    np.testing.assert_allclose(moving_mean, 0.2 * mean, rtol=1e-4)
    unbiased = variance * len(values) / (len(values) - 1)
    np.testing.assert_allclose(moving_variance, 0.8 + 0.2 * unbiased, rtol=1e-4)


@shapes
def test_inference_takes_the_moving_statistics(shape):
    x, gain, bias = inputs(shape)
    layer = ConditionalBatchNorm()
    layer.build(shape, gain.shape, bias.shape)
    statistics = [np.float32([0.5, -1.0, 0.2]), np.float32([0.6, 3.0, 8.0])]
    layer.set_weights(statistics)
    y = layer(*map(np.float32, (x, gain, bias)))
    np.testing.assert_allclose(y, by_hand(x, gain, bias, *statistics), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.get_weights(), statistics)


def test_gradients_reach_gain_and_bias_of_each_image():
    x, gain, bias = (tf.constant(np.float32(value)) for value in inputs((6, 4, 5, 3)))
    layer, factors = ConditionalBatchNorm(), np.random.default_rng(1).normal(size=(6, 4, 5, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch((gain, bias))
        loss = tf.reduce_sum(factors * layer(x, gain, bias, training=True))
    of_gain, of_bias = tape.gradient(loss, (gain, bias))
    normalised = by_hand(x.numpy(), np.ones((6, 3)), np.zeros((6, 3)), *[
        each.numpy() for each in tf.nn.moments(x, (0, 1, 2))
    ])  # fmt: skip
    np.testing.assert_allclose(of_gain, (factors * normalised).sum(axis=(1, 2)), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(of_bias, factors.sum(axis=(1, 2)), rtol=1e-3, atol=1e-4)


def test_it_has_no_weights_that_learn_and_survives_its_configuration():
    x, gain, bias = (keras.Input(shape) for shape in ((4, 4, 3), (3,), (3,)))
    model = keras.Model([x, gain, bias], ConditionalBatchNorm(momentum=0.7, epsilon=1e-3)(x, gain, bias))
    assert model.trainable_variables == [] and model.output_shape == (None, 4, 4, 3)
    copy = keras.Model.from_config(model.get_config()).layers[-1]
    assert (copy.norm.momentum, copy.norm.epsilon) == (0.7, 1e-3)
