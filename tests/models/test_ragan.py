"""RaSGAN: its pair of losses and a turn of each player by NumPy, its networks and numbers."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_expit

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.priors import Normal
from kgen.errors import UsageError
from kgen.models import ragan
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, generator, judge, judged, painted, player
from tests.helpers.recipes import pictures, shrink

LOGITS = np.array([[1.5], [0.25], [-2.0]]), np.array([[0.5], [-1.0], [3.0]])


def by_hand(first, second):
    """Returns -E[log s(C(x) - E C(y))] - E[log(1 - s(C(y) - E C(x)))] of logits x, y."""
    return -log_expit(first - second.mean()).mean() - log_expit(first.mean() - second).mean()


def test_the_losses_are_the_papers():
    real, fake = LOGITS
    assert float(ragan.LOSS.discriminator(real, fake)) == pytest.approx(by_hand(real, fake), rel=1e-6)
    assert float(ragan.LOSS.generator_loss(real, fake)) == pytest.approx(by_hand(fake, real), rel=1e-6)
    assert by_hand(real, fake) != pytest.approx(by_hand(fake, real), rel=0.1)


def test_only_differences_count():
    """A constant on all logits changes nothing, and equal logits cost 2 log 2 on both sides."""
    real, fake = LOGITS
    for loss in (ragan.LOSS.discriminator, ragan.LOSS.generator):
        assert float(loss(real + 7, fake + 7)) == pytest.approx(float(loss(real, fake)), rel=1e-5)
        assert float(loss(np.ones((4, 1)), np.ones((4, 1)))) == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize("size", [-500.0, 500.0])
def test_losses_and_gradients_are_finite_for_logits_of_any_size(size):
    real = tf.Variable([[size], [-size / 2]])
    with tf.GradientTape() as tape:
        loss = ragan.LOSS.discriminator(real, tf.constant([[-size], [size]]))
    assert np.isfinite(float(loss)) and np.isfinite(tape.gradient(loss, real)).all()


def test_both_players_compare_real_and_generated_images():
    made = ragan.RaGAN(player(generator()), player(judge()), ragan.LOSS, Normal(2), images.SYMMETRIC)
    real = judged(made.discriminator, REAL)
    with Rng(3):
        fake = judged(made.discriminator, painted(made.generator, made.prior.draw(len(REAL))))
    for turn, expected in ((made.discriminator_turn, by_hand(real, fake)), (made.generator_turn, by_hand(fake, real))):
        with Rng(3):
            found = turn(tf.constant(REAL))
        loss = found["discriminator" if turn == made.discriminator_turn else "generator"]
        assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_the_generator_learns_from_the_real_images_too():
    """Its gradient changes with the real images, whose logits are not its own."""
    gradients = []
    for real in LOGITS[0], LOGITS[0] + 1:
        fake = tf.Variable(LOGITS[1])
        with tf.GradientTape() as tape:
            loss = ragan.LOSS.generator_loss(real, fake)
        gradients.append(tape.gradient(loss, fake).numpy())
    assert np.abs(gradients[0] - gradients[1]).max() > 0.01


def test_balance_compares_the_losses_as_they_are():
    rule = shrink(recipes.find("ragan"), balance=0.5).game(pictures()).update_rule
    assert rule.shares == {"discriminator": 1.0, "generator": 1.0}


def test_the_recipe_is_the_authors():
    own = recipes.find("ragan")
    assert (own.latent_dim, own.width, own.batch_size, own.discriminator_steps) == (128, 64, 32, 1)
    adam = own.adam()
    assert (float(adam.learning_rate), adam.beta_1, adam.beta_2) == (pytest.approx(2e-4), 0.5, 0.999)
    found = shrink(own).game(pictures())
    kinds = [{type(layer).__name__ for layer in net.layers} for net in (found.generator, found.discriminator)]
    assert "BatchNorm" in kinds[0] and "BatchNorm" not in kinds[1] and "SpectralNorm" in kinds[1]


@pytest.mark.parametrize("name, value", [("width", 0), ("latent_dim", 0), ("learning_rate", 0.0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        dataclasses.replace(recipes.find("ragan"), **{name: value})
