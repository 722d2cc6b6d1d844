"""The parts of the divergence by loops and SciPy, their sum against the VAE's, and the loss of a turn."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.losses.reconstruction import kl_to_standard_normal
from kgen.models.beta_tc_vae import log_normal, parts
from kgen.models.vae import drawn
from kgen.rng import Rng
from tests.helpers.recipes import pictures

DATA = pictures(5, size=6)
UNIT = np.float32(DATA.images / 255)
RANDOM = np.random.default_rng(0)
MEAN, LOG_VARIANCE, CODES = RANDOM.normal(size=(3, 5, 4))


def game(seed=0, **changes):
    """Returns a small game whose codes differ from the prior."""
    keras.utils.set_random_seed(seed)
    small = {"units": 9, "latent_dim": 4, **changes}
    made = dataclasses.replace(recipes.find("beta-tc-vae"), **small).game(DATA)
    made.autoencoder.set_weights([3 * weight for weight in made.autoencoder.get_weights()])
    return made


def by_loops(z, mean, log_variance, count):
    """Returns the three parts for each image, `(3, n)`, by equations 2 and 5, with SciPy's densities."""
    n, deviation, found = len(z), np.exp(log_variance / 2), []
    for i in range(n):
        each = np.array([scipy.stats.norm.pdf(z[i], mean[m], deviation[m]) for m in range(n)])  # (m, j)
        joint = np.log(each.prod(axis=1).sum() / (count * n))
        marginals = np.log(each.sum(axis=0) / (count * n)).sum()
        prior = scipy.stats.norm.logpdf(z[i]).sum()
        found.append((np.log(each[i]).sum() - joint, joint - marginals, marginals - prior))
    return np.transpose(found)


@pytest.mark.parametrize("count", [5, 1_000])
def test_parts_are_those_of_the_paper(count):
    found = parts(*(tf.constant(np.float32(value)) for value in (CODES, MEAN, LOG_VARIANCE)), count)
    np.testing.assert_allclose(found, by_loops(CODES, MEAN, LOG_VARIANCE, count), rtol=1e-4, atol=1e-4)


def test_parts_add_up_to_the_divergence_of_a_vae():
    mean, log_variance = np.float32([MEAN, LOG_VARIANCE])
    sums = []
    for seed in range(200):
        with Rng(seed):
            codes = drawn(mean, log_variance)
        sums.append(sum(np.asarray(part) for part in parts(codes, tf.constant(mean), tf.constant(log_variance), 77)))
    expected = np.asarray(kl_to_standard_normal(mean, log_variance))
    error = np.std(sums, axis=0) / np.sqrt(len(sums))
    assert (np.abs(np.mean(sums, axis=0) - expected) < 4 * error).all() and (error < 0.2 * expected).all()


def test_the_number_of_images_shifts_the_parts_and_not_the_gradient():
    gradients, values = [], []
    for count in (5, 10**6):
        mean = tf.constant(np.float32(MEAN))
        with tf.GradientTape() as tape:
            tape.watch(mean)
            found = parts(tf.constant(np.float32(CODES)), mean, tf.constant(np.float32(LOG_VARIANCE)), count)
            loss = tf.reduce_mean(found[1])
        gradients.append(tape.gradient(loss, mean))
        values.append(float(loss))
    np.testing.assert_allclose(*gradients, rtol=1e-3, atol=1e-5)
    assert values[1] - values[0] == pytest.approx(3 * np.log(10**6 / 5), rel=1e-4)  # 4 numbers less 1


@pytest.mark.parametrize("beta", [1.0, 6.0])
def test_a_turn_weighs_the_total_correlation_alone(beta):
    made = game(beta=beta)
    mean, log_variance = (np.float64(value) for value in made.encoder(UNIT))
    with Rng(2):
        codes = np.float64(drawn(np.float32(mean), np.float32(log_variance)))
    p = 1 / (1 + np.exp(-np.float64(made.decoder(np.float32(codes)))))
    reconstruction = -(UNIT * np.log(p) + (1 - UNIT) * np.log(1 - p)).sum(axis=(1, 2, 3)).mean()
    information, correlation, divergence = by_loops(codes, mean, log_variance, 5).mean(axis=1)
    expected = {
        "autoencoder": reconstruction + information + beta * correlation + divergence,
        "reconstruction": reconstruction,
        "information": information,
        "total_correlation": correlation,
        "dimension_kl": divergence,
    }
    with Rng(2):
        found = {name: float(value) for name, value in made.turn(tf.constant(UNIT)).items()}
    assert found == pytest.approx(expected, rel=1e-3) and set(made.reports) | {"autoencoder"} == set(found)
    assert abs(correlation) > 0.1


def test_log_densities_are_scipys():
    found = log_normal(*(tf.constant(np.float32(value)) for value in (CODES, MEAN, LOG_VARIANCE)))
    np.testing.assert_allclose(found, scipy.stats.norm(MEAN, np.exp(LOG_VARIANCE / 2)).logpdf(CODES), rtol=1e-4)


def test_the_networks_are_the_papers():
    recipe = recipes.find("beta-tc-vae")
    made = recipe.game(pictures(3, size=64))
    hidden = 1200 * 1200 + 1200
    assert made.encoder.count_params() == 4096 * 1200 + 1200 + hidden + 2 * (1200 * 10 + 10)
    assert made.decoder.count_params() == 10 * 1200 + 1200 + 2 * hidden + 1200 * 4096 + 4096
    assert "relu" in str(made.encoder.get_config()) and "tanh" in str(made.decoder.get_config())
    assert (recipe.batch_size, recipe.dataset, made.beta, made.count) == (2048, "shapes", 6, 3)


@pytest.mark.parametrize("name, value", [("units", 0), ("latent_dim", 0), ("beta", -1.0), ("learning_rate", 0.0)])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="^--" + name.replace("_", "-")):
        dataclasses.replace(recipes.find("beta-tc-vae"), **{name: value})
