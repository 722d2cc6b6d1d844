"""The bound against TensorFlow Probability and a known log p(x), its gradient against equation 14."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from scipy.special import logsumexp
from tensorflow_probability import distributions

from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.models.iwae import binarised, bound
from kgen.rng import Rng
from tests.helpers.recipes import pictures

TINY = {"units": (7, 6), "latent_dim": 3, "samples": 4}
DATA = pictures(5, size=6)
BINARY = np.float32(DATA.images > 127)


def game(seed=0, scale=2, **changes):
    """Returns a small game whose codes differ from the prior and whose pixels differ from grey."""
    keras.utils.set_random_seed(seed)
    made = dataclasses.replace(recipes.find("iwae"), **{**TINY, **changes}).game(DATA)
    made.autoencoder.set_weights([scale * weight for weight in made.autoencoder.get_weights()])
    return made


def by_tfp(made, x, noise):
    """Returns log w_i `(k, batch)` as a ratio of densities."""
    mean, log_variance = (np.float64(value) for value in made.encoder(x))
    posterior = distributions.MultivariateNormalDiag(mean, np.exp(log_variance / 2))
    found = []
    for e in noise:
        z = mean + np.exp(log_variance / 2) * e
        logits = np.float64(made.decoder(np.float32(z)))
        likelihood = distributions.Bernoulli(logits=logits).log_prob(np.float64(x)).numpy().sum(axis=(1, 2, 3))
        prior = scipy.stats.multivariate_normal(np.zeros(z.shape[1])).logpdf(z)
        found.append(likelihood + prior - posterior.log_prob(z).numpy())
    return np.array(found)


@pytest.mark.parametrize("k", [1, 4])
def test_a_turn_gives_the_bound_of_k_draws_and_the_vaes(k):
    made = game(samples=k)
    random = Rng(3)
    random.uniform(BINARY.shape)  # the binarisation's
    noise = np.float64(random.normal((5, k, 3))).transpose(1, 0, 2)
    weights = by_tfp(made, BINARY, noise)
    expected = {"autoencoder": -(logsumexp(weights, axis=0) - np.log(k)).mean(), "elbo": weights.mean()}
    with Rng(3):
        found = {name: float(value) for name, value in made.turn(tf.constant(BINARY)).items()}
    assert found == pytest.approx(expected, rel=1e-4)
    with Rng(3):
        measured = made.measures(tf.constant(BINARY))
    np.testing.assert_allclose(measured["negative_bound"], -(logsumexp(weights, axis=0) - np.log(k)), rtol=1e-4)
    np.testing.assert_allclose(measured["negative_elbo"], -weights.mean(axis=0), rtol=1e-4)
    assert np.ptp(weights) > 1


def test_the_bound_is_the_log_likelihood_where_codes_do_not_matter_and_the_encoder_knows_the_posterior():
    made = game()
    weights = made.decoder.get_weights()
    logits = np.random.default_rng(0).normal(size=36)
    made.decoder.set_weights([*(0 * each for each in weights[:-1]), logits])
    made.encoder.set_weights([0 * each for each in made.encoder.get_weights()])  # the posterior is the prior
    with Rng(0):
        found = made.measures(tf.constant(BINARY))
    expected = scipy.stats.bernoulli(1 / (1 + np.exp(-logits))).logpmf(BINARY.reshape(5, -1)).sum(axis=1)
    np.testing.assert_allclose(-found["negative_bound"], expected, rtol=1e-5)
    np.testing.assert_allclose(-found["negative_elbo"], expected, rtol=1e-5)


def test_more_draws_tighten_the_bound():
    """L_1 <= L_2 <= ... (theorem 1), here of 400 copies of each image."""
    copies = tf.constant(np.repeat(BINARY, 400, axis=0))
    bounds = []
    for k in (1, 2, 8, 32):
        with Rng(k):
            bounds.append(-float(np.mean(game(samples=k).measures(copies)["negative_bound"])))
    assert (np.diff(bounds) > 0.05).all()


def test_the_gradient_weighs_draws_by_their_shares():
    """Equations 13 and 14."""
    made = game()
    variables = made.autoencoder.trainable_variables
    with Rng(1), tf.GradientTape() as tape:
        loss = bound(made.log_weights(tf.constant(BINARY), training=True))
    whole = tape.gradient(loss, variables)
    with Rng(1), tf.GradientTape() as tape:
        weights = made.log_weights(tf.constant(BINARY), training=True)
        shares = tf.stop_gradient(tf.nn.softmax(weights, axis=0))
        loss = tf.reduce_sum(shares * weights)
    for one, other in zip(whole, tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
        assert np.abs(one).max() > 1e-3


def test_pixels_are_white_with_the_probability_of_their_grey():
    grey = np.linspace(0, 1, 5, dtype=np.float32).reshape(1, 5, 1, 1).repeat(20_000, axis=0)
    with Rng(0):
        found = binarised(tf.constant(grey)).numpy()
    assert set(np.unique(found)) == {0.0, 1.0}
    np.testing.assert_allclose(found.mean(axis=0).ravel(), [0, 0.25, 0.5, 0.75, 1], atol=0.015)
    with Rng(1):
        assert (binarised(tf.constant(grey)).numpy() != found).any()


def test_the_networks_and_rates_are_the_papers():
    recipe = dataclasses.replace(recipes.find("iwae"), steps=9_840_000)
    made = recipe.game(pictures(size=28))
    hidden = 200 * 200 + 200
    assert made.encoder.count_params() == 784 * 200 + 200 + hidden + 2 * (200 * 50 + 50)
    assert made.decoder.count_params() == 50 * 200 + 200 + hidden + 200 * 784 + 784
    assert (made.samples, made.prior.size, recipe.batch_size) == (50, 50, 20)
    optimizer, epoch = made.players["autoencoder"].optimizer, 60_000 // 20
    assert (optimizer.epsilon, optimizer.beta_1, optimizer.beta_2) == (1e-4, 0.9, 0.999)
    starts = np.cumsum([0, *(3**i for i in range(8))])  # in epochs
    assert starts[-1] * epoch == 9_840_000
    for i in range(8):
        for step in (starts[i] * epoch + 1, starts[i + 1] * epoch):
            assert float(optimizer._learning_rate(step)) == pytest.approx(1e-3 * 10 ** (-i / 7), rel=1e-5)


def test_a_step_learns():
    made = game(scale=1, samples=3, learning_rate=0.02)
    trainer = BaseTrainer(made, seed=1)
    trainer.compile()
    with Rng(0):
        before = float(np.mean(made.measures(tf.constant(np.repeat(BINARY, 50, axis=0)))["negative_bound"]))
    for _ in range(60):
        trainer.train_step(tf.constant(np.uint8(255 * BINARY))[None])
    with Rng(0):
        after = float(np.mean(made.measures(tf.constant(np.repeat(BINARY, 50, axis=0)))["negative_bound"]))
    assert after < before - 2


@pytest.mark.parametrize("name, value", [("units", (5, 0)), ("latent_dim", 0), ("samples", 0), ("learning_rate", 0.0)])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="^--" + name.replace("_", "-")):
        dataclasses.replace(recipes.find("iwae"), **{name: value})
