"""InfoGAN on linear networks: what both players are paid for, by SciPy; the networks of table 1; Q as a classifier."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_expit, log_softmax, softmax
from scipy.stats import norm

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.priors import Uniform
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.losses.adversarial import LOSSES
from kgen.models import infogan
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, generator, judge, judged, painted, player
from tests.helpers.recipes import pictures, shrink

DISCRETE, CONTINUOUS = 0.7, 0.3


def game(continuous):
    """Returns a game whose z has two numbers, of which the last ones are continuous codes."""
    return infogan.InfoGAN(
        player(generator(3)),
        player(judge(1, 3, continuous)),
        loss=LOSSES["non_saturating"],
        prior=Uniform(2),
        image_range=images.SYMMETRIC,
        classes=("a", "b", "c"),
        discrete_weight=DISCRETE,
        continuous_weight=CONTINUOUS,
    )


def missing(made, seed):
    """Returns new images, -E[log Q] of their discrete codes, and of their continuous ones without its constant."""
    with Rng(seed):
        codes, z = made.some_labels(len(REAL)).numpy(), made.prior.draw(len(REAL)).numpy()
    assert len(set(codes)) > 1
    fake, continuous = painted(made.generator, z, codes), made.discriminator.outputs[2].shape[1]
    discrete = -log_softmax(judged(made.discriminator, fake, head=1), axis=1)[np.arange(len(codes)), codes].mean()
    likelihoods = norm.logpdf(z[:, 2 - continuous :], judged(made.discriminator, fake, head=2)).sum(axis=1)
    return fake, discrete, -likelihoods.mean() + continuous * norm.logpdf(0)


@pytest.mark.parametrize("continuous", [1, 2])
def test_both_players_are_paid_for_the_information_in_the_image(continuous):
    """Equation 6: V(D, G) - lambda L_I(G, Q), with the non-saturating V."""
    made = game(continuous)
    with Rng(3):
        found = made.discriminator_turn(tf.constant(REAL))
    fake, discrete, normal = missing(made, 3)
    real_logits, fake_logits = (judged(made.discriminator, seen) for seen in (REAL, fake))
    told = DISCRETE * discrete + CONTINUOUS * normal
    expected = -log_expit(real_logits).mean() - log_expit(-fake_logits).mean() + told
    assert float(found["discriminator"]) == pytest.approx(expected, rel=1e-5)
    assert float(found["information"]) == pytest.approx(np.log(3) - discrete, rel=1e-5)
    assert float(found["continuous_error"]) == pytest.approx(2 * normal / continuous, rel=1e-5)
    assert set(found) - {"discriminator"} == set(made.reports)
    with Rng(3):
        paid = made.generator_turn(tf.constant(REAL))
    assert list(paid) == ["generator"]
    assert float(paid["generator"]) == pytest.approx(told - log_expit(fake_logits).mean(), rel=1e-5)


def test_the_networks_are_those_of_table_1():
    """Each layer's weights by hand: dense layers and convolutions, 4 numbers a channel of batch norm, biases."""
    made = recipes.find("infogan").game(pictures(size=28))
    dense = (62 + 10 + 2) * 1024 + 4 * 1024 + 1024 * 7 * 7 * 128 + 4 * 7 * 7 * 128
    assert made.generator.count_params() == dense + 4 * 4 * 128 * 64 + 4 * 64 + 4 * 4 * 64 + 1
    trunk = 4 * 4 * 64 + 64 + 4 * 4 * 64 * 128 + 4 * 128 + 7 * 7 * 128 * 1024 + 4 * 1024
    heads = (1024 + 1) + (1024 * 128 + 4 * 128) + (128 + 1) * (10 + 2)
    assert made.discriminator.count_params() == trunk + heads


@pytest.mark.parametrize("size", [28, 32])
def test_sizes_and_channels(size):
    made = shrink(recipes.find("infogan")).game(pictures(size=size, channels=3))
    shown = made.generator([tf.zeros((2, made.prior.size)), tf.constant([1, 9])])
    assert shown.shape == (2, size, size, 3)
    assert [tuple(head.shape) for head in made.discriminator(shown)] == [(2, 1), (2, 10), (2, 2)]


def test_no_labels_are_seen_and_the_codes_are_the_classes():
    made = shrink(recipes.find("infogan")).game(pictures()._replace(labels=None, classes=()))
    assert not made.labelled and made.classes == tuple(f"code {number}" for number in range(10))
    np.testing.assert_array_equal(made.labels(20), np.repeat(np.arange(10), 2))


def test_q_is_served_as_a_classifier():
    made, seen = game(1), np.uint8(np.rint((REAL + 1) * 127.5))
    expected = softmax(judged(made.discriminator, seen / 127.5 - 1, head=1), axis=1)
    np.testing.assert_allclose(loading.of_game(made).classifier.probabilities(seen), expected, rtol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.1


def test_a_walk_moves_one_code():
    latent = np.linspace(0, 1, 6)
    walked = infogan.walk(latent, -1, steps=5)
    np.testing.assert_allclose(walked[:, -1], [-2, -1, 0, 1, 2])
    np.testing.assert_allclose(walked[:, :-1], np.tile(latent[:-1], (5, 1)), rtol=1e-6)
    assert walked.dtype == np.float32


def test_the_recipe_is_the_papers():
    own = recipes.find("infogan")
    assert (own.noise_dim, own.codes, own.continuous, own.width, own.units) == (62, 10, 2, 64, 1024)
    assert (own.generator_learning_rate, own.discriminator_learning_rate, own.beta1) == (1e-3, 2e-4, 0.5)
    players = shrink(own).game(pictures()).players
    rates = {name: float(player.optimizer.learning_rate) for name, player in players.items()}
    assert rates == pytest.approx({"generator": 1e-3, "discriminator": 2e-4})


@pytest.mark.parametrize(
    "name, value",
    [("codes", 1), ("codes", 257), ("continuous", 0), ("discrete_weight", -1.0), ("generator_learning_rate", 0.0)],
)
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        dataclasses.replace(recipes.find("infogan"), **{name: value})
