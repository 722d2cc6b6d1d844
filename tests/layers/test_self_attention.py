"""Self-attention against NumPy, position by position; where it starts; its configuration."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import SelfAttention


def attended(x, f, g, h, v, gamma):
    """Returns the layer's output by loops over positions, equations 1 to 3 of Zhang et al. 2019."""
    y = np.empty_like(x)
    for image, out in zip(x.reshape(len(x), -1, x.shape[-1]), y.reshape(len(x), -1, x.shape[-1]), strict=True):
        for j, at in enumerate(image):
            scores = np.array([(each @ f) @ (at @ g) for each in image])
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            out[j] = gamma * (sum(weight * (each @ h) for weight, each in zip(weights, image, strict=True)) @ v) + at
    return y


def filled(shape, gamma):
    """Returns a layer with random matrices, power iterations done, and the matrices divided by their largest values."""
    layer, random = SelfAttention(), np.random.default_rng(0)
    layer.build(shape)
    matrices = []
    for matrix in (layer.f, layer.g, layer.h, layer.v):
        kernel = random.normal(size=matrix.layer.kernel.shape)
        matrix.layer.kernel.assign(kernel)
        matrices.append(kernel / np.linalg.norm(kernel, 2))
    layer.gamma.assign(gamma)
    power_iteration = tf.function(lambda: layer(tf.zeros((1, *shape[1:])), training=True))
    for _ in range(200):
        power_iteration()
    return layer, matrices


@pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "graph", "xla"])
def test_output_equals_numpy(jit_compile):
    layer, matrices = filled((None, 3, 4, 16), 0.7)
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 16)).astype(np.float32) * 3
    call = layer if jit_compile is None else tf.function(layer, jit_compile=jit_compile)
    expected = attended(x.astype(np.float64), *matrices, 0.7)
    np.testing.assert_allclose(call(tf.constant(x)), expected, rtol=1e-4, atol=1e-4)
    assert np.abs(expected - x).max() > 0.5


def test_it_starts_as_the_identity_and_gamma_learns():
    layer, x = SelfAttention(), tf.random.stateless_normal((2, 3, 4, 16), (0, 0))
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
        loss = tf.reduce_sum(tf.square(y - 1))
    np.testing.assert_array_equal(y, x)
    assert float(tape.gradient(loss, layer.gamma.value)) != 0


def test_weights_by_hand_and_configuration():
    image = keras.Input((4, 4, 16))
    model = keras.Model(image, SelfAttention(reduction=4)(image))
    assert model.count_params() == 3 * 16 * 4 + 4 * 16 + 1 + (4 + 4 + 4 + 16)  # kernels, gamma, u
    assert len(model.trainable_variables) == 5 and model.output_shape == (None, 4, 4, 16)
    assert keras.Model.from_config(model.get_config()).layers[-1].reduction == 4


@pytest.mark.parametrize("shape", [(2, 16), (2, 4, 16)])
def test_other_inputs_are_refused(shape):
    with pytest.raises(ValueError, match="4 axes"):
        SelfAttention().build(shape)
    with pytest.raises(ValueError, match="at least 1"):
        SelfAttention(reduction=0)
