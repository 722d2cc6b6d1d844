"""The lines of ACAI, Berthelot et al. 2019, arXiv:1807.07543, section 4.1: 32x32, from the centre, at every angle.

A line runs 15 pixels from the centre. It is drawn in bands: pixel rows where it is nearer to the vertical, pixel
columns where it is nearer to the horizontal; at 45 degrees rounding decides. This follows the authors' code,
lib/data.py, with its three properties:

- The line fills 2 pixels of each band, whatever its slope. At 45 degrees it is therefore only 1.41 pixels thick.
- A band shows the line where it crosses the middle of the band before. The line thus lies one row too low, or one
  column too far to the right.
- The first band (topmost or leftmost) is as bright as the share of the band that the line reaches into. The last band
  is always fully bright.
"""

import math

import numpy as np

from kgen.data import Images, Request
from kgen.images import files

SIZE, LENGTH, WIDTH = 32, 15, 2
_COUNTS = {"train": 50_000, "test": 5_000}  # the authors draw training lines without end, and 5,000 test lines
_SEEDS = {"train": 0, "test": 1}
_CHUNK = 1000
FACTS = ("50,000 train, 5,000 test", "32x32 grey", "none")
EMBEDDED = True  # nothing is downloaded


def load(request: Request) -> Images:
    """Draws lines at angles uniform in [0, 2 pi); every call draws the same lines.

    Returns:
        `Images` of 32x32x1 on a black background, without labels; resized if there is a `request.size`.
    """
    part = request.part(*_COUNTS)
    angles = np.random.default_rng(_SEEDS[part]).uniform(0, 2 * math.pi, _COUNTS[part])
    angles = angles[request.rows(len(angles))]
    return Images(files.resize(np.round(255 * render(angles)).astype(np.uint8), request.size), None, ())


def render(angles: np.ndarray) -> np.ndarray:
    """Draws one line for each angle, as the authors' code does.

    Args:
        angles: `(n,)`, in radians, counter-clockwise from the direction of increasing columns.

    Returns:
        float32 `(n, 32, 32, 1)` in [0, 1]; the background is 0.
    """
    angles = np.asarray(angles, np.float64)
    images = np.empty((len(angles), SIZE, SIZE, 1), np.float32)
    for start in range(0, len(angles), _CHUNK):  # all at once would take gigabytes
        images[start : start + _CHUNK, ..., 0] = _draw(angles[start : start + _CHUNK])
    return images


def _draw(angles: np.ndarray) -> np.ndarray:
    """Returns the lines of angles `(n,)`, `(n, 32, 32)` in [0, 1]."""
    centre, pixels = SIZE / 2, np.arange(SIZE)
    ends = centre + LENGTH * np.stack([-np.sin(angles), np.cos(angles)])  # row, column
    rows, columns = ends - centre  # not LENGTH times sine and cosine: rounds as the authors' code does
    flat = abs(rows) < abs(columns)
    forward, sideways = np.where(flat, [columns, rows], [rows, columns])[..., None]  # from band to band, along a band
    reach = np.clip(pixels + 1 - centre - np.minimum(forward, 0), 0, 1) * (pixels < centre + np.maximum(forward, 0))
    crossing = centre + (pixels - 0.5 - centre) * sideways / forward
    filled = np.clip((WIDTH + 1) / 2 - abs(pixels + 0.5 - crossing[..., None]), 0, 1)  # the share of each pixel
    drawn = reach[..., None] * filled
    return np.where(flat[:, None, None], drawn.swapaxes(1, 2), drawn)
