"""Orders that depend on images alone."""

import numpy as np
import pytest

from kgen.images.order import order_by_content, shared


def images(count=200):
    return np.random.default_rng(0).integers(0, 4, (count, 2, 2, 1), np.uint8)  # 256 kinds: some are equal


@pytest.mark.parametrize("seed", range(3))
def test_order_by_content_undoes_any_permutation(seed):
    straight, random = images(), np.random.default_rng(seed)
    permuted = random.permutation(straight)
    expected = straight[order_by_content(straight, "real")]
    np.testing.assert_array_equal(permuted[order_by_content(permuted, "real")], expected)
    assert sorted(order_by_content(straight, "real")) == list(range(len(straight)))


def test_orders_of_two_salts_are_unrelated():
    one, other = (order_by_content(images(), salt) for salt in ("real", "generated"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.25 and (one == other).sum() < 10


def test_equal_images_do_not_become_neighbours():
    equal = np.zeros((100, 2, 2, 1), np.uint8)
    both = np.concatenate([equal, equal + 1])
    ordered = both[order_by_content(both, "real"), 0, 0, 0].astype(int)
    assert 60 < np.abs(np.diff(ordered)).sum() < 140  # 99.5 changes are expected, one if equal images stayed together


def test_order_of_a_view_is_that_of_its_copy():
    view = images().transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(order_by_content(view, "real"), order_by_content(view.copy(), "real"))


def test_shared_counts_images_of_equal_content():
    one = np.arange(40, dtype=np.uint8).reshape(10, 2, 2, 1)
    assert shared(one, one[::-1]) == 10
    assert shared(one[:4], one[2:6] + 0) == 2 and shared(one, one + 100) == 0
