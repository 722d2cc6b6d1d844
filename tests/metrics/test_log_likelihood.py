"""The estimate against integrals by SciPy, and against the bound of the model that is trained by it."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from scipy.special import expit

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.metrics import log_likelihood
from kgen.metrics.evidence import Evidence, Real
from kgen.metrics.features import Cache
from kgen.metrics.log_likelihood import bernoulli, binarised, log_likelihoods
from kgen.rng import Rng
from tests.helpers.recipes import new_trainer, pictures

SHAPE = (2, 3, 1)
RANDOM = np.random.default_rng(0)
SLOPES, OFFSETS = RANDOM.normal(size=(2, 6)) * 2
BINARY = np.uint8(255 * RANDOM.integers(2, size=(4, *SHAPE)))


class Curve:
    """A decoder `sigmoid(a z + b)` of a code of one number, and an encoder that is only roughly right."""

    variational = True

    def distributions(self, images):
        means = 0.1 * (images.reshape(len(images), -1) / 255.0 - 0.5) @ SLOPES
        return np.float32(means[:, None]), np.full((len(images), 1), 0.3, np.float32)

    def decode(self, latent):
        assert latent.dtype == np.float32
        return expit(latent * SLOPES + OFFSETS).reshape(-1, *SHAPE)


def integral(image):
    """Returns log p(x) of `Curve`."""
    x = image.ravel() / 255

    def density(z):
        p = expit(z * SLOPES + OFFSETS)
        return np.prod(np.where(x > 0, p, 1 - p)) * scipy.stats.norm.pdf(z)

    return np.log(scipy.integrate.quad(density, -12, 12, epsabs=1e-13)[0])


def test_the_estimate_is_the_integral_over_codes():
    expected = [integral(image) for image in BINARY]
    found = log_likelihoods(Curve(), BINARY, 20_000)
    np.testing.assert_allclose(found, expected, atol=0.03)
    assert np.ptp(expected) > 0.5
    few = np.mean([log_likelihoods(Curve(), BINARY, 1, seed) for seed in range(300)], axis=0)
    assert (few < np.array(expected) - 0.05).all()  # one draw: the VAE's bound


def test_the_estimate_of_few_draws_is_the_bound_of_iwae():
    keras.utils.set_random_seed(0)
    data = pictures(4, size=6)
    made = dataclasses.replace(recipes.find("iwae"), units=(9,), latent_dim=3, samples=5).game(data)
    made.autoencoder.set_weights([3 * weight for weight in made.autoencoder.get_weights()])
    opened, binary = loading.of_game(made).autoencoder, np.uint8(255 * (data.images > 127))
    found = np.stack([log_likelihoods(opened, binary, 5, seed) for seed in range(300)])
    with Rng(1):
        measured = made.measures(np.repeat(np.float32(binary / 255), 2_000, axis=0))["negative_bound"]
    expected = -np.asarray(measured, np.float64).reshape(4, 2_000).T
    error = np.sqrt(found.var(axis=0) / 300 + expected.var(axis=0) / 2_000)
    apart = np.abs(found.mean(axis=0) - expected.mean(axis=0))
    assert (apart < 4 * error).all() and np.ptp(expected.mean(axis=0)) > 8 * error.max()


def test_bernoulli_is_scipys_and_finite_at_the_edges():
    white, p = RANDOM.integers(2, size=SHAPE).astype(bool), RANDOM.uniform(0.05, 0.95, size=(3, *SHAPE))
    expected = scipy.stats.bernoulli(p).logpmf(white[None]).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(bernoulli(white, p), expected, rtol=1e-9)
    assert bernoulli(np.ones(SHAPE, bool), np.zeros((1, *SHAPE)))[0] == pytest.approx(6 * np.log(1e-7))


def test_pixels_are_white_with_the_probability_of_their_grey():
    grey = np.array([0, 51, 128, 255], np.uint8).reshape(1, 2, 2, 1).repeat(20_000, axis=0)
    found = binarised(grey, 0)
    assert found.dtype == np.uint8 and set(np.unique(found)) == {0, 255}
    np.testing.assert_allclose((found / 255).mean(axis=0).ravel(), [0, 0.2, 128 / 255, 1], atol=0.015)
    assert (binarised(grey, 1) != found).any()


def evidence(name, images):
    opened = loading.of_game(new_trainer(name).best_game())
    return Evidence(Real(images, None, {"dataset": "noise"}), None, opened.autoencoder, None, 10, 3, Cache(None))


def test_a_measurement_has_its_standard_error_and_protocol(monkeypatch):
    monkeypatch.setattr(log_likelihood, "DRAWS", 7)
    asked = evidence("vae", pictures(6).images)
    (found,) = log_likelihood.measure(asked)
    each = log_likelihoods(asked.autoencoder, binarised(asked.real_images, 3), 7, 3)
    assert found.value == pytest.approx(each.mean()) and found.spread == pytest.approx(scipy.stats.sem(each))
    assert found.higher and found.protocol == {"dataset": "noise", "images": 6, "draws": 7, "seed": 3}


def test_mistakes_are_told():
    with pytest.raises(UsageError, match="is of encoders that give distributions, such as vae and iwae"):
        log_likelihood.measure(evidence("acai", pictures().images))
    with pytest.raises(ValueError, match="`images` must be binary"):
        log_likelihoods(Curve(), BINARY // 2, 3)
