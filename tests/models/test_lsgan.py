"""LSGAN's pair of losses by hand, and report 004's mixture, whose slope vanishes where the discriminator is sure."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_expit

from kgen.core import recipe as recipes
from kgen.models.lsgan import squashed_generator

REAL, FAKE = np.float32([[1.5], [0.25], [-2.0]]), np.float32([[0.5], [-1.0], [3.0]])


def test_least_squares_by_hand():
    loss = recipes.find("lsgan").adversarial_loss()
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(((0.5**2 + 0.75**2 + 3**2) + (0.5**2 + 1 + 9)) / 6)
    assert float(loss.generator(FAKE)) == pytest.approx((0.5**2 + 2**2 + 2**2) / 6)


def test_report_004s_mixture_by_hand():
    loss = recipes.find("lsgan-report004").adversarial_loss()
    cross_entropy = -log_expit(REAL).mean() - log_expit(-FAKE).mean()
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(cross_entropy, rel=1e-6)
    assert float(loss.generator(FAKE)) == pytest.approx(np.square(expit(FAKE) - 1).mean() / 2, rel=1e-6)


@pytest.mark.parametrize("logit, most", [(-8.0, 1e-3), (-20.0, 1e-8)])
def test_the_mixture_is_flat_where_the_discriminator_is_sure_and_least_squares_are_not(logit, most):
    logits = tf.Variable([[logit]])
    with tf.GradientTape(persistent=True) as tape:
        mixture = squashed_generator(logits)
        squares = recipes.find("lsgan").adversarial_loss().generator(logits)
    assert 0 < abs(float(tape.gradient(mixture, logits)[0, 0])) < most
    assert float(tape.gradient(squares, logits)[0, 0]) == pytest.approx(logit - 1)


def test_the_recipe_is_the_papers():
    own = recipes.find("lsgan")
    assert (own.latent_dim, own.prior, own.learning_rate, own.batch_size) == (1024, "uniform", 1e-3, 64)
    assert own.loss == "least_squares" and not own.sigmoid and recipes.find("lsgan-report004").sigmoid
