"""Adversarial losses against their formulas and TensorFlow GAN, at extreme logits too."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.losses import adversarial as adversarial_losses
from kgen.losses.adversarial import LOSSES, AdversarialLoss
from tests.helpers.tfgan import tensorflow_gan

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


@pytest.mark.parametrize("name", LOSSES)
def test_objective_equals_the_formula(name):
    discriminator, generator = by_hand(name)
    np.testing.assert_allclose(LOSSES[name].discriminator(REAL, FAKE), discriminator, rtol=1e-6)
    np.testing.assert_allclose(LOSSES[name].generator(FAKE), generator, rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_objective_equals_tensorflow_gan(name):
    discriminator, generator = by_tfgan(name)
    np.testing.assert_allclose(LOSSES[name].discriminator(REAL, FAKE), discriminator, rtol=1e-6)
    np.testing.assert_allclose(LOSSES[name].generator(FAKE), generator, rtol=1e-6)


# One logit each, real 2 and fake -1: (discriminator, generator).
NUMBERS = {
    "minimax": (0.12692801 + 0.31326169, -0.31326169),
    "non_saturating": (0.12692801 + 0.31326169, 1.31326169),
    "least_squares": (0.5 + 0.5, 2.0),
    "wasserstein": (-3.0, 1.0),
    "hinge": (0.0, 1.0),
}


def test_numbers_cover_the_registry():
    assert NUMBERS.keys() == SCORES.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", LOSSES)
def test_objective_numbers(name):
    objective = LOSSES[name]
    pair = float(objective.discriminator(np.array([2.0]), np.array([-1.0]))), float(objective.generator([-1.0]))
    np.testing.assert_allclose(pair, NUMBERS[name], rtol=1e-6, atol=1e-7)


# Of the logits 0, 2, -1.
SCORES = {
    "minimax": [0.5, 0.88079708, 0.26894142],
    "non_saturating": [0.5, 0.88079708, 0.26894142],
    "least_squares": [0.0, 2.0, -1.0],
    "wasserstein": None,
    "hinge": [0.5, 1.5, 0.0],
}


@pytest.mark.parametrize("name", LOSSES)
def test_score_numbers(name):
    score = LOSSES[name].score
    if SCORES[name] is None:
        assert score is None
    else:
        value = score(tf.constant([[0.0], [2.0], [-1.0]], tf.bfloat16))
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, np.transpose([SCORES[name]]), rtol=1e-6)


def test_an_objective_needs_no_score():
    assert (
        AdversarialLoss(adversarial_losses.wasserstein_critic, adversarial_losses.wasserstein_generator).score is None
    )


@pytest.mark.parametrize("target", [0.9, 0.6, 1.0])
def test_smoothed_discriminator_equals_the_formula(target):
    d_real, d_fake = sigmoid(REAL), sigmoid(FAKE)
    on_real = -target * np.log(d_real) - (1 - target) * np.log(1 - d_real)
    expected = on_real.mean() - np.log(1 - d_fake).mean()
    np.testing.assert_allclose(adversarial_losses.smoothed_discriminator(REAL, FAKE, target), expected, rtol=1e-6)


def test_smoothed_discriminator_numbers():
    # Real 2, fake -1: softplus(-2) + .1 * 2 + softplus(-1); 0.9 is the default.
    value = adversarial_losses.smoothed_discriminator(np.array([2.0]), np.array([-1.0]))
    np.testing.assert_allclose(value, 0.12692801 + 0.2 + 0.31326169, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2, 0.25])
def test_smoothed_discriminator_equals_tensorflow_gan(smoothing):
    reference = tensorflow_gan().losses.wargs.minimax_discriminator_loss(REAL, FAKE, label_smoothing=smoothing)
    value = adversarial_losses.smoothed_discriminator(REAL, FAKE, target=1 - smoothing / 2)
    np.testing.assert_allclose(value, reference, rtol=1e-6)


def test_smoothed_discriminator_aims_at_the_target():
    real = tf.constant([math.log(0.9 / 0.1)])
    with tf.GradientTape() as tape:
        tape.watch(real)
        loss = adversarial_losses.smoothed_discriminator(real, [-1e4])
    np.testing.assert_allclose(loss, -0.9 * math.log(0.9) - 0.1 * math.log(0.1), rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, real), [0.0], atol=1e-7)


def test_smoothed_discriminator_of_extreme_and_of_bfloat16_logits():
    assert float(adversarial_losses.smoothed_discriminator([1e4], [-1e4])) == pytest.approx(1e3, rel=1e-6)
    assert float(adversarial_losses.smoothed_discriminator([-1e4], [1e4])) == pytest.approx(9e3 + 1e4, rel=1e-6)
    logits = tf.fill((4096, 1), tf.constant(1.0078125, tf.bfloat16))
    value, exact = adversarial_losses.smoothed_discriminator(logits, logits), np.float32([1.0078125])
    assert value.dtype == "float32"
    np.testing.assert_allclose(value, adversarial_losses.smoothed_discriminator(exact, exact), rtol=1e-5)


@pytest.mark.parametrize("target", [-0.1, 1.1])
def test_smoothed_discriminator_refuses_a_target_that_is_no_probability(target):
    with pytest.raises(ValueError, match=rf"in \[0, 1\]. Received: target={target}"):
        adversarial_losses.smoothed_discriminator(REAL, FAKE, target)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_extreme_logits_have_finite_losses_and_gradients(name, size):
    real, fake = tf.constant([size]), tf.constant([-size])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        d, g = LOSSES[name].discriminator(real, fake), LOSSES[name].generator(fake)
    slopes = [*tape.gradient(d, [real, fake]), tape.gradient(g, fake)]
    assert np.isfinite([float(d), float(g), *(float(slope[0]) for slope in slopes)]).all()


def test_extreme_logits_are_linear_not_clipped():
    assert float(adversarial_losses.minimax_discriminator([-1e4], [1e4])) == 2e4
    assert float(adversarial_losses.non_saturating_generator([-1e4])) == 1e4
    assert float(adversarial_losses.minimax_generator([1e4])) == -1e4


@pytest.mark.parametrize("name", LOSSES)
def test_bfloat16_logits_give_float32_losses(name):
    # The mean of 4096 logits of 1.0078125 (exact in bfloat16) is lost if any sum is kept in bfloat16.
    logits = tf.fill((4096, 1), tf.constant(1.0078125, tf.bfloat16))
    objective = LOSSES[name]
    exact = np.full((1,), 1.0078125, np.float32)
    for value, expected in (
        (objective.discriminator(logits, logits), objective.discriminator(exact, exact)),
        (objective.generator(logits), objective.generator(exact)),
    ):
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_generator_gradients_agree_with_the_derivative():
    """d/dl -log sigmoid(l) = sigmoid(l) - 1; d/dl log(1 - sigmoid(l)) = -sigmoid(l)."""
    fake = keras.ops.convert_to_tensor(FAKE)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        non_saturating, minimax = (
            adversarial_losses.non_saturating_generator(fake),
            adversarial_losses.minimax_generator(fake),
        )
    np.testing.assert_allclose(tape.gradient(non_saturating, fake), (sigmoid(FAKE) - 1) / 4, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(minimax, fake), -sigmoid(FAKE) / 4, rtol=1e-5)
