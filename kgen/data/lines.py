"""The lines of ACAI, Berthelot et al. 2019, arXiv:1807.07543, section 4.1: 32x32, from the centre, at every angle.

Deviation: the official rasteriser measures the width along the nearer axis (so 45 degree lines are 1.41 thick), sets
the line off by up to a pixel and draws some ends without anti-aliasing; here the line is 2 thick everywhere. Its images
are 0.04 in mean cosine distance from these, so the two must not be mixed in one evaluation.
"""

import math

import numpy as np

from kgen import decode
from kgen.data import Images

SIZE, LENGTH, WIDTH = 32, 15, 2
_COUNTS = {"train": 50_000, "test": 5_000}  # the official training set is endless, the test set has 5,000
_SEEDS = {"train": 0, "test": 1}
_CHUNK = 1000


def load(request):
    """Draws lines at angles uniform in [0, 2 pi), the same in every call.

    Returns:
        `Images` of 32x32x1 (or `request.size`, resized), black background, without labels.
    """
    part = request.part(*_COUNTS)
    angles = np.random.default_rng(_SEEDS[part]).uniform(0, 2 * math.pi, _COUNTS[part])
    angles = angles[request.rows(len(angles))]
    return Images(decode.resize(np.round(255 * render(angles)).astype(np.uint8), request.size), None, ())


def render(angles):
    """Draws one line for each angle.

    A pixel's value is the share of it that the line covers, with the pixel taken to be a square turned with the line.

    Args:
        angles: `(n,)`, in radians, counter-clockwise from the direction of increasing columns.

    Returns:
        float32 `(n, 32, 32, 1)` in [0, 1], 0 is background.
    """
    angles = np.asarray(angles, np.float32)
    images = np.empty((len(angles), SIZE, SIZE, 1), np.float32)
    for start in range(0, len(angles), _CHUNK):  # all at once would take gigabytes
        images[start : start + _CHUNK, ..., 0] = _draw(angles[start : start + _CHUNK, None, None])
    return images


def _draw(angle):
    centred = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
    x, y = centred[None, :], -centred[:, None]  # rows count downwards
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    return _overlap(along, 0, LENGTH) * _overlap(across, -WIDTH / 2, WIDTH / 2)


def _overlap(position, low, high):
    """Returns the length that [position - 1/2, position + 1/2] shares with [low, high], which is at least 1 long."""
    return np.clip(np.minimum(position - low, high - position) + np.float32(0.5), 0, 1)
