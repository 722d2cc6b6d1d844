"""A shape in every place, size and direction, with known factors: like dSprites, drawn here at 32x32.

There is one white image for each combination of five independent factors: shape (square, ellipse, heart), scale (4),
rotation (8), x and y (8 each), 6,144 images in all. They are ordered by their factors, the last one changing fastest.
The rotation covers a quarter turn, so that it can be seen of a square too. Edges are as grey as the share of the pixel
that they cover, counted at 16 points of it.

Source of the idea: dSprites, Matthey et al. 2017; it has 64x64 pixels, 6 scales, 40 rotations of a full turn and 32
positions.
"""

import math
from collections.abc import Callable

import numpy as np

from kgen.data import Images, Request
from kgen.images import files

SIZE, FINER = 32, 4  # pixels; points along each side of a pixel
SHAPES = ("square", "ellipse", "heart")
FACTORS = {"shape": 3, "scale": 4, "rotation": 8, "x": 8, "y": 8}  # how many values each has
RADIUS, REACH = 0.4, 0.5  # half the side of the largest shape, and the greatest x and y, in the plane [-1, 1]^2
_CHUNK = 64
FACTS = ("6,144 train", "32x32 grey", "3")
EMBEDDED = True  # nothing is downloaded


def load(request: Request) -> Images:
    """Draws the images; every call draws the same ones.

    Returns:
        `Images` of 32x32x1 on a black background, resized if there is a `request.size`. The label is the shape.
    """
    request.part("train")
    values = factors()
    values = values[request.rows(len(values))]
    return Images(files.resize(render(values), request.size), values[:, 0], SHAPES)


def factors() -> np.ndarray:
    """Returns the factors' values for each image, integers from 0, int64 `(6144, 5)`."""
    grid = np.meshgrid(*(np.arange(count) for count in FACTORS.values()), indexing="ij")
    return np.stack([values.ravel() for values in grid], axis=1).astype(np.int64)


def render(values: np.ndarray) -> np.ndarray:
    """Draws the images of factors `(n, 5)`; returns uint8 `(n, 32, 32, 1)`."""
    images = np.empty((len(values), SIZE, SIZE, 1), np.uint8)
    for kind, inside in enumerate((_square, _ellipse, _heart)):
        rows = np.flatnonzero(values[:, 0] == kind)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            images[part, ..., 0] = np.round(255 * _draw(values[part], inside))
    return images


def _draw(values: np.ndarray, inside: Callable) -> np.ndarray:
    """Returns images of one shape, `(n, 32, 32)` in [0, 1]."""
    _, scale, turn, x, y = np.float32(values.T[:, :, None, None])
    counts = list(FACTORS.values())
    radius, angle = RADIUS * (0.5 + 0.5 * scale / (counts[1] - 1)), math.pi / 2 * turn / counts[2]
    middles = np.float32((np.arange(SIZE * FINER) + 0.5) * 2 / (SIZE * FINER) - 1)
    across = middles[None, None, :] - REACH * (2 * x / (counts[3] - 1) - 1)
    up = middles[None, ::-1, None] - REACH * (2 * y / (counts[4] - 1) - 1)  # rows count downwards
    u, v = (
        (np.cos(angle) * across + np.sin(angle) * up) / radius,
        (np.cos(angle) * up - np.sin(angle) * across) / radius,
    )
    return inside(u, v).reshape(len(values), SIZE, FINER, SIZE, FINER).mean(axis=(2, 4))


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns which points lie in a square of half sides .8."""
    return np.maximum(abs(u), abs(v)) <= 0.8


def _ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns which points lie in an ellipse of half axes 1 and 1/2."""
    return u * u + 4 * v * v <= 1


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Returns which points lie in the heart `(a^2 + b^2 - 1)^3 <= a^2 b^3`, a and b 1.25 times u and v."""
    a, b = 1.5625 * u * u, 1.25 * v
    c = a + b * b - 1
    return c * c * c <= a * b * b * b
