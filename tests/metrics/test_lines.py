"""Scores of interpolations: rows of known value, SciPy's cosine distance, and angles by hand."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from kgen import data
from kgen.data.datasets import lines
from kgen.metrics import lines as line_metrics

SPACING = 2 * math.pi / 10_000
ANGLES = np.linspace(0, 2 * math.pi, 10_000, endpoint=False)  # of the reference lines


def signed(images):
    """Returns images as float64 rows in [-1, 1]."""
    return 2 * np.float64(images).reshape(-1, 1024) - 1


class Pixels:
    """An autoencoder whose codes are the pixels, so that it cross-fades."""

    def encode(self, images):
        assert images.dtype == np.uint8
        return images.reshape(len(images), -1) / np.float32(255)

    def decode(self, codes):
        assert codes.dtype == np.float32
        return codes.reshape(-1, 32, 32, 1)


@pytest.fixture(scope="module")
def turns():
    """How far each of 256 random pairs turns, the shorter way, in 16 steps of angle `(256, 16)`."""
    start, end = np.random.default_rng(0).uniform(0, 2 * math.pi, (2, 256, 1))
    return start + ((end - start + math.pi) % (2 * math.pi) - math.pi) * np.linspace(0, 1, 16)


@pytest.fixture(scope="module")
def perfect(turns):
    """The lines of `turns`, a perfect interpolation."""
    return lines.render(turns.ravel()).reshape(256, 16, 32, 32, 1)


# Rows computed with the authors' code on 256 random pairs, to the digits given. Those are other pairs than these, so
# where a score varies with the pairs the two may differ by sampling: the standard error of a mean of 256, measured on
# 2,025, is 0.091e-3 and .011 for the cross-fade. Elsewhere distances agree to the digits, and what smoothness there is
# comes from the few pairs that hardly turn; of those of seed 0 none turns less than 0.03.


def test_a_perfect_interpolation(perfect):
    found = line_metrics.scores(perfect)
    assert found["mean_distance"] == pytest.approx(0.0002e-3, abs=0.00005e-3)
    assert found["smoothness"] == pytest.approx(0.0005, abs=0.00005)


def test_a_perfect_interpolation_is_as_smooth_as_the_references_are_dense(perfect, turns):
    """An angle is less than a spacing off, so a step and the whole turn are less than two; and no pair is below 0."""
    _, angles = line_metrics.nearest(perfect)
    assert abs(np.angle(np.exp(1j * (angles - turns)))).max() < SPACING
    for pair, turn in zip(angles, abs(turns[:, -1] - turns[:, 0]), strict=True):
        assert -1e-9 <= line_metrics.smoothness(pair[None]) <= 2 * SPACING * (1 + 1 / 15) / (turn - 2 * SPACING)


def test_a_cross_fade():
    """End to end: through codes, on test lines rounded to bytes. Two samples differ by 2 of their standard errors."""
    found = line_metrics.line_scores(Pixels())
    assert found["mean_distance"] == pytest.approx(6.33e-3, abs=2 * math.sqrt(2) * 0.091e-3)
    assert found["smoothness"] == pytest.approx(0.893, abs=2 * math.sqrt(2) * 0.011)


def test_an_abrupt_switch(perfect):
    found = line_metrics.scores(perfect[:, [0] * 8 + [15] * 8])
    assert found["mean_distance"] == pytest.approx(0.0002e-3, abs=0.00005e-3)
    assert found["smoothness"] == pytest.approx(1 - 1 / 15, abs=1e-12)  # .933


def test_perfect_lines_with_noise(perfect):
    """Noise of 0.05 where black is -1. By hand it adds 1024 0.05^2 to the square of each length and leaves products."""
    noise = np.random.default_rng(1).normal(0, 0.05 / 2, perfect.shape)
    found = line_metrics.scores(perfect + noise)
    assert found["mean_distance"] == pytest.approx(1.27e-3, abs=0.005e-3)
    assert found["smoothness"] == pytest.approx(0.002, abs=0.0005)
    squares = np.square(signed(perfect)).sum(axis=1)
    by_hand = (1 - 1 / np.sqrt(1 + 1024 * 0.05**2 / squares)).mean()
    assert found["mean_distance"] == pytest.approx(by_hand, rel=0.003)


def test_a_black_image():
    distance, _ = line_metrics.nearest(np.zeros((1, 32, 32, 1)))
    assert distance == pytest.approx(30.7e-3, abs=0.05e-3)
    references = signed(lines.render(ANGLES))
    cosines = -references.sum(axis=1) / 32 / np.sqrt(np.square(references).sum(axis=1))
    assert distance == pytest.approx(1 - cosines.max(), abs=1e-7)


# Nearest lines.


@pytest.mark.parametrize("kind", ["perfect", "cross-fade", "uniform"])
def test_the_nearest_line_is_the_one_that_scipy_finds(kind, perfect):
    random, weights = np.random.default_rng(2), np.linspace(0, 1, 16)[:, None, None, None]
    images = {
        "perfect": perfect[:4],
        "cross-fade": (1 - weights) * perfect[:4, :1] + weights * perfect[:4, -1:],
        "uniform": random.uniform(0, 1, (4, 16, 32, 32, 1)),
    }[kind]
    distances, angles = line_metrics.nearest(images)
    apart = cdist(signed(images), signed(lines.render(ANGLES)), "cosine")
    assert distances.shape == angles.shape == (4, 16)
    np.testing.assert_allclose(distances.ravel(), apart.min(axis=1), rtol=0, atol=1e-7)
    chosen = apart[np.arange(64), np.rint(angles.ravel() / SPACING).astype(int)]
    np.testing.assert_allclose(distances.ravel(), chosen, rtol=0, atol=1e-12)
    assert (angles.ravel() == ANGLES[apart.argmin(axis=1)]).mean() > 0.95  # all but near ties


@pytest.mark.parametrize("block", [1, 7, 48, 1000])
def test_blocks_do_not_matter(block, perfect):
    images = perfect[:3] * np.float32(0.9)
    distances, angles = line_metrics.nearest(images, block=block)
    expected, expected_angles = line_metrics.nearest(images)
    np.testing.assert_allclose(distances, expected, rtol=0, atol=1e-7)
    np.testing.assert_allclose(angles, expected_angles, rtol=0, atol=1.01 * SPACING)


def test_grey_has_no_direction():
    distances, angles = line_metrics.nearest(np.full((2, 32, 32, 1), 0.5))
    assert np.isnan(distances).all() and (angles == 0).all()


def test_images_that_are_no_lines():
    with pytest.raises(ValueError, match=r"`images` must be \(..., 32, 32, 1\). Received: \(2, 28, 28, 1\)"):
        line_metrics.nearest(np.zeros((2, 28, 28, 1)))


# Smoothness.


@pytest.mark.parametrize(
    "angles, expected",
    [
        ([[0.0, 0.1, 0.2, 0.3]], 0.0),
        ([[3.0, 2.0, 1.0]], 0.0),
        ([[0.0, 0.1, 0.4, 0.5]], 0.3 / 0.5 - 1 / 3),
        ([[0.0, 0.0, 2.0]], 1 - 1 / 2),
        ([[0.0, 0.5, 0.2]], 0.5 / 0.2 - 1 / 2),  # turns back
        ([[6.1, 6.2, 6.3 - 2 * math.pi, 6.4 - 2 * math.pi]], 0.0),  # through 2 pi
        ([[0.1, 0.0, 2 * math.pi - 0.3]], 0.3 / 0.4 - 1 / 2),
        ([[0.0, 2.5, 5.0, 7.5 - 2 * math.pi]], 0.0),  # once round, and further
        ([[0.0, 0.1, 0.4, 0.5], [1.0, 2.0, 2.0, 1.00009]], (0.3 / 0.5 - 1 / 3) / 2),  # the second hardly turns
        ([[1.0, 1.0, 1.00011]], 1 - 1 / 2),
    ],
)
def test_smoothness_by_hand(angles, expected):
    assert line_metrics.smoothness(np.array(angles)) == pytest.approx(expected, abs=1e-9)


def test_no_smoothness_without_a_turn():
    assert math.isnan(line_metrics.smoothness(np.array([[1.0, 2.0, 1.0], [3.0, 3.0, 3.0]])))


# Interpolations.


def test_first_half_with_second_half():
    images = np.random.default_rng(3).integers(0, 256, (6, 32, 32, 1)).astype(np.uint8)
    found = line_metrics.interpolations(Pixels(), images, steps=5)
    assert found.shape == (3, 5, 32, 32, 1) and found.dtype == np.float32
    for pair in range(3):
        x, y = images[pair] / 255, images[pair + 3] / 255
        np.testing.assert_array_equal(found[pair, [0, 4]], np.float32([x, y]))
        np.testing.assert_allclose(found[pair, 1], 0.75 * x + 0.25 * y, atol=1e-6)


@pytest.mark.parametrize("count", [0, 3])
def test_images_that_make_no_pairs(count):
    with pytest.raises(ValueError, match=f"`images` must be an even number, above 0. Received: {count}"):
        line_metrics.interpolations(Pixels(), np.zeros((count, 32, 32, 1), np.uint8))


def test_one_step_has_no_two_ends():
    with pytest.raises(ValueError, match="`steps` must be 2 or more. Received: 1"):
        line_metrics.interpolations(Pixels(), np.zeros((2, 32, 32, 1), np.uint8), steps=1)


def test_the_seed_chooses_test_images(monkeypatch):
    monkeypatch.setattr(line_metrics, "scores", lambda images: images)
    first, again, other = (line_metrics.line_scores(Pixels(), seed) for seed in (0, 0, 1))
    assert first.shape == (256, 16, 32, 32, 1)
    np.testing.assert_array_equal(first, again)
    assert (first[:, 0] != other[:, 0]).any(axis=(1, 2, 3)).mean() > 0.9
    ends = np.rint(255 * np.concatenate([first[:, 0], first[:, -1]])).astype(np.uint8)
    test = {image.tobytes() for image in data.load("lines", "test").images}
    assert len({image.tobytes() for image in ends}) > 500 and all(image.tobytes() in test for image in ends)
