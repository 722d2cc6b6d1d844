"""Images normalised to mean zero and one norm against loops, and restored."""

import numpy as np
import pytest
import tensorflow as tf

from kgen.augmentation import contrast
from kgen.images import Range, to_unit


def batch(shape=(5, 4, 6, 3), seed=0):
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


def by_loops(images, scale):
    """Each image as a row of a matrix, as in pylearn2's design matrices, in float64."""
    results = [], [], []
    for image in np.float64(images):
        row = image.ravel()
        mean = row.sum() / row.size
        norm = np.sqrt(((row - mean) ** 2).sum())
        for result, value in zip(results, ((image - mean) / (norm / scale), mean, norm), strict=True):
            result.append(value)
    return [np.array(result) for result in results]


@pytest.mark.parametrize("scale", [55.0, 1.0])
@pytest.mark.parametrize("wrap", [np.asarray, tf.constant], ids=["array", "tensor"])
def test_normalise_equals_loops(scale, wrap):
    images = batch()
    values = contrast.normalise(wrap(images), scale)
    normalised, mean, norm = by_loops(images, scale)
    for value, expected in zip(values, (normalised, mean.reshape(5, 1, 1, 1), norm.reshape(5, 1, 1, 1)), strict=True):
        assert value.shape == expected.shape and value.dtype == "float32"
        assert isinstance(value, np.ndarray) == (wrap is np.asarray)
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6 * scale)


def test_numbers():
    """Mean .5, norm sqrt(4 * .25) = 1."""
    normalised, mean, norm = contrast.normalise(np.float32([0, 1, 1, 0]).reshape(1, 2, 2, 1))
    np.testing.assert_array_equal(normalised.ravel(), [-27.5, 27.5, 27.5, -27.5])
    assert mean.item() == 0.5 and norm.item() == 1.0


@pytest.mark.parametrize("scale", [55.0, 1.0])
def test_every_image_gets_mean_zero_and_the_norm(scale):
    normalised = np.float64(contrast.normalise(batch(), scale)[0])
    np.testing.assert_allclose(normalised.mean(axis=(1, 2, 3)), 0, atol=1e-6 * scale)
    np.testing.assert_allclose(np.linalg.norm(normalised.reshape(5, -1), axis=1), scale, rtol=1e-5)


@pytest.mark.parametrize("scale", [55.0, 1.0])
@pytest.mark.parametrize("wrap", [np.asarray, tf.constant], ids=["array", "tensor"])
def test_round_trip(scale, wrap):
    images = np.concatenate([batch(), np.full((1, 4, 6, 3), 0.7, np.float32), 1e-4 * batch(seed=1) + np.float32(0.9)])
    restored = contrast.restore(*contrast.normalise(wrap(images), scale), scale)
    assert restored.dtype == "float32" and isinstance(restored, np.ndarray) == (wrap is np.asarray)
    np.testing.assert_allclose(restored, images, rtol=0, atol=2.0**-22)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_graph_and_xla_equal_eager(jit_compile):
    graph = tf.function(contrast.normalise, jit_compile=jit_compile)
    for value, eager in zip(graph(tf.constant(batch())), contrast.normalise(tf.constant(batch())), strict=True):
        np.testing.assert_allclose(value, eager, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 0.7, 1.0])
def test_flat_images_are_near_zero_with_norm_one(level):
    """The mean of 3072 equal numbers is rounded, by more than 1e-8 in all: that is no contrast."""
    flat = np.full((2, 32, 32, 3), level, np.float32)
    normalised, mean, norm = contrast.normalise(np.concatenate([flat, batch((1, 32, 32, 3))]))
    np.testing.assert_allclose(normalised[:2], 0, atol=1e-9)
    np.testing.assert_allclose(mean[:2].ravel(), level, rtol=1e-6)
    np.testing.assert_array_equal(norm[:2].ravel(), 1)
    assert norm[2] > 10


def test_the_faintest_image_of_bytes_is_normalised():
    images = np.full((1, 32, 32, 3), 100 / 255, np.float32)
    images[0, 3, 4, 1] = 101 / 255
    normalised = contrast.normalise(images)[0]
    np.testing.assert_allclose(normalised, by_loops(images, 55.0)[0], rtol=1e-4, atol=1e-4)
    assert normalised.max() > 54


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_gradients(jit_compile):
    """Of an image with contrast as by differences, of a flat one `scale (w - mean w)` and finite."""
    images = np.concatenate([batch((1, 4, 6, 3)), np.full((1, 4, 6, 3), 0.3, np.float32)])
    weights, direction = batch(images.shape, 1), batch(images.shape, 2)

    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(weights * contrast.normalise(x)[0])
        return tape.gradient(loss, x)

    slope = gradient(tf.constant(images)).numpy()
    step = 1e-5
    ahead, behind = (by_loops(np.float64(images[:1]) + s * step * direction[:1], 55.0)[0] for s in (1, -1))
    difference = (weights[0] * (ahead - behind)).sum() / (2 * step)
    np.testing.assert_allclose((slope * direction)[0].sum(), difference, rtol=1e-3)
    np.testing.assert_allclose(slope[1], 55 * (weights[1] - weights[1].mean()), atol=1e-4)


def test_bfloat16_is_computed_in_float32():
    images = tf.cast(batch(), tf.bfloat16)
    for value, exact in zip(contrast.normalise(images), contrast.normalise(tf.cast(images, tf.float32)), strict=True):
        assert value.dtype == "float32"
        np.testing.assert_array_equal(value, exact)


def test_restore_with_numbers_of_another_image():
    """What a generator makes has no mean and norm of its own: those of a set may serve."""
    np.testing.assert_allclose(
        contrast.restore(np.float32([[[[-27.5, 11.0]]]]), 0.5, 2.0), [[[[-0.5, 0.9]]]], rtol=1e-6
    )


# 2,300 images take three blocks, the last one shorter.
@pytest.mark.parametrize("count", [1, 2300])
@pytest.mark.parametrize("scale", [55.0, 1.0])
def test_display_range_equals_loops(count, scale):
    rng = np.random.default_rng(0)
    images = (rng.uniform(0, 256, (count, 5, 4, 3)) * rng.uniform(0.2, 1, (count, 1, 1, 1))).astype(np.uint8)
    _, mean, norm = by_loops(images / 255, 1.0)
    m, s = mean.mean(), norm.mean()
    shown = contrast.display_range(images, scale)
    assert isinstance(shown, Range) and isinstance(shown.low, float)
    np.testing.assert_allclose(shown, [-m * scale / s, (1 - m) * scale / s], rtol=1e-12)
    # The middle image is shown as it is.
    middle = contrast.restore(np.array([shown.low, shown.high]), m, s, scale)
    np.testing.assert_allclose(middle, [0, 1], atol=1e-12)


def test_display_range_shows_an_image_of_middle_brightness_and_norm():
    image = np.uint8([[0, 255], [51, 204]]).reshape(1, 2, 2, 1)
    normalised, _, _ = contrast.normalise(np.float32(image) / 255)
    np.testing.assert_allclose(to_unit(normalised, contrast.display_range(image)), image / 255, atol=1e-6)


def test_flat_images_count_as_norm_zero_in_the_display_range():
    images = np.uint8([[0, 255], [255, 255]]).reshape(2, 1, 2, 1)  # norms sqrt(.5) and 0, means .5 and 1
    s = 0.5**0.5 / 2
    np.testing.assert_allclose(contrast.display_range(images), [-0.75 * 55 / s, 0.25 * 55 / s], rtol=1e-12)


def test_refusals():
    with pytest.raises(ValueError, match="floating point. Received: uint8"):
        contrast.normalise(np.zeros((1, 2, 2, 1), np.uint8))
    with pytest.raises(ValueError, match="must be uint8, at least one. Received: 1 of float32"):
        contrast.display_range(np.zeros((1, 2, 2, 1), np.float32))
    with pytest.raises(ValueError, match="must be uint8, at least one. Received: 0 of uint8"):
        contrast.display_range(np.zeros((0, 2, 2, 1), np.uint8))
    with pytest.raises(ValueError, match="must not all be flat. Received: 3 images"):
        contrast.display_range(np.full((3, 2, 2, 1), 7, np.uint8))
