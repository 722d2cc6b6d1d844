"""Ways to double a map against Pillow and by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen.layers import UPSAMPLINGS


def model(name, shape=(4, 6, 3), filters=5, kernel_size=4, **kwargs):
    x = keras.Input(shape)
    return keras.Model(x, UPSAMPLINGS[name](x, filters, kernel_size, **kwargs))


def test_names():
    assert set(UPSAMPLINGS) == {"transposed", "nearest", "bilinear"}


@pytest.mark.parametrize("name", UPSAMPLINGS)
@pytest.mark.parametrize("kernel_size", [1, 3, 4, 5])
def test_doubles_height_and_width(name, kernel_size):
    doubled = model(name, kernel_size=kernel_size)
    assert doubled.output_shape == (None, 8, 12, 5)
    assert doubled(np.zeros((2, 4, 6, 3), np.float32)).shape == (2, 8, 12, 5)


@pytest.mark.parametrize("name", UPSAMPLINGS)
def test_parameter_counts(name):
    assert model(name).count_params() == 4 * 4 * 3 * 5 + 5
    assert model(name, use_bias=False).count_params() == 4 * 4 * 3 * 5


@pytest.mark.parametrize("name", UPSAMPLINGS)
def test_arguments_reach_the_convolution(name):
    ones = model(name, kernel_initializer="zeros", bias_initializer="ones", activation="softplus")
    np.testing.assert_allclose(ones(np.ones((1, 4, 6, 3), np.float32)), np.log1p(np.e), rtol=1e-6)


def identity(name, x):
    """The upsampling alone: a kernel of one pixel that passes the channel on."""
    return np.asarray(model(name, x.shape[1:], 1, 1, kernel_initializer="ones")(x))


def test_nearest_repeats():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 1)).astype(np.float32)
    np.testing.assert_array_equal(identity("nearest", x), x.repeat(2, axis=1).repeat(2, axis=2))


def test_bilinear_has_half_pixel_centres():
    x = np.float32([[0, 4], [8, 20]])[None, :, :, None]
    # Each new pixel lies 1/4 from the nearest old centre; aligned corners would give thirds.
    rows = np.float32([[0, 4], [2, 8], [6, 16], [8, 20]])
    expected = np.stack([rows @ weights for weights in ([1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1])], axis=1)
    np.testing.assert_allclose(identity("bilinear", x)[0, :, :, 0], expected, rtol=1e-6)


def test_bilinear_equals_pillow():
    x = np.random.default_rng(0).normal(size=(1, 5, 7, 1)).astype(np.float32)
    expected = np.asarray(Image.fromarray(x[0, :, :, 0]).resize((14, 10), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(identity("bilinear", x)[0, :, :, 0], expected, atol=1e-6)


def test_transposed_spreads_one_pixel_over_the_kernel():
    x = np.zeros((1, 4, 4, 1), np.float32)
    x[0, 1, 2, 0] = 1
    spread = model("transposed", (4, 4, 1), 1, 4, use_bias=False)
    kernel = spread.layers[-1].kernel.numpy()[:, :, 0, 0]
    expected = np.zeros((8, 8), np.float32)
    expected[1:5, 3:7] = kernel  # stride 2, padding 1
    np.testing.assert_allclose(np.asarray(spread(x))[0, :, :, 0], expected, atol=1e-7)


@pytest.mark.parametrize("name", UPSAMPLINGS)
def test_gradients_under_xla_equal_eager(name):
    double = model(name)
    x = tf.random.stateless_normal((2, 4, 6, 3), seed=(0, 0))

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(double(x)))
        return tape.gradient(loss, x)

    np.testing.assert_allclose(tf.function(gradient, jit_compile=True)(x), gradient(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", UPSAMPLINGS)
def test_bfloat16(name):
    assert model(name, dtype="mixed_bfloat16")(np.zeros((2, 4, 6, 3), np.float32)).dtype == tf.bfloat16
