"""Draws of the priors against their distributions, by SciPy."""

import math

import numpy as np
import pytest
import scipy.stats

from kgen.core.priors import Normal, Uniform
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
