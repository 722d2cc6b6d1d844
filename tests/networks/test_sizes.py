"""Sizes of images that networks can make, and what is said of others."""

import pytest

from kgen.errors import UsageError
from kgen.networks.sizes import checked, divisible


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 3)])
def test_a_size_that_can_be_made_is_returned(shape):
    assert checked(shape, (28, 32, 64)) == shape
    assert checked(shape, {28: None, 64: None}) == shape


@pytest.mark.parametrize(
    "shape, size, nearest",
    [((31, 31, 1), "31x31", 32), ((30, 30, 1), "30x30", 32), ((8, 8, 3), "8x8", 28), ((32, 64, 3), "32x64", 32)],
)
def test_another_size_is_refused_and_the_nearest_named_of_two_the_larger(shape, size, nearest):
    with pytest.raises(UsageError) as refused:
        checked(shape, (28, 32, 64))
    expected = f"This model makes square images of 28, 32, 64 pixels, not {size}: give --image-size {nearest}."
    assert str(refused.value) == expected


UNITS = {28: 4, 32: 8}


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 32, 1), (32, 28, 1), (40, 32, 3), (28, 400, 3)])
def test_a_rectangle_whose_longer_side_is_divisible_is_returned(shape):
    assert divisible(shape, UNITS) == shape


@pytest.mark.parametrize(
    "shape, size, nearest",
    [
        ((28, 30, 1), "28x30", "28x32"),
        ((36, 32, 1), "36x32", "32x32"),  # half of 8 more than 32: an even number of eights
        ((31, 62, 1), "31x62", "32x64"),
        ((99, 64, 3), "99x64", "48x32"),
    ],
)
def test_another_rectangle_is_refused_and_the_nearest_named(shape, size, nearest):
    with pytest.raises(UsageError) as refused:
        divisible(shape, UNITS)
    rules = "28 by a multiple of 4, 32 by a multiple of 8"
    assert str(refused.value) == f"This model makes images of {rules} pixels, not {size}: give --image-size {nearest}."
    divisible((*map(int, nearest.split("x")), 3), UNITS)


def test_another_square_is_refused_as_squares_are():
    with pytest.raises(UsageError, match="square images of 28, 32 pixels, not 48x48: give --image-size 32"):
        divisible((48, 48, 1), UNITS)
