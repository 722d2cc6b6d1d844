"""Attribute vectors against means by hand, on a known autoencoder."""

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.studies import attributes
from tests.helpers.linear_autoencoder import Linear

RANDOM = np.random.default_rng(0)


def test_a_vector_is_the_mean_with_less_the_mean_without():
    codes = RANDOM.normal(size=(30, 4)).astype(np.float32)
    values = RANDOM.integers(2, size=(30, 3)).astype(bool)
    found = attributes.vectors(codes, values)
    for j in range(3):
        have = [codes[i] for i in range(30) if values[i, j]]
        lack = [codes[i] for i in range(30) if not values[i, j]]
        np.testing.assert_allclose(found[j], sum(have) / len(have) - sum(lack) / len(lack), rtol=1e-5, atol=1e-6)
    assert found.dtype == np.float32


def test_chosen_attributes_come_in_the_order_asked_for():
    values = np.tile([[True, False, True], [False, True, True]], (20, 1))
    values[:15, 2] = False
    found = attributes.chosen(values, ("a", "b", "c"), ["c", "a"])
    np.testing.assert_array_equal(found, values[:, [2, 0]])


@pytest.mark.parametrize("wanted, said", [(["Hat"], "no Hat; there are a, b"), (["b"], "b: 9 of 40 images")])
def test_unknown_and_rare_attributes_are_refused(wanted, said):
    values = np.zeros((40, 2), bool)
    values[:20, 0] = values[:9, 1] = True
    with pytest.raises(UsageError, match=said):
        attributes.chosen(values, ("a", "b"), wanted)


def test_the_picture_adds_a_direction_to_the_code():
    pixels = RANDOM.integers(100, 130, (50, 4, 4, 1), np.uint8)
    own = Linear(pixels, 16)  # loses nothing
    brighter = own.encode(np.full((1, 4, 4, 1), 140, np.uint8)) - own.encode(np.full((1, 4, 4, 1), 120, np.uint8))
    sheet = attributes.picture(own, pixels[:5], brighter, 2.0)
    assert sheet.shape == (12, 20, 1)
    np.testing.assert_allclose(sheet[4:8].astype(int), sheet[:4], atol=1)
    np.testing.assert_allclose(sheet[8:].astype(int), sheet[:4].astype(int) + 40, atol=1)
