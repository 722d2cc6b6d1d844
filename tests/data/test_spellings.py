"""Sizes and colours, as a user writes them."""

import pytest

from kgen.data.spellings import colour, sides
from kgen.errors import UsageError


@pytest.mark.parametrize(
    "size, found",
    [(None, None), (64, (64, 64)), ("64x96", (64, 96)), ("1x4096", (1, 4096)), ("64x64", (64, 64)), ("8", (8, 8))],
)
def test_a_size_is_a_number_or_height_x_width(size, found):
    assert sides(size) == found


@pytest.mark.parametrize(
    "size", ["", "x", "64x", "x64", "64X96", "64x96x3", "-4", -4, "6.5", " 64", "big", "9" * 5000, "\u0663"]
)
def test_another_size_is_refused(size):
    with pytest.raises(UsageError, match="^--image-size must be pixels like 64, or height x width like 64x96, not "):
        sides(size)


@pytest.mark.parametrize("size", [0, 4097, "0x8", "8x0", "8x4097", 10**30])
def test_a_side_is_1_to_4096_pixels(size):
    with pytest.raises(UsageError, match=f"^--image-size must be from 1 to 4096, not {size}"):
        sides(size)


@pytest.mark.parametrize(
    "name, found",
    [
        (None, None),
        ("white", (255, 255, 255)),
        ("black", (0, 0, 0)),
        ("#0180ff", (1, 128, 255)),
        ("#FFaa00", (255, 170, 0)),
    ],
)
def test_a_colour_is_white_black_or_hexadecimal(name, found):
    assert colour(name) == found


@pytest.mark.parametrize("name", ["", "red", "White", "#fff", "#12345g", "ffffff", "#ffffff0", "#ffffff\n"])
def test_another_colour_is_refused(name):
    with pytest.raises(UsageError, match="^--background must be white, black or a colour like #ff8000, not "):
        colour(name)
