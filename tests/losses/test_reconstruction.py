"""Errors of reconstructions by hand, KL divergences against numerical integration."""

import math

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kgen.losses.reconstruction import (
    binary_cross_entropy,
    binary_cross_entropy_per_image,
    kl_to_standard_normal,
    optimal_gaussian_per_image,
    squared_error,
    squared_error_per_image,
)

TARGET = np.array([[0.0, 1.0], [0.25, 0.5]], np.float32)
OTHER = np.array([[1.0, -2.0], [0.25, 3.0]], np.float32)


def test_squared_error():
    np.testing.assert_allclose(squared_error_per_image(TARGET, OTHER), [1.0 + 9.0, 0.0 + 6.25], rtol=1e-6)
    np.testing.assert_allclose(squared_error(TARGET, OTHER), 16.25 / 4, rtol=1e-6)


def test_binary_cross_entropy():
    p = 1 / (1 + np.exp(-OTHER.astype(np.float64)))
    expected = -TARGET * np.log(p) - (1 - TARGET) * np.log(1 - p)
    np.testing.assert_allclose(binary_cross_entropy_per_image(TARGET, OTHER), expected.sum(1), rtol=1e-6)
    np.testing.assert_allclose(binary_cross_entropy(TARGET, OTHER), expected.mean(), rtol=1e-6)


def test_binary_cross_entropy_of_extreme_logits():
    target, logits = np.float32([[0.0, 1.0, 1.0, 0.5]]), np.float32([[1e4, -1e4, 1e4, 1e4]])
    np.testing.assert_allclose(binary_cross_entropy(target, logits), (1e4 + 1e4 + 0 + 5e3) / 4, rtol=1e-6)
    # log(1 + exp(-20)), which softplus(20) - 20 would round to 0.
    np.testing.assert_allclose(binary_cross_entropy([[1.0]], [[20.0]]), 2.0611536e-9, rtol=1e-5)


def test_per_image_sums_over_every_axis_but_the_first():
    images = np.ones((3, 4, 5, 2), np.float32)
    np.testing.assert_allclose(squared_error_per_image(images, 3 * images), [160.0] * 3)
    np.testing.assert_allclose(binary_cross_entropy_per_image(images, 0 * images), [40 * math.log(2)] * 3, 1e-6)
    np.testing.assert_allclose(kl_to_standard_normal(images, 0 * images), [20.0] * 3)


def test_kl_against_numerical_integration():
    mean, log_variance = 0.7, -1.3
    x = np.linspace(-12, 12, 200_001)
    log_q = -((x - mean) ** 2) / (2 * math.exp(log_variance)) - 0.5 * (log_variance + math.log(2 * math.pi))
    log_p = -(x**2) / 2 - 0.5 * math.log(2 * math.pi)
    expected = np.sum(np.exp(log_q) * (log_q - log_p)) * (x[1] - x[0])
    value = kl_to_standard_normal([[mean, mean], [0.0, 0.0]], [[log_variance, log_variance], [0.0, 0.0]])
    np.testing.assert_allclose(value, [2 * expected, 0.0], rtol=1e-5)


def test_kl_of_any_log_variance_is_finite_and_so_is_its_gradient():
    for log_variance in (-1e30, -100.0, 89.0, 1e30):
        value = tf.Variable([[log_variance]])
        with tf.GradientTape() as tape:
            found = kl_to_standard_normal(tf.zeros((1, 1)), value)
        assert np.isfinite(found).all() and np.isfinite(tape.gradient(found, value)).all()


def test_a_gaussian_of_the_best_variance_beats_its_neighbours():
    """The likelihood at another variance, by SciPy, is less; the gradient is that of d/2 log of the squared error."""
    random = np.random.default_rng(0)
    x, made = random.random((5, 4, 4, 1)), random.random((5, 4, 4, 1))
    best = float(np.mean(optimal_gaussian_per_image(np.float32(x), np.float32(made))))
    deviation = np.sqrt(np.mean((x - made) ** 2))
    others = [-scipy.stats.norm.logpdf(x, made, k * deviation).sum() / 5 for k in (0.9, 1.0, 1.1)]
    assert best == pytest.approx(others[1], rel=1e-5) and min(others) == others[1]
    images = tf.Variable(np.float32(made))
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(optimal_gaussian_per_image(tf.constant(x, tf.float32), images))
        log = 8 * tf.math.log(tf.reduce_mean((tf.constant(x, tf.float32) - images) ** 2))  # d = 16
    np.testing.assert_allclose(tape.gradient(loss, images), tape.gradient(log, images), rtol=1e-3, atol=1e-6)


def test_kl_near_the_prior_is_not_rounded_away():
    # 1/2 (e^s - 1 - s) = s^2 / 4 for small s; exp(s) - 1 in float32 would be off several times over.
    np.testing.assert_allclose(kl_to_standard_normal([[0.0]], [[1e-4]]), [2.5e-9], rtol=1e-2)


@pytest.mark.parametrize(
    "function",
    [
        squared_error,
        squared_error_per_image,
        binary_cross_entropy,
        binary_cross_entropy_per_image,
        optimal_gaussian_per_image,
        kl_to_standard_normal,
    ],
)
def test_shapes_that_would_broadcast_are_refused(function):
    with pytest.raises(ValueError, match=r"same shape. Received: \(4, 1\) and \(4,\)"):
        function(np.zeros((4, 1), np.float32), np.zeros(4, np.float32))
    with pytest.raises(ValueError, match="same shape"):
        function(np.zeros((4, 3), np.float32), np.zeros((1, 3), np.float32))


def test_losses_of_a_batch_of_unknown_size():
    @tf.function(input_signature=[tf.TensorSpec((None, 2)), tf.TensorSpec((None, 2))])
    def loss(target, other):
        return squared_error_per_image(target, other)

    np.testing.assert_allclose(loss(TARGET, OTHER), [10.0, 6.25])
