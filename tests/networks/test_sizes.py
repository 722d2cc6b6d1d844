"""Sizes of images that networks can make, and what is said of others."""

import pytest

from kgen.errors import UsageError
from kgen.networks.sizes import checked


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
    expected = f"This model makes images of 28, 32, 64 pixels, not {size}: give --image-size {nearest}."
    assert str(refused.value) == expected
