"""Draws of the priors against their distributions, by SciPy."""

import math

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kgen.core.priors import Mixture, Normal, Uniform
from kgen.rng import Rng

COUNT = 20_000


def drawn(prior, seed=0, count=COUNT):
    with Rng(seed):
        return prior.draw(count).numpy()


@pytest.mark.parametrize(
    "prior, truth, variance",
    [
        (Normal(3), scipy.stats.norm(), 1),
        (Uniform(3), scipy.stats.uniform(-1, 2), 1 / 3),
        (Uniform(3, math.sqrt(3)), scipy.stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)), 1),
    ],
    ids=["normal", "uniform", "unit variance"],
)
def test_draws_have_the_distribution_in_each_dimension_and_no_correlation(prior, truth, variance):
    z = drawn(prior)
    assert z.shape == (COUNT, 3) and z.dtype == np.float32
    for column in z.T:
        assert scipy.stats.kstest(column, truth.cdf).pvalue > 0.001
        assert abs(column.mean()) < 4 * math.sqrt(variance / COUNT)
        assert column.var() == pytest.approx(variance, rel=0.04)
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() < 4 / math.sqrt(COUNT)


@pytest.mark.parametrize("prior", [Normal(2), Uniform(2)])
def test_draws_depend_on_the_seed_alone(prior):
    np.testing.assert_array_equal(drawn(prior, 1, 5), drawn(prior, 1, 5))
    assert (drawn(prior, 1, 5) != drawn(prior, 2, 5)).all()


def test_uniform_draws_stay_within_the_limit():
    z = drawn(Uniform(1, 0.25))
    assert -0.25 <= z.min() < -0.249 and 0.249 < z.max() <= 0.25


FACTORS = np.array([[[1.0, 0.0], [0.5, 2.0]], [[0.3, 0.0], [-1.0, 0.1]], [[1.0, 0.0], [0.0, 1.0]]])
MIXTURE = Mixture(np.array([0.6, 0.3, 0.1]), np.array([[0.0, 0.0], [40.0, 0.0], [0.0, 50.0]]), FACTORS)


def test_a_mixture_draws_components_by_their_weights_and_each_as_its_normal_distribution():
    z = drawn(MIXTURE)
    assert z.dtype == np.float32 and z.shape == (COUNT, 2) and MIXTURE.size == 2
    chosen = np.square(z[:, None] - MIXTURE.means).sum(axis=2).argmin(axis=1)  # the means lie far apart
    assert scipy.stats.chisquare(np.bincount(chosen), MIXTURE.weights * COUNT).pvalue > 0.001
    for k, (mean, factor) in enumerate(zip(MIXTURE.means, FACTORS, strict=True)):
        e = np.linalg.solve(factor, (z[chosen == k] - mean).T)
        assert [scipy.stats.kstest(row, "norm").pvalue > 0.001 for row in e] == [True, True]
        assert abs(np.corrcoef(e)[0, 1]) < 4 / math.sqrt(len(e.T))
        np.testing.assert_allclose(np.cov(z[chosen == k].T), factor @ factor.T, rtol=0.12, atol=0.05)


def test_a_mixture_draws_in_a_graph_what_it_draws_outside_and_a_larger_count_begins_alike():
    with Rng(5):
        inside = tf.function(lambda count: MIXTURE.draw(count))(tf.constant(7)).numpy()
    np.testing.assert_allclose(inside, drawn(MIXTURE, 5, 7), rtol=1e-6)
    np.testing.assert_allclose(drawn(MIXTURE, 5, 20)[:7], inside, rtol=1e-6)
