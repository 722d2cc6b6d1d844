import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from tfgan import tensorflow_gan

from kgen import losses
from kgen.losses import OBJECTIVES

REAL = np.array([[1.5], [-0.5], [0.0], [3.0]], np.float32)
FAKE = np.array([[-2.0], [0.5], [1.0], [0.25]], np.float32)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def by_hand(name):
    """Both losses from the papers' formulas on probabilities, in float64."""
    real, fake, d_real, d_fake = REAL.astype(np.float64), FAKE.astype(np.float64), sigmoid(REAL), sigmoid(FAKE)
    cross_entropy = -np.log(d_real).mean() - np.log(1 - d_fake).mean()
    return {
        "minimax": (cross_entropy, np.log(1 - d_fake).mean()),
        "non_saturating": (cross_entropy, -np.log(d_fake).mean()),
        "least_squares": (((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2, ((fake - 1) ** 2).mean() / 2),
        "wasserstein": (fake.mean() - real.mean(), -fake.mean()),
        "hinge": (np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(), -fake.mean()),
    }[name]


def by_tfgan(name):
    """Both losses by TensorFlow-GAN, whose hidden label smoothing of 0.25 is off."""
    reference = tensorflow_gan().losses.wargs
    plain = {"label_smoothing": 0.0}
    minimax = reference.minimax_discriminator_loss(REAL, FAKE, **plain)
    real_term = math.log1p(math.exp(-1))  # its generator's loss carries the real term too, of logits set to 1
    functions = {
        "minimax": lambda: (minimax, reference.minimax_generator_loss(FAKE, **plain) + real_term),
        "non_saturating": lambda: (minimax, reference.modified_generator_loss(FAKE, **plain)),
        "least_squares": lambda: (
            reference.least_squares_discriminator_loss(REAL, FAKE),
            reference.least_squares_generator_loss(FAKE),
        ),
        "wasserstein": lambda: (
            reference.wasserstein_discriminator_loss(REAL, FAKE),
            reference.wasserstein_generator_loss(FAKE),
        ),
        "hinge": lambda: (
            reference.wasserstein_hinge_discriminator_loss(REAL, FAKE),
            reference.wasserstein_hinge_generator_loss(FAKE),
        ),
    }
    return functions[name]()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objective_equals_the_formula(name):
    discriminator, generator = by_hand(name)
    np.testing.assert_allclose(OBJECTIVES[name].discriminator(REAL, FAKE), discriminator, rtol=1e-6)
    np.testing.assert_allclose(OBJECTIVES[name].generator(FAKE), generator, rtol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objective_equals_tensorflow_gan(name):
    discriminator, generator = by_tfgan(name)
    np.testing.assert_allclose(OBJECTIVES[name].discriminator(REAL, FAKE), discriminator, rtol=1e-6)
    np.testing.assert_allclose(OBJECTIVES[name].generator(FAKE), generator, rtol=1e-6)


# One logit each, real 2 and fake -1: (discriminator, generator).
NUMBERS = {
    "minimax": (0.12692801 + 0.31326169, -0.31326169),
    "non_saturating": (0.12692801 + 0.31326169, 1.31326169),
    "least_squares": (0.5 + 0.5, 2.0),
    "wasserstein": (-3.0, 1.0),
    "hinge": (0.0, 1.0),
}


def test_numbers_cover_the_registry():
    assert NUMBERS.keys() == OBJECTIVES.keys()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objective_numbers(name):
    objective = OBJECTIVES[name]
    pair = float(objective.discriminator(np.array([2.0]), np.array([-1.0]))), float(objective.generator([-1.0]))
    np.testing.assert_allclose(pair, NUMBERS[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits_have_finite_losses_and_gradients(name, size):
    real, fake = tf.constant([size]), tf.constant([-size])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d, g = OBJECTIVES[name].discriminator(real, fake), OBJECTIVES[name].generator(fake)
    slopes = [*tape.gradient(d, [real, fake]), tape.gradient(g, fake)]
    assert np.isfinite([float(d), float(g), *(float(slope[0]) for slope in slopes)]).all()


def test_extreme_logits_are_linear_not_clipped():
    assert float(losses.minimax_discriminator([-1e4], [1e4])) == 2e4
    assert float(losses.non_saturating_generator([-1e4])) == 1e4
    assert float(losses.minimax_generator([1e4])) == -1e4


@pytest.mark.parametrize("name", OBJECTIVES)
def test_bfloat16_logits_give_float32_losses(name):
    # The mean of 4096 logits of 1.0078125 (exact in bfloat16) is lost if any sum is kept in bfloat16.
    logits = tf.fill((4096, 1), tf.constant(1.0078125, tf.bfloat16))
    objective = OBJECTIVES[name]
    exact = np.full((1,), 1.0078125, np.float32)
    for value, expected in (
        (objective.discriminator(logits, logits), objective.discriminator(exact, exact)),
        (objective.generator(logits), objective.generator(exact)),
    ):
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, expected, rtol=1e-5)


TARGET = np.array([[0.0, 1.0], [0.25, 0.5]], np.float32)
OTHER = np.array([[1.0, -2.0], [0.25, 3.0]], np.float32)


def test_squared_error():
    np.testing.assert_allclose(losses.squared_error_per_image(TARGET, OTHER), [1.0 + 9.0, 0.0 + 6.25], rtol=1e-6)
    np.testing.assert_allclose(losses.squared_error(TARGET, OTHER), 16.25 / 4, rtol=1e-6)


def test_binary_cross_entropy():
    p = sigmoid(OTHER)
    expected = -TARGET * np.log(p) - (1 - TARGET) * np.log(1 - p)
    np.testing.assert_allclose(losses.binary_cross_entropy_per_image(TARGET, OTHER), expected.sum(1), rtol=1e-6)
    np.testing.assert_allclose(losses.binary_cross_entropy(TARGET, OTHER), expected.mean(), rtol=1e-6)


def test_binary_cross_entropy_of_extreme_logits():
    target, logits = np.float32([[0.0, 1.0, 1.0, 0.5]]), np.float32([[1e4, -1e4, 1e4, 1e4]])
    np.testing.assert_allclose(losses.binary_cross_entropy(target, logits), (1e4 + 1e4 + 0 + 5e3) / 4, rtol=1e-6)
    # log(1 + exp(-20)), which softplus(20) - 20 would round to 0.
    np.testing.assert_allclose(losses.binary_cross_entropy([[1.0]], [[20.0]]), 2.0611536e-9, rtol=1e-5)


def test_per_image_sums_over_every_axis_but_the_first():
    images = np.ones((3, 4, 5, 2), np.float32)
    np.testing.assert_allclose(losses.squared_error_per_image(images, 3 * images), [160.0] * 3)
    np.testing.assert_allclose(losses.binary_cross_entropy_per_image(images, 0 * images), [40 * math.log(2)] * 3, 1e-6)
    np.testing.assert_allclose(losses.kl_to_standard_normal(images, 0 * images), [20.0] * 3)


def test_kl_against_numerical_integration():
    mean, log_variance = 0.7, -1.3
    x = np.linspace(-12, 12, 200_001)
    log_q = -((x - mean) ** 2) / (2 * math.exp(log_variance)) - 0.5 * (log_variance + math.log(2 * math.pi))
    log_p = -(x**2) / 2 - 0.5 * math.log(2 * math.pi)
    expected = np.sum(np.exp(log_q) * (log_q - log_p)) * (x[1] - x[0])
    value = losses.kl_to_standard_normal([[mean, mean], [0.0, 0.0]], [[log_variance, log_variance], [0.0, 0.0]])
    np.testing.assert_allclose(value, [2 * expected, 0.0], rtol=1e-5)


def test_kl_near_the_prior_is_not_rounded_away():
    # 1/2 (e^s - 1 - s) = s^2 / 4 for small s; exp(s) - 1 in float32 would be off several times over.
    np.testing.assert_allclose(losses.kl_to_standard_normal([[0.0]], [[1e-4]]), [2.5e-9], rtol=1e-2)


@pytest.mark.parametrize(
    "function",
    [
        losses.squared_error,
        losses.squared_error_per_image,
        losses.binary_cross_entropy,
        losses.binary_cross_entropy_per_image,
        losses.kl_to_standard_normal,
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
        return losses.squared_error_per_image(target, other)

    np.testing.assert_allclose(loss(TARGET, OTHER), [10.0, 6.25])


def test_generator_gradients_agree_with_the_derivative():
    """d/dl -log sigmoid(l) = sigmoid(l) - 1; d/dl log(1 - sigmoid(l)) = -sigmoid(l)."""
    fake = keras.ops.convert_to_tensor(FAKE)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        non_saturating, minimax = losses.non_saturating_generator(fake), losses.minimax_generator(fake)
    np.testing.assert_allclose(tape.gradient(non_saturating, fake), (sigmoid(FAKE) - 1) / 4, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(minimax, fake), -sigmoid(FAKE) / 4, rtol=1e-5)
