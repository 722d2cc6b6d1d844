"""8 Gaussians on a ring, as images: each point is a soft round spot. On this small dataset modes can be counted.

An image shows the plane [-1, 1]^2, x to the right and y upwards. The modes lie on a circle of radius 0.75 and have a
standard deviation of 0.02. Neighbouring modes are therefore 28 standard deviations apart, and `within 4 standard
deviations of a centre` means within 0.08.
Source: the ring of Metz et al. 2017 (Unrolled GAN), arXiv:1611.02163, section 3.1, scaled to fit the image.
"""

import math

import numpy as np

from kgen.data import Images, Request
from kgen.images import files

MODES, RADIUS, STANDARD_DEVIATION = 8, 0.75, 0.02
SIZE = 32
SPOT = 1.0  # standard deviation of the spot, in pixels
_COUNTS = {"train": 10_000, "test": 2_000}
_SEEDS = {"train": 0, "test": 1}
FACTS = ("10,000 train, 2,000 test", "32x32 grey", "8")
EMBEDDED = True  # nothing is downloaded


def load(request: Request) -> Images:
    """Draws the points; every call draws the same ones.

    Returns:
        `Images` of 32x32x1 on a black background, resized if there is a `request.size`. The label is the number of the
        mode, counter-clockwise from 0 at angle 0.
    """
    part = request.part(*_COUNTS)
    places, modes = _draw(_COUNTS[part], _SEEDS[part])
    rows = request.rows(len(places))
    classes = tuple(str(mode) for mode in range(MODES))
    return Images(files.resize(render(places[rows]), request.size), modes[rows], classes)


def centres() -> np.ndarray:
    """Returns the centres of the 8 modes, float32 `(8, 2)`: `0.75 (cos 2 pi k / 8, sin 2 pi k / 8)`."""
    angles = 2 * math.pi * np.arange(MODES) / MODES
    return np.float32(RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def points(count: int, seed: int) -> np.ndarray:
    """Returns `count` random points of the mixture, float32 `(count, 2)`."""
    return _draw(count, seed)[0]


def _draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns `(points, modes)`: float32 `(count, 2)`, and the number of each point's mode, `(count,)`."""
    random = np.random.default_rng(seed)
    modes = random.integers(MODES, size=count)
    return np.float32(centres()[modes] + random.normal(0, STANDARD_DEVIATION, (count, 2))), modes


def render(places: np.ndarray) -> np.ndarray:
    """Draws one spot for each point of `(n, 2)` in [-1, 1]^2; returns uint8 `(n, 32, 32, 1)`, 255 at a spot's peak."""
    middles = np.float32((np.arange(SIZE) + 0.5) * 2 / SIZE - 1)  # of the pixels, in the plane
    scaled = (middles[None, None, :] - places[:, :, None]) * SIZE / 2 / SPOT
    across, up = np.exp(-(scaled[:, 0] ** 2) / 2), np.exp(-(scaled[:, 1, ::-1] ** 2) / 2)  # rows count downwards
    return np.round(255 * up[:, :, None] * across[:, None, :]).astype(np.uint8)[..., None]


def locate(images: np.ndarray) -> np.ndarray:
    """Finds the points of images: the inverse of `render`, to within 0.002.

    A point is the centroid of the brightness above a tenth of the brightest pixel. A faint background therefore has no
    influence.

    Args:
        images: `(n, height, width, 1)`, not negative, of any scale (uint8, or [0, 1]).

    Returns:
        float32 `(n, 2)` in [-1, 1]; NaN where an image is black.
    """
    images = np.asarray(images, np.float32)[..., 0]
    images = np.maximum(images - images.max(axis=(1, 2), keepdims=True) / 10, 0)
    height, width = images.shape[1:]
    x, y = (np.arange(width) + 0.5) * 2 / width - 1, 1 - (np.arange(height) + 0.5) * 2 / height
    with np.errstate(invalid="ignore"):
        mass = images.sum(axis=(1, 2))
        return np.float32(np.stack([images.sum(1) @ x / mass, images.sum(2) @ y / mass], axis=1))
