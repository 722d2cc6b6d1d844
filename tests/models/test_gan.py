"""Algorithm 1 of Goodfellow et al. on linear networks: its two losses, and what is reported, by NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_expit

from kgen import images
from kgen.core.priors import Normal
from kgen.losses.adversarial import LOSSES, AdversarialLoss
from kgen.models.gan import GAN
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, generator, judge, judged, painted, player


def game(loss="non_saturating", **rules):
    loss = LOSSES[loss] if isinstance(loss, str) else loss
    players = player(generator()), player(judge())
    return GAN(*players, loss=loss, prior=Normal(2), image_range=images.SYMMETRIC, **rules)


def logits_by_hand(made, seed):
    """Returns the logits of the real images, and of as many generated ones."""
    with Rng(seed):
        fake = painted(made.generator, made.prior.draw(len(REAL)))
    return judged(made.discriminator, REAL), judged(made.discriminator, fake)


def test_the_discriminator_is_paid_for_both_kinds_of_images():
    made = game()
    with Rng(3):
        found = made.discriminator_turn(tf.constant(REAL))
    real, fake = logits_by_hand(made, 3)
    assert list(found) == ["discriminator", "real_score", "fake_score"]
    assert float(found["discriminator"]) == pytest.approx(-log_expit(real).mean() - log_expit(-fake).mean(), rel=1e-5)
    assert float(found["real_score"]) == pytest.approx(expit(real).mean(), rel=1e-5)
    assert float(found["fake_score"]) == pytest.approx(expit(fake).mean(), rel=1e-5)


@pytest.mark.parametrize(
    "loss, expected",
    [("non_saturating", lambda fake: -log_expit(fake).mean()), ("minimax", lambda fake: log_expit(-fake).mean())],
)
def test_the_generator_is_paid_for_what_passes_for_real(loss, expected):
    made = game(loss)
    with Rng(4):
        found = made.generator_turn(tf.constant(REAL))
    assert list(found) == ["generator"]
    assert float(found["generator"]) == pytest.approx(expected(logits_by_hand(made, 4)[1]), rel=1e-5)


def test_a_loss_of_pairs_sees_both_logits():
    paired = AdversarialLoss(None, lambda real, fake: tf.reduce_mean(fake - 2 * real), paired=True)
    made = game(paired)
    with Rng(5):
        found = made.generator_turn(tf.constant(REAL))
    real, fake = logits_by_hand(made, 5)
    assert float(found["generator"]) == pytest.approx((fake - 2 * real).mean(), rel=1e-5)


def test_r1_of_a_linear_discriminator_is_half_its_squared_weights():
    made = game(r1=0.5)
    with Rng(3):
        found = made.discriminator_turn(tf.constant(REAL))
    real, fake = logits_by_hand(made, 3)
    penalty = np.square(made.discriminator.get_weights()[0]).sum() / 2
    plain = -log_expit(real).mean() - log_expit(-fake).mean()
    assert float(found["r1"]) == pytest.approx(penalty, rel=1e-5)
    assert float(found["discriminator"]) == pytest.approx(plain + 0.5 * penalty, rel=1e-5)
