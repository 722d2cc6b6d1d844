"""Frechet distance of two sets of features, each taken as a normal distribution. With Inception's features it is FID.

    |m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2))

Source: Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500, equation 6.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.metrics.arrays import dealt, rows
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

LEAST = 2_048  # images; with fewer the bias is large
BLOCK = 1_000  # rows at a time


class Statistics(NamedTuple):
    """What the Frechet distance needs of a set of features.

    mean: `(d,)`.
    covariance: unbiased, `(d, d)`.
    count: number of features.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int


def statistics(features: np.ndarray) -> Statistics:
    """Returns the `Statistics` of features `(n, d)`; raises ValueError if they are not finite, or fewer than 2."""
    return statistics_of_parts([np.asarray(features)])


def statistics_of_parts(parts: Iterable[np.ndarray]) -> Statistics:
    """Returns the `Statistics` of features that come in parts `(n_i, d)`, of which only a block is kept.

    Mean and sum of products about the mean are merged in float64, block after block. They do not depend on the sizes
    of the parts. Source: Chan, Golub and LeVeque 1983 (The American Statistician 37), equations 2.1 and 2.2.

    Raises:
        ValueError: features are not finite, or there are fewer than 2.
    """
    count, mean, products, block = 0, 0.0, 0.0, np.empty((0, 1))
    for block in dealt(parts, BLOCK):
        found = rows(block, "features", least=1)
        size, middle = len(found), found.mean(axis=0)
        found -= middle
        apart = middle - mean
        products = products + found.T @ found + np.outer(apart, apart) * (count * size / (count + size))
        mean = mean + apart * (size / (count + size))
        count += size
    if count < 2:
        rows(block, "features")  # raises
    return Statistics(mean, products / (count - 1), count)


def frechet_distance(x: Statistics, y: Statistics) -> float:
    """Squared Frechet distance of two normal distributions.

    The estimate is biased upwards. The bias grows as features get fewer, and is largest with fewer than d of them. So
    compare distances only at equal counts, and quote the counts.

    Args:
        x, y: `Statistics` of features of the same size.

    Returns:
        float, 0 or more. The trace of `(C C')^(1/2)` is the sum of the square roots of the eigenvalues of
        `C^(1/2) C' C^(1/2)`, which is symmetric. This is exact also for singular covariances; the official code adds
        1e-6 to their diagonals.

    Raises:
        ValueError: sizes differ.
    """
    if x.mean.shape != y.mean.shape:
        raise ValueError(f"Features must be of one size. Received: {len(x.mean)} and {len(y.mean)}.")
    values, vectors = np.linalg.eigh(x.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ y.covariance @ root), 0)).sum()
    spread = np.trace(x.covariance) + np.trace(y.covariance) - 2 * shared
    return float(max(((x.mean - y.mean) ** 2).sum() + spread, 0.0))  # rounding may go below 0


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the FID of the generated images, or the Frechet distance of other features."""
    fake = evidence.fake_statistics
    counts, size = min(fake.count, len(evidence.real.images)), len(fake.mean)
    few = f"of {counts} images it is biased upwards by much: take {max(LEAST, size)} or more, usually 50,000."
    return [
        Measurement(
            name="fid",
            label=evidence.named("FID", "FID"),
            value=frechet_distance(fake, evidence.real_statistics),
            protocol=evidence.protocol_of_features(),
            warnings=(few,) if counts < max(LEAST, size) else (),
        )
    ]


METRICS = {"fid": Metric(measure, of_features=True, of_moments=True)}
