"""The sliced Wasserstein distance against SciPy's transport and against closed forms."""

import numpy as np
import pytest
import scipy.stats
from scipy.optimize import linear_sum_assignment

from kgen.metrics import sliced_wasserstein as module
from kgen.metrics.evidence import Evidence, Real
from kgen.metrics.features import Cache
from kgen.metrics.reference import Drawn
from kgen.metrics.sliced_wasserstein import sliced_wasserstein
from tests.helpers.recipes import pictures

RANDOM = np.random.default_rng(0)


def test_of_one_number_it_is_the_transport_of_scipy():
    x, y = RANDOM.normal(size=(2, 40, 1)) * [[[1.0]], [[2.0]]]
    costs = np.square(x - y.T)
    expected = costs[linear_sum_assignment(costs)].mean()
    np.testing.assert_allclose(sliced_wasserstein(x, y, 3), expected)
    assert scipy.stats.wasserstein_distance(x[:, 0], y[:, 0]) ** 2 <= expected


def test_a_shift_counts_by_its_length_over_all_directions():
    """E (u's)^2 = |s|^2 / d."""
    x, shift = RANDOM.normal(size=(50, 5)), np.array([1.0, 0, -2, 0, 0.5])
    found = sliced_wasserstein(x, x + shift, 20_000)
    assert found.mean() == pytest.approx((shift**2).sum() / 5, abs=4 * found.std() / np.sqrt(20_000))


def test_of_normal_distributions_it_is_the_closed_form():
    """W_2^2 of N(0, 1) and N(0, 3^2) is 4 on each line."""
    x, y = RANDOM.normal(size=(20_000, 3)), 3 * RANDOM.normal(size=(20_000, 3))
    assert sliced_wasserstein(x, y, 100).mean() == pytest.approx(4, rel=0.03)


def test_order_does_not_matter_and_equal_sets_are_0_apart():
    x, y = RANDOM.normal(size=(2, 30, 4))
    np.testing.assert_allclose(sliced_wasserstein(x, x[::-1], 150), 0, atol=1e-20)
    np.testing.assert_allclose(sliced_wasserstein(x, y[::-1], 150), sliced_wasserstein(x, y, 150), rtol=1e-12)
    assert sliced_wasserstein(x, y, 150).shape == (150,) and sliced_wasserstein(x, y, 150).min() > 0
    assert (sliced_wasserstein(x, y, 150, seed=1) != sliced_wasserstein(x, y, 150)).any()


@pytest.mark.parametrize("count, directions", [(5, 3), (6, 0)])
def test_mistakes_are_told(count, directions):
    with pytest.raises(ValueError, match="as many rows, `directions` 1 or more. Received: 6, "):
        sliced_wasserstein(np.zeros((6, 2)), np.zeros((count, 2)), directions)


def test_a_measurement_compares_equal_counts():
    real, fake = pictures(20, size=4).images, pictures(30, size=4, seed=1).images / np.float32(255)
    evidence = Evidence(Real(real, None, {"dataset": "noise"}), Drawn(fake), None, None, 30, 0, Cache(None))
    (found,) = module.measure(evidence)
    rows = evidence.real_unit.reshape(20, -1), evidence.fake[:20].reshape(20, -1)
    assert found.value == pytest.approx(np.sqrt(sliced_wasserstein(*rows).mean()))
    assert found.protocol["compared"] == 20 and found.protocol["directions"] == 1000 and not found.higher
