"""MMD against loops; the linear-time estimator's error and power; report 004's figure as its code computed it."""

import numpy as np
import pytest
from scipy import stats

from kgen.metrics import mmd


def normal(count, size, seed=0, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, size)) + shift


def test_by_hand():
    x, y = np.array([[0], [1]]), np.array([[2], [3]])
    assert mmd.unbiased(x, y, mmd.polynomial) == pytest.approx(1 + 343 - 2 * (1 + 1 + 27 + 64) / 4)


KERNELS = {
    "polynomial": (mmd.polynomial, lambda a, b: (a @ b / len(a) + 1) ** 3),
    "gaussian": (mmd.gaussian(1.7), lambda a, b: np.exp(-((a - b) ** 2).sum() / (2 * 1.7**2))),
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("rows", [2, 2_000])
def test_all_pairs_against_loops(name, rows, monkeypatch):
    monkeypatch.setattr(mmd, "BLOCK", rows)
    kernel, plain = KERNELS[name]
    x, y = normal(7, 3), normal(5, 3, 1, 2.0, 0.5)
    within = [np.mean([plain(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    expected = sum(within) - 2 * np.mean([plain(a, b) for a in x for b in y])
    assert mmd.unbiased(x, y, kernel) == pytest.approx(expected) == mmd.unbiased(y, x, kernel)


@pytest.mark.parametrize("name", KERNELS)
def test_disjoint_pairs_against_loops(name):
    kernel, plain = KERNELS[name]
    x, y = normal(9, 3), normal(9, 3, 1, 2.0, 0.5)
    h = [
        plain(x[i], x[i + 1]) + plain(y[i], y[i + 1]) - plain(x[i], y[i + 1]) - plain(x[i + 1], y[i])
        for i in (0, 2, 4, 6)
    ]
    found = mmd.linear_time(x, y, kernel)
    assert found == pytest.approx((np.mean(h), np.std(h, ddof=1) / 2))


def test_blocks_are_the_mean_of_their_estimates():
    x, y = normal(25, 3), normal(25, 3, 1, 1.5)
    parts = [mmd.unbiased(x[i : i + 8], y[i : i + 8], mmd.polynomial) for i in (0, 8, 16)]
    found = mmd.block(x, y, mmd.polynomial, 8)
    assert found == pytest.approx((np.mean(parts), np.std(parts, ddof=1) / np.sqrt(3)))
    assert mmd.block(x, y, mmd.polynomial, 25).error == np.inf


def test_all_pairs_have_no_bias_and_see_other_means_and_variances():
    same = [mmd.unbiased(normal(10, 4, 2 * i), normal(8, 4, 2 * i + 1), mmd.polynomial) for i in range(400)]
    error = np.std(same) / 20
    assert abs(np.mean(same)) < 2 * error
    assert min(same) < 0 < max(same)
    for scale, shift in ((1, 0.5), (2, 0)):
        pairs = [(normal(10, 4, 2 * i), normal(8, 4, 2 * i + 1, scale, shift)) for i in range(400)]
        assert np.mean([mmd.unbiased(*pair, mmd.polynomial) for pair in pairs]) > 20 * error


def test_the_error_of_disjoint_pairs_is_that_of_their_mean_and_p_values_are_even():
    kernel = mmd.gaussian(2.0)
    found = [mmd.linear_time(normal(60, 4, 2 * i), normal(60, 4, 2 * i + 1), kernel) for i in range(400)]
    values, errors = np.array(found).T
    assert abs(values.mean()) < 2 * values.std() / 20
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.1)
    p = np.sort([each.p_value for each in found])
    assert abs(p - np.linspace(0, 1, 400)).max() < 1.63 / 20  # Kolmogorov and Smirnov, 1 %


def test_a_gaussian_kernel_rejects_what_report_004_cannot_see():
    x, y = normal(2_000, 4 * 4 * 3), normal(2_000, 4 * 4 * 3, 1, 1.5)
    found = mmd.linear_time(x, y, mmd.gaussian(mmd.median_bandwidth(x, y)))
    assert found.p_value < 1e-3
    blind = [
        mmd.report004(*(z.reshape(-1, 4, 4, 3) for z in (normal(200, 48, i), normal(200, 48, i + 1, 1.5))))
        for i in range(0, 1600, 2)
    ]
    assert abs(np.mean(blind)) < 2 * np.std(blind) / np.sqrt(800)
    moved = mmd.report004(x.reshape(-1, 4, 4, 3), (x + 0.5).reshape(-1, 4, 4, 3))
    assert moved == pytest.approx(3 * 0.5**2)


def test_report_004_as_its_code_computed_it():
    x, y = normal(5, 12).reshape(5, 2, 2, 3), normal(5, 12, 1).reshape(5, 2, 2, 3)

    def kernel(a, b):
        return np.mean([a[i, j] @ b[i, j] for i in range(2) for j in range(2)])

    h = [
        kernel(x[i], x[i + 1]) + kernel(y[i], y[i + 1]) - kernel(x[i], y[i + 1]) - kernel(x[i + 1], y[i])
        for i in range(4)
    ]
    assert mmd.report004(x, y) == pytest.approx(np.mean(h))


def test_the_median_distance():
    assert mmd.median_bandwidth([[0.0], [1.0]], [[3.0], [7.0]]) == pytest.approx(3.5)  # of 1 2 3 4 6 7
    with pytest.raises(ValueError, match="more than half of all pairs are equal"):
        mmd.median_bandwidth(np.ones((5, 2)), np.ones((5, 2)))


def test_the_median_distance_of_rows_evenly_spaced():
    x, y = np.arange(9.0)[:, None] ** 2, -np.arange(5.0)[:, None]
    both = np.array([0, 16, 64, 0, -2, -4])  # the first, middle and last of each
    every = [abs(a - b) for i, a in enumerate(both) for b in both[:i]]
    assert mmd.median_bandwidth(x, y, most=3) == pytest.approx(np.median(every))


def test_p_values_are_those_of_a_normal_distribution():
    for value, error in ((1.96, 1.0), (0.0, 2.0), (-3.0, 1.5), (0.06, 0.01)):
        assert mmd.Estimate(value, error).p_value == pytest.approx(stats.norm.sf(value / error), rel=1e-9)
    assert [mmd.Estimate(value, 0.0).p_value for value in (1.0, 0.0, -1.0)] == [0, 1, 1]


@pytest.mark.parametrize(
    "function",
    [
        lambda: mmd.unbiased(normal(1, 2), normal(5, 2), mmd.polynomial),
        lambda: mmd.unbiased(normal(5, 2), normal(5, 3), mmd.polynomial),
        lambda: mmd.linear_time(normal(3, 2), normal(3, 2), mmd.polynomial),
        lambda: mmd.linear_time(normal(8, 2), normal(9, 2), mmd.polynomial),
        lambda: mmd.block(normal(8, 2), normal(8, 2), mmd.polynomial, 9),
        lambda: mmd.block(normal(8, 2), normal(8, 2), mmd.polynomial, 1),
        lambda: mmd.gaussian(0.0),
        lambda: mmd.report004(normal(4, 2), normal(4, 2)),
        lambda: mmd.unbiased(normal(5, 2) * np.inf, normal(5, 2), mmd.polynomial),
    ],
)
def test_mistakes_are_told(function):
    with pytest.raises(ValueError, match="Received"):
        function()
