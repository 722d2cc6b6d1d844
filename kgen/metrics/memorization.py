"""The test of data copying: whether samples lie nearer to the training images than held-out real images do.

With d(x) the distance of an image to its nearest training image, U counts the pairs (sample, held-out image) in which
the sample has the greater d, and C_T is U as a Mann-Whitney z-score: 0 if both have one distribution of d, below 0 if
samples are nearer. The whole space is one cell; the paper also divides it by k-means, which finds a copied part.

Source: Meehan et al. 2020, arXiv:2004.05675, section 3.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.images import to_bytes
from kgen.images.order import shared
from kgen.images.stored import parts_of
from kgen.metrics.arrays import blocks, squared_distances
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.images.stored import StoredImages
    from kgen.metrics.evidence import Evidence

COMPARED = 2_000  # samples, and held-out images
BLOCK = 1_000  # training images at a time


class Copying(NamedTuple):
    """What `copying` returns: C_T, the probability of one as low without copying, the share of pairs, see there."""

    z: float
    p_value: float
    nearer: float


def nearest(images: np.ndarray, training: "np.ndarray | StoredImages") -> np.ndarray:
    """Returns the Euclidean distance of each image to its nearest training image, pixels in [0, 1], float64 `(n,)`.

    Bytes are whole numbers, so that the distances are exact, and 0 for a copy.

    Args:
        images: uint8 `(n, ...)`.
        training: uint8 `(m, ...)` of the same shape, m at least 1.
    """
    rows, found = images.reshape(len(images), -1).astype(np.float64), np.full(len(images), np.inf)
    for several in parts_of(training):
        for part in blocks(len(several), BLOCK):
            theirs = several[part].reshape(part.stop - part.start, -1).astype(np.float64)
            np.minimum(found, squared_distances(rows, theirs).min(axis=1), out=found)
    return np.sqrt(found) / 255


def copying(samples: np.ndarray, held_out: np.ndarray) -> Copying:
    """Returns C_T of distances, with the correction of its variance for ties, and the normal approximation's p-value.

    `nearer` is the share of pairs (sample, held-out image) in which the sample is nearer; ties count one half. It is
    1/2 without copying.

    Args:
        samples: distances of samples to their nearest training images, `(n,)`, n at least 1.
        held_out: those of held-out real images, `(m,)`, m at least 1.
    """
    n, m = len(samples), len(held_out)
    _, places, counts = np.unique(np.concatenate([samples, held_out]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    farther = ranks[:n].sum() - n * (n + 1) / 2
    ties = (counts.astype(np.float64) ** 3 - counts).sum() / ((n + m) * (n + m - 1))
    variance = n * m / 12 * (n + m + 1 - ties)
    z = (farther - n * m / 2) / math.sqrt(variance) if variance > 0 else 0.0
    return Copying(float(z), 0.5 * math.erfc(-z / math.sqrt(2)), float(1 - farther / (n * m)))


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns C_T of the generated images."""
    samples, held_out = to_bytes(evidence.fake[:COMPARED]), evidence.real_images[:COMPARED]
    training = evidence.training.images
    distances = [nearest(images, training) for images in (samples, held_out)]
    found, known = copying(*distances), shared(held_out, training)
    same = f"{known} of {len(held_out)} held-out images are training images, at a distance of 0: copying is not seen."
    return [
        Measurement(
            name="memorization",
            label="Data copying C_T, far below 0: copies",
            value=found.z,
            higher=None,
            protocol=evidence.protocol(
                compared=len(samples),
                held_out=len(held_out),
                training=len(training),
                distance="Euclidean, of pixels",
                cells=1,
            ),
            found={
                "p_value": found.p_value,
                "nearer": found.nearer,
                "median_of_samples": float(np.median(distances[0])),
                "median_of_held_out": float(np.median(distances[1])),
            },
            warnings=(same,) if known else (),
        )
    ]


METRICS = {"memorization": Metric(measure, of_training=True, ranks=False)}
