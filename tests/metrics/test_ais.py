"""Annealed importance sampling against a linear decoder of normal distributions, in closed form, and an integral."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf
from scipy.special import expit

from kgen.errors import UsageError
from kgen.inference import loading
from kgen.metrics import ais
from kgen.metrics.ais import anneal, bernoulli, estimates, schedule
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real
from kgen.metrics.log_likelihood import bernoulli as of_probabilities
from tests.helpers.recipes import new_trainer, pictures

DEVIATION = 0.3
SLOPES = np.random.default_rng(0).normal(size=(3, 6))
CODES = np.random.default_rng(1).normal(size=(8, 3))
IMAGES = CODES @ SLOPES + DEVIATION * np.random.default_rng(2).normal(size=(8, 6))
EXACT = scipy.stats.multivariate_normal(cov=SLOPES.T @ SLOPES + DEVIATION**2 * np.eye(6)).logpdf(IMAGES)


def linear(images, slopes=SLOPES):
    """Returns log N(x; z A, s^2 I) and its gradient, of each image."""

    def density(codes):
        apart = images - codes @ slopes
        norm = 6 * np.log(DEVIATION * np.sqrt(2 * np.pi))
        return -np.square(apart).sum(axis=1) / (2 * DEVIATION**2) - norm, apart @ slopes.T / DEVIATION**2

    return density


def annealed(slopes=SLOPES, steps="adapted", back=False, distributions=200, chains=20):
    random, betas = np.random.default_rng(3), schedule(distributions)
    density = linear(IMAGES.repeat(chains, axis=0), slopes)
    prior = random.standard_normal((8 * chains, 3))
    if steps == "adapted":
        steps = anneal(density, prior[::-1], betas, random, None).steps
    else:
        steps = np.full(distributions, steps)
    if back:
        found = anneal(density, CODES.repeat(chains, axis=0), betas[::-1], random, steps[::-1])
        return -estimates(found.log_weights, chains), found
    found = anneal(density, prior, betas, random, steps)
    return estimates(found.log_weights, chains), found


def test_of_a_linear_decoder_it_is_the_closed_form():
    values, found = annealed(distributions=1_000, chains=100)
    ratios = np.exp(found.log_weights.reshape(8, 100) - EXACT[:, None])
    errors = ratios.std(axis=1) / np.sqrt(100)
    assert (abs(ratios.mean(axis=1) - 1) < 3 * errors).all() and errors.max() < 0.12
    np.testing.assert_allclose(values, np.log(ratios.mean(axis=1)) + EXACT)
    assert np.ptp(EXACT) > 2 and 0.55 < found.accepted < 0.8
    assert found.steps[-1] < found.steps[100] / 1.5  # the posterior is narrow


def test_the_way_back_bounds_it_from_above():
    """The codes that images were drawn from are draws of their posteriors, on average over codes."""
    lower, upper = annealed(distributions=20)[0].mean(), annealed(back=True, distributions=20)[0].mean()
    assert lower < EXACT.mean() < upper < lower + 5
    fine = annealed(back=True)[0].mean()
    assert fine == pytest.approx(EXACT.mean(), abs=0.15)


def test_wrong_answers_are_seen():
    """Another decoder; chains that stand still; steps so long that none is accepted."""
    right = annealed()[0].mean()
    assert annealed(1.3 * SLOPES)[0].mean() < right - 0.5
    for step in (0.0, 50.0):
        still, found = annealed(steps=step)
        assert still.mean() < right - 1 and found.accepted == float(step == 0)


def test_transitions_leave_their_distribution_alone():
    """With b fixed, the moments are those of the normal distribution with precision I + b A A' / s^2."""
    random, beta, rows = np.random.default_rng(4), 0.4, 4_000
    precision = np.eye(3) + beta * SLOPES @ SLOPES.T / DEVIATION**2
    covariance = np.linalg.inv(precision)
    mean = covariance @ SLOPES @ IMAGES[0] * beta / DEVIATION**2
    density = linear(IMAGES[:1].repeat(rows, axis=0))
    codes = random.multivariate_normal(mean, covariance, rows)
    state = (codes, *density(codes))
    moved = []
    for _ in range(20):
        *state, share = ais.transition(density, state, beta, 0.16, random)
        moved.append(share)
    assert 0.2 < np.mean(moved) < 0.95  # where none is refused, a wrong rule is not seen
    np.testing.assert_allclose(state[0].mean(axis=0), mean, atol=4 * np.sqrt(covariance.max() / rows))
    np.testing.assert_allclose(np.cov(state[0].T), covariance, atol=0.1 * covariance.max())
    np.testing.assert_allclose(state[1], density(state[0])[0])


def test_the_schedule_goes_from_the_prior_to_the_posterior():
    betas = schedule(100)
    assert betas[0] == 0 and betas[-1] == 1 and (np.diff(betas) > 0).all()
    assert np.diff(betas)[[0, -1]].max() < np.diff(betas)[50] / 5


SHAPE = (2, 3, 1)
WEIGHTS, OFFSETS = np.random.default_rng(5).normal(size=(2, 6)) * 2


class Curve:
    """A decoder `sigmoid(a z + b)` of a code of one number."""

    variational, size = True, 1

    def decoded(self, latent):
        return tf.reshape(tf.sigmoid(latent * np.float32(WEIGHTS) + np.float32(OFFSETS)), (-1, *SHAPE))


def integral(white):
    def density(z):
        p = expit(z * WEIGHTS + OFFSETS)
        return np.prod(np.where(white.ravel(), p, 1 - p)) * scipy.stats.norm.pdf(z)

    return np.log(scipy.integrate.quad(density, -12, 12, epsabs=1e-13)[0])


def test_of_a_binary_decoder_it_is_the_integral(monkeypatch):
    for name, value in {"DISTRIBUTIONS": 25, "CHAINS": 50, "LEAPFROGS": 4}.items():
        monkeypatch.setattr(ais, name, value)
    white = np.random.default_rng(6).integers(2, size=(5, *SHAPE)) > 0
    found = ais.log_likelihoods(Curve(), white, ~white, 0)
    expected = [integral(image) for image in white]
    np.testing.assert_allclose(found.estimates, expected, atol=0.1)
    assert np.ptp(expected) > 0.5 and abs(found.gaps.mean()) < 0.15 and found.gaps.shape == (5,)


def test_the_density_is_that_of_probabilities_with_its_slope():
    white, z = np.random.default_rng(7).integers(2, size=(300, *SHAPE)) > 0, np.linspace(-2, 2, 300)[:, None]
    values, gradients = bernoulli(Curve().decoded, white)(z)  # more than are decoded at a time

    def plain(codes):
        p = expit(codes * WEIGHTS + OFFSETS).reshape(-1, *SHAPE)
        return np.array([of_probabilities(image, each[None])[0] for image, each in zip(white, p, strict=True)])

    np.testing.assert_allclose(values, plain(z), rtol=1e-5)
    np.testing.assert_allclose(gradients[:, 0], (plain(z + 1e-4) - plain(z - 1e-4)) / 2e-4, rtol=1e-3, atol=1e-4)


def measured(name, images, monkeypatch):
    for constant, value in {"IMAGES": 3, "CHAINS": 2, "DISTRIBUTIONS": 4, "LEAPFROGS": 2}.items():
        monkeypatch.setattr(ais, constant, value)
    opened = loading.of_game(new_trainer(name).best_game())
    return Evaluator(["ais-log-likelihood"], Real(images, None, {"dataset": "noise"}), None, 9, seed=4)(
        *opened.parts()
    )["ais-log-likelihood"]


def test_a_measurement_has_its_error_and_protocol_in_any_order(monkeypatch):
    images = pictures(9).images
    found, gap = measured("vae", images, monkeypatch)
    sizes = {"images": 3, "chains": 2, "distributions": 4, "leapfrogs": 2}
    assert found.protocol == gap.protocol == {"dataset": "noise", **sizes, "seed": 4}
    assert found.higher and not gap.higher and found.value < 0 < found.spread
    assert found.spread_is == "standard error over images"
    again, _ = measured("vae", images[::-1], monkeypatch)
    assert again.value == pytest.approx(found.value, rel=1e-6)


def test_a_wide_gap_is_told(monkeypatch):
    wide = ais.Found(np.zeros(3), np.array([1.0, 2, 3]), 0.5)
    monkeypatch.setattr(ais, "log_likelihoods", lambda *_: wide)
    for each in measured("vae", pictures(9).images, monkeypatch):
        assert "the bounds are 2 nats apart: the estimate is too low" in each.warnings[0]


def test_mistakes_are_told(monkeypatch):
    with pytest.raises(UsageError, match="is of decoders of codes from N.0, I., such as vae and iwae"):
        measured("acai", pictures().images, monkeypatch)
    with pytest.raises(UsageError, match="2 real images or more are needed"):
        measured("vae", pictures(1).images, monkeypatch)
