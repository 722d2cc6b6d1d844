"""The mixture against NumPy and TensorFlow Probability, the bound by hand, draws, exports and who refuses the model."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.models.iwae import binarised
from kgen.models.vae import drawn
from kgen.models.vamp_vae import VampPrior
from kgen.rng import Rng
from tests.helpers.recipes import pictures

DATA = pictures(9, size=6)
UNIT = np.float32(DATA.images / 255)


def game(seed=0, **changes):
    """Returns a small game whose components lie apart."""
    keras.utils.set_random_seed(seed)
    small = {"units": (7,), "latent_dim": 3, "components": 5, **changes}
    made = dataclasses.replace(recipes.find("vamp-vae"), **small).game(DATA)
    made.autoencoder.set_weights([3 * weight for weight in made.autoencoder.get_weights()])
    return made


def components(made):
    """Returns weights of the pseudo-inputs, and means and deviations `(5, 3)` of their codes, float64."""
    (table,) = made.pseudo_inputs.get_weights()
    means, log_variances = made.encoder(np.clip(table, 0, 1).reshape(-1, 6, 6, 1))
    return table, np.float64(means), np.exp(np.float64(log_variances) / 2)


def test_the_density_is_that_of_the_mixture():
    made, codes = game(), np.random.default_rng(1).normal(0, 2, (8, 3))
    _, means, deviations = components(made)
    each = scipy.stats.norm.logpdf(codes[:, None], means, deviations).sum(axis=2)
    found = made.prior.log_density(tf.constant(codes, tf.float32))
    np.testing.assert_allclose(found, scipy.special.logsumexp(each, axis=1) - np.log(5), rtol=1e-4)
    truth = tfp.distributions.MixtureSameFamily(
        tfp.distributions.Categorical(logits=np.zeros(5)), tfp.distributions.MultivariateNormalDiag(means, deviations)
    )
    np.testing.assert_allclose(found, truth.log_prob(codes), rtol=1e-4)
    assert np.ptp(each, axis=1).min() > 0.1  # the components lie apart


def test_one_component_that_is_standard_normal_is_the_prior_of_a_vae():
    made = game(components=1)
    for weight in made.encoder.weights:
        weight.assign(tf.zeros_like(weight))
    codes = np.random.default_rng(1).normal(size=(4, 3))
    expected = scipy.stats.norm.logpdf(codes).sum(axis=1)
    np.testing.assert_allclose(made.prior.log_density(tf.constant(codes, tf.float32)), expected, rtol=1e-5)


def test_a_turn_is_the_bound():
    made = game()
    with Rng(2):
        found = {name: float(value) for name, value in made.turn(tf.constant(UNIT)).items()}
    with Rng(2):
        x = binarised(tf.constant(UNIT)).numpy()
        mean, log_variance = made.encoder(x)
        codes = np.float64(drawn(mean, log_variance))
    logits = np.float64(made.decoder(np.float32(codes)))
    reconstruction = np.logaddexp(0, np.where(x == 1, -logits, logits)).sum(axis=(1, 2, 3)).mean()
    posterior = scipy.stats.norm.logpdf(codes, mean, np.exp(np.float64(log_variance) / 2)).sum(axis=1)
    _, means, deviations = components(made)
    each = scipy.stats.norm.logpdf(codes[:, None], means, deviations).sum(axis=2)
    divergence = (posterior - scipy.special.logsumexp(each, axis=1) + np.log(5)).mean()
    bound = reconstruction + divergence
    expected = {
        "autoencoder": bound,
        "pseudo_inputs": bound,
        "reconstruction": reconstruction,
        "divergence": divergence,
    }
    assert found == pytest.approx(expected, rel=1e-3) and divergence > 0.1
    with Rng(2):
        measured = {name: float(np.mean(value)) for name, value in made.measures(tf.constant(UNIT)).items()}
    expected = {"negative_bound": bound, "reconstruction": reconstruction, "divergence": divergence}
    assert measured == pytest.approx(expected, rel=1e-3)


def test_draws_have_the_moments_of_the_mixture():
    made, count = game(), 20_000
    _, means, deviations = components(made)
    with Rng(3):
        found = np.float64(made.prior.draw(count))
    variance = (deviations**2 + means**2).mean(axis=0) - means.mean(axis=0) ** 2
    error = np.sqrt(variance / count)
    assert (np.abs(found.mean(axis=0) - means.mean(axis=0)) < 5 * error).all()
    np.testing.assert_allclose(found.var(axis=0), variance, rtol=0.06)


def test_pseudo_inputs_begin_as_training_images_and_are_clipped_to_pixels():
    made = game()
    table, *_ = components(made)
    shown = made.prior.images().numpy()
    assert all(any(np.array_equal(image, real) for real in UNIT) for image in shown)
    made.pseudo_inputs.set_weights([table * 3 - 1])
    np.testing.assert_allclose(made.prior.images(), np.clip(shown * 3 - 1, 0, 1), atol=1e-6)


def test_the_prior_is_of_the_networks_that_make_the_pictures():
    made, other = game(), game(seed=5)
    averaged = made.with_networks({"autoencoder": other.autoencoder, "pseudo_inputs": other.pseudo_inputs})
    for mine, theirs in zip(averaged.prior.components(), other.prior.components(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert np.abs(made.prior.components()[0] - averaged.prior.components()[0]).max() > 0.1
    taken = made.with_prior(VampPrior(3, other.encoder, other.pseudo_inputs))
    assert taken.prior.encoder is other.encoder and made.prior.encoder is made.encoder


def test_the_export_draws_from_the_mixture_and_gives_means_alone():
    module, found = game().signatures()
    _, means, deviations = components(game())
    latent = module.sample(tf.constant(0, tf.int64), tf.constant(200, tf.int64))["latent"].numpy()
    distances = np.abs((latent[:, None] - means) / deviations).max(axis=2).min(axis=1)
    assert distances.max() < 5  # each draw is near a component
    assert list(module.encode(UNIT)) == ["latent"] and {"sample", "png"} <= set(found)


def test_the_networks_are_the_papers():
    recipe = recipes.find("vamp-vae")
    made = recipe.game(pictures(3, size=28))
    gated = 2 * (784 * 300 + 300) + 2 * (300 * 300 + 300)
    assert made.encoder.count_params() == gated + 2 * (300 * 40 + 40)
    assert made.decoder.count_params() == 2 * (40 * 300 + 300) + 2 * (300 * 300 + 300) + 300 * 784 + 784
    assert made.pseudo_inputs.count_params() == 500 * 784 and recipe.batch_size == 100
    x = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)
    w, b, v, c = (weight.numpy() for weight in made.decoder.layers[1].weights + made.decoder.layers[2].weights)
    inner = keras.Model(made.decoder.input, made.decoder.layers[3].output)
    np.testing.assert_allclose(inner(x), (x @ w + b) * scipy.special.expit(x @ v + c), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, value", [("units", (0,)), ("latent_dim", 0), ("components", 0), ("learning_rate", 0.0)])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="^--" + name.replace("_", "-")):
        dataclasses.replace(recipes.find("vamp-vae"), **{name: value})
