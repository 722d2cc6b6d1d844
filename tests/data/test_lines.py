"""ACAI's lines against a slow supersampled renderer."""

import math

import numpy as np
import pytest

from kgen import data
from kgen.data import lines


def supersampled(angle, steps=16):
    """The share of each pixel that a 15 x 2 rectangle covers, by counting 16 x 16 points of it."""
    places = (np.arange(32 * steps) + 0.5) / steps - 16
    x, y = np.meshgrid(places, -places)
    turned = (x + 1j * y) * np.exp(-1j * angle)
    inside = (turned.real >= 0) & (turned.real <= 15) & (abs(turned.imag) <= 1)
    return inside.reshape(32, steps, 32, steps).mean((1, 3))


def test_each_pixel_is_the_share_that_the_line_covers():
    angles = np.append(np.random.default_rng(5).uniform(0, 2 * math.pi, 40), [0, math.pi / 4, math.pi / 2, math.pi])
    images = lines.render(angles)
    assert images.shape == (44, 32, 32, 1) and images.dtype == np.float32
    assert images.min() == 0 and images.max() == pytest.approx(1)
    expected = np.stack([supersampled(angle) for angle in angles])
    np.testing.assert_allclose(images[..., 0], expected, atol=0.08)
    assert abs(images[..., 0] - expected).mean() < 0.001
    np.testing.assert_allclose(images.sum((1, 2, 3)), 15 * 2, atol=1)


def test_angles_turn_counter_clockwise():
    right, up = lines.render([0, math.pi / 2])[..., 0]
    assert right[15:17, 16:31].min() == pytest.approx(1) and right.sum() == pytest.approx(30, abs=0.01)
    assert up[1:16, 15:17].min() == pytest.approx(1, abs=1e-5)


def test_the_splits_are_fixed_and_different():
    train, test = data.load("lines"), data.load("lines", "test")
    assert train.images.shape == (50000, 32, 32, 1) and train.images.dtype == np.uint8
    assert len(test.images) == 5000 and test.labels is None and test.classes == ()
    np.testing.assert_array_equal(test.images, data.load("lines", "test").images)
    assert (test.images != train.images[:5000]).any(axis=(1, 2, 3)).all()
    half = train.images[:, :16].sum(dtype=float) / train.images.sum(dtype=float)
    assert half == pytest.approx(0.5, abs=0.01)  # as many lines go up as down
