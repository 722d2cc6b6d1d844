"""Checks of the arrays that metrics take; distances of rows against SciPy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from kgen.metrics.arrays import alike, blocks, dealt, rows, squared_distances


def test_images_become_float64_rows():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
    found = rows(images, "real")
    assert found.dtype == np.float64 and found.tolist() == [list(range(12)), list(range(12, 24))]


@pytest.mark.parametrize("values", [np.zeros(5), np.zeros((1, 3)), np.zeros((4, 0)), np.zeros((0, 3))])
def test_too_few_rows_and_rows_of_nothing_are_refused(values):
    with pytest.raises(ValueError, match=r"`real` must be 2 or more rows of numbers\. Received: shape"):
        rows(values, "real")


def test_as_many_rows_as_asked_for_are_enough():
    assert rows(np.zeros((3, 2)), "real", least=3).shape == (3, 2)
    with pytest.raises(ValueError, match="`real` must be 4 or more"):
        rows(np.zeros((3, 2)), "real", least=4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_and_the_first_is_named(bad):
    values = np.zeros((5, 2))
    values[[2, 4], 1] = bad
    with pytest.raises(ValueError, match="`real` must be finite. Received: NaN or infinity in 2 rows, first in 2"):
        rows(values, "real")


def test_two_sets_must_have_rows_of_one_length():
    x, y = alike(np.zeros((2, 3, 2)), np.ones((4, 6)))
    assert (x.shape, y.shape) == ((2, 6), (4, 6))
    with pytest.raises(ValueError, match="`a` and `b` must be rows of the same length. Received: 6 and 5."):
        alike(np.zeros((2, 6)), np.zeros((2, 5)), ("a", "b"))


def test_squared_distances_are_scipys_and_never_negative():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(7, 5)), random.normal(size=(4, 5)) + 100
    np.testing.assert_allclose(squared_distances(x, y), cdist(x, y, "sqeuclidean"), rtol=1e-12)
    far = 1e8 + random.normal(size=(50, 5))  # rounding alone would make some of these negative
    assert squared_distances(far, far).min() >= 0


@pytest.mark.parametrize("count, block, sizes", [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 3, [2]), (0, 3, [])])
def test_blocks_cover_each_row_once(count, block, sizes):
    found = [list(range(count))[part] for part in blocks(count, block)]
    assert [len(part) for part in found] == sizes and sum(found, []) == list(range(count))


@pytest.mark.parametrize("sizes", [[10], [1] * 10, [3, 7], [4, 4, 2], [0, 9, 1], []])
def test_rows_are_dealt_in_equal_parts(sizes):
    whole = np.arange(20).reshape(10, 2)[: sum(sizes)]
    parts = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []
    found = list(dealt(iter(parts), 4))
    assert [len(part) for part in found] == ([4, 4, 2] if sizes else [])
    np.testing.assert_array_equal(np.concatenate(found) if found else whole, whole)
