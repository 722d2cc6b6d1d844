"""ACAI's lines against a slow renderer that goes pixel by pixel."""

import math

import numpy as np
import pytest

from kgen import data
from kgen.data.datasets import lines

ALMOST = 1e-8  # radians past 45 degrees, where rounding does not decide
EDGES = np.concatenate([np.arange(-8, 9) * math.pi / 4 + sign * ALMOST for sign in (-1, 1)])


def shared(low, high, other_low, other_high):
    """The length that two intervals share."""
    return max(0.0, min(high, other_high) - max(low, other_low))


def pixel(angle, row, column):
    """The value of one pixel, a unit square; the line runs from (16, 16) to 15 pixels from there."""
    up, right = 15 * math.sin(angle), 15 * math.cos(angle)
    if abs(right) - abs(up) > 0:  # nearer to the horizontal: the same in a mirror that makes rows of columns
        return pixel(-math.pi / 2 - angle, column, row)
    top, bottom = sorted([16, 16 - up])
    middle_before = (row - 1) + 0.5
    across = 16 - (middle_before - 16) * right / up
    last = row < bottom <= row + 1
    rows = row + 1 - max(row, top) if last else shared(row, row + 1, top, bottom)
    return max(0.0, rows) * shared(column, column + 1, across - 1, across + 1)


def test_pixels_are_those_of_the_authors():
    angles = np.concatenate([np.random.default_rng(5).uniform(0, 2 * math.pi, 60), EDGES])
    images = lines.render(angles)
    assert images.shape == (94, 32, 32, 1) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == 1
    expected = [[[pixel(angle, row, column) for column in range(32)] for row in range(32)] for angle in angles]
    np.testing.assert_allclose(images[..., 0], expected, atol=1e-6)


def test_many_are_drawn_as_one():
    angles = np.random.default_rng(6).uniform(0, 2 * math.pi, 2001)
    few = [0, 999, 1000, 2000]
    np.testing.assert_array_equal(lines.render(angles)[few], lines.render(angles[few]))
    assert lines.render([]).shape == (0, 32, 32, 1)


def test_angles_turn_counter_clockwise():
    right, up, left, down = lines.render(np.arange(4) * math.pi / 2)[..., 0]
    for image, rows, columns in [
        (right, slice(15, 17), slice(16, 31)),
        (up, slice(1, 16), slice(15, 17)),
        (left, slice(15, 17), slice(1, 16)),
        (down, slice(16, 31), slice(15, 17)),
    ]:
        assert image[rows, columns].min() == pytest.approx(1) and image.sum() == pytest.approx(30)


def test_a_line_in_rows_by_hand():
    """Right and up at 45 degrees: rows 15 to 5, the first of which it fills by 0.61."""
    image = lines.render([math.pi / 4 + ALMOST])[0, ..., 0]
    reached = 15 * math.sqrt(0.5) - 10
    assert image[15, 15:20] == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)  # row 14 has its middle at column 17.5
    assert image[6, 24:29] == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)
    assert image[5, 25:30] == pytest.approx([0, 0.5 * reached, reached, 0.5 * reached, 0], abs=1e-6)
    assert image.sum() == pytest.approx(2 * (10 + reached))


def test_the_last_band_is_full():
    """Left and down at 45 degrees: to row 26.6, yet row 26 has 2 pixels like all from 16 on."""
    image = lines.render([1.25 * math.pi + ALMOST])[0, ..., 0]
    np.testing.assert_allclose(image.sum(axis=1), [2 * (16 <= row <= 26) for row in range(32)], atol=1e-6)


def test_the_splits_are_fixed_and_different():
    train, test = data.load("lines"), data.load("lines", "test")
    assert train.images.shape == (50000, 32, 32, 1) and train.images.dtype == np.uint8
    assert len(test.images) == 5000 and test.labels is None and test.classes == ()
    np.testing.assert_array_equal(test.images, data.load("lines", "test").images)
    assert (test.images != train.images[:5000]).any(axis=(1, 2, 3)).all()
    half = train.images[:, :16].sum(dtype=float) / train.images.sum(dtype=float)
    assert half == pytest.approx(0.5, abs=0.01)  # as many lines go up as down
