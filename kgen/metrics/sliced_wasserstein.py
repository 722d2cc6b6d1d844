"""The sliced Wasserstein distance of two sets of images: the mean over directions of distances on a line.

    SW^2 = E_u W_2^2(u'x, u'y),  u uniform on the unit sphere

On a line the Wasserstein distance of equally many numbers compares them in sorted order. No network is needed, and the
distance is 0 only for equal distributions. Source: Rabin et al. 2011 (SSVM), equation 12. Karras et al. 2018,
arXiv:1710.10196, section 5, take patches of Laplacian pyramids in place of whole images.
"""

from typing import TYPE_CHECKING

import numpy as np

from kgen.metrics.arrays import alike, blocks
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

DIRECTIONS = 1_000
BLOCK = 100  # directions at a time


def sliced_wasserstein(x: np.ndarray, y: np.ndarray, directions: int = DIRECTIONS, seed: int = 0) -> np.ndarray:
    """Returns `W_2^2(u'x, u'y)` under each direction, float64 `(directions,)`; their mean estimates SW^2.

    The estimate is biased upwards, less with more rows: also two sets of one distribution are apart.

    Args:
        x, y: `(n, d)` each.
        directions: number of random directions u, 1 or more.
        seed: of the directions.

    Raises:
        ValueError: the shapes differ, there are fewer than 2 rows, or a number is NaN or infinite.
    """
    x, y = alike(x, y)
    if len(x) != len(y) or directions < 1:
        raise ValueError(
            f"`x` and `y` must be as many rows, `directions` 1 or more. Received: {len(x)}, {len(y)}, {directions}."
        )
    random, found = np.random.default_rng(seed), []
    for part in blocks(directions, BLOCK):
        u = random.standard_normal((x.shape[1], part.stop - part.start))
        u /= np.linalg.norm(u, axis=0)
        found.append(np.square(np.sort(x @ u, axis=0) - np.sort(y @ u, axis=0)).mean(axis=0))
    return np.concatenate(found)


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the sliced Wasserstein distance of pixels in [0, 1]."""
    count = min(len(evidence.real.images), len(evidence.fake))
    real, fake = (images[:count].reshape(count, -1) for images in (evidence.real_unit, evidence.fake))
    return [
        Measurement(
            name="swd",
            label="Sliced Wasserstein distance of pixels",
            value=float(np.sqrt(sliced_wasserstein(real, fake).mean())),
            protocol=evidence.protocol(compared=count, directions=DIRECTIONS),
        )
    ]


METRICS = {"swd": Metric(measure)}
