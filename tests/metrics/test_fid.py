"""Frechet distance against closed forms, SciPy's matrix root, TensorFlow-GAN and torch-fidelity."""

import numpy as np
import pytest

from kgen.metrics import fid
from kgen.metrics.fid import Statistics, frechet_distance, statistics, statistics_of_parts
from tests.helpers import torch_fidelity
from tests.helpers.tfgan import tensorflow_gan


def normal(count, size, seed=0, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, size)) + shift


def frechet(x, y):
    return frechet_distance(statistics(x), statistics(y))


def test_by_hand():
    x = np.array([[-1.0], [1.0]]) / np.sqrt(2)  # mean 0, variance 1
    assert frechet(x, 2 * x + 3) == pytest.approx(3**2 + (1 - 2) ** 2)


def test_two_normal_distributions_in_closed_form():
    a, b, m = np.array([1.0, 4.0, 9.0]), np.array([4.0, 4.0, 0.0]), np.array([1.0, 0.0, 2.0])
    turn = np.linalg.qr(normal(3, 3, 5))[0]
    x = Statistics(np.zeros(3), turn @ np.diag(a) @ turn.T, 10)
    y = Statistics(turn @ m, turn @ np.diag(b) @ turn.T, 10)
    expected = (m**2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-7) == frechet_distance(y, x)


def test_diagonal_covariances_in_closed_form():
    a, b = np.array([1.0, 4.0, 0.0, 2.5]), np.array([4.0, 4.0, 9.0, 0.3])
    x, y = (Statistics(np.zeros(4), np.diag(each), 10) for each in (a, b))
    assert frechet_distance(x, y) == pytest.approx(((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-12)


def test_of_two_normal_distributions():
    spread = np.array([1.0, 2.0, 3.0])
    x, y = normal(200_000, 3) * spread, normal(200_000, 3, 1) * spread[::-1] + 1
    assert frechet(x, y) == pytest.approx(3 + 4 + 0 + 4, rel=0.02)


def test_statistics_are_the_mean_and_the_unbiased_covariance():
    found = statistics([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]])
    np.testing.assert_allclose(found.mean, [2, 2])
    np.testing.assert_allclose(found.covariance, [[4, 3], [3, 3]])
    assert found.count == 3


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("block", [1, 7, 64, 1_000])
def test_parts_have_the_mean_and_covariance_of_numpy(block, offset, monkeypatch):
    """Also far from 0, where sums of squares would lose all digits."""
    monkeypatch.setattr(fid, "BLOCK", block)
    x = (normal(300, 6) * np.arange(1, 7) + offset).astype(np.float32)
    found = statistics_of_parts(x[start : start + 13] for start in range(0, 300, 13))
    wide = x.astype(np.float64)
    np.testing.assert_allclose(found.mean, wide.mean(axis=0), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(found.covariance, np.cov(wide, rowvar=False), rtol=1e-9, atol=1e-12)
    assert found.count == 300


@pytest.mark.parametrize("size", [1, 256, 999, 2_500])
def test_how_features_are_parted_changes_no_bit(size):
    x = normal(2_500, 4).astype(np.float32)
    whole, parted = statistics(x), statistics_of_parts(x[start : start + size] for start in range(0, 2_500, size))
    np.testing.assert_array_equal(parted.mean, whole.mean)
    np.testing.assert_array_equal(parted.covariance, whole.covariance)


@pytest.mark.parametrize("count, size", [(50, 5), (2, 1), (6, 6)])
def test_against_the_matrix_root(count, size):
    linalg = pytest.importorskip("scipy.linalg")
    turn = normal(size, size, 9)
    x, y = normal(count, size), normal(count + 20, size, 1, 1.5, 0.3) @ turn
    covariances = [np.atleast_2d(np.cov(a, rowvar=False)) for a in (x, y)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    means = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    expected = means + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet(x, y) == pytest.approx(expected, rel=1e-6)
    assert frechet(y, x) == pytest.approx(expected, rel=1e-6)


def test_fewer_images_than_numbers():
    x, y = normal(10, 40), normal(15, 40, 1, 1.5, 0.3)
    x_root, y_root = (np.linalg.qr((a - a.mean(axis=0)) / np.sqrt(len(a) - 1), mode="r") for a in (x, y))
    shared = np.linalg.svd(x_root @ y_root.T, compute_uv=False).sum()
    means = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum()
    assert frechet(x, y) == pytest.approx(means + (x_root**2).sum() + (y_root**2).sum() - 2 * shared, rel=1e-6)


def test_the_same_is_nothing_and_few_are_too_large():
    x = normal(30, 8)
    assert frechet(x, x) == pytest.approx(0, abs=1e-10)
    few, many = (np.mean([frechet(normal(n, 8, 2 * i), normal(n, 8, 2 * i + 1)) for i in range(20)]) for n in (10, 100))
    assert few > 3 > many > 0


def test_equals_torch_fidelity():
    x, y, _ = torch_fidelity.drawn()
    assert frechet(x, y) == pytest.approx(torch_fidelity.FID, rel=1e-9)


def test_equals_tensorflow_gan():
    x, y, _ = torch_fidelity.drawn()
    reference = tensorflow_gan().eval.frechet_classifier_distance_from_activations
    assert frechet(x, y) == pytest.approx(float(reference(np.float32(x), np.float32(y))), rel=1e-3)


def test_mistakes_are_told():
    with pytest.raises(ValueError, match=r"`features` must be 2 or more rows"):
        statistics(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"`features` must be 2 or more rows"):
        statistics_of_parts([])
    with pytest.raises(ValueError, match="must be finite. Received: NaN or infinity in 2 rows, first in 0"):
        statistics([[np.nan, 0], [np.inf, 1], [0, 0]])
    with pytest.raises(ValueError, match="of one size. Received: 3 and 4"):
        frechet(normal(5, 3), normal(5, 4))
