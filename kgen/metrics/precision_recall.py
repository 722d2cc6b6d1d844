"""Precision and recall, density and coverage: how realistic samples are, and how much of the real data they cover.

Each feature has a ball, whose radius is the distance to its k-th nearest neighbour in its own set. Precision is the
share of generated features that lie in a ball of a real feature. Recall is the share of real features that lie in a
ball of a generated feature. Density is the mean number of real balls that a generated feature lies in, divided by k.
Coverage is the share of real balls that contain a generated feature.

Source: precision and recall: Kynkaanniemi et al. 2019, arXiv:1904.06991, equations 1 and 2, with k = 3. Density and
coverage, which are more robust to outliers among real images: Naeem et al. 2020, arXiv:2002.09797, equations 3 and 4,
with k = 5.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.metrics.arrays import alike, blocks, squared_distances
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

LEAST = 2_048  # images; with fewer the balls are large

BLOCK = 1_000  # rows at a time


class PrecisionRecall(NamedTuple):
    """Four numbers in [0, 1], of which only density may be above 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(
    real: np.ndarray, fake: np.ndarray, neighbours: int = 3, neighbours_of_density: int = 5
) -> PrecisionRecall:
    """Returns precision and recall, density and coverage.

    Compare them only at equal counts, since balls get smaller with more features.

    Args:
        real: features, `(n, d)`.
        fake: features of the same size, `(m, d)`. n and m must be greater than both numbers of neighbours.
        neighbours: k of precision and recall.
        neighbours_of_density: k of density and coverage.

    Returns:
        `PrecisionRecall`.

    Raises:
        ValueError: the sizes d differ, there are too few rows, or a number is NaN or infinite.
    """
    if min(neighbours, neighbours_of_density) < 1:
        raise ValueError(f"Neighbours must be 1 or more. Received: {neighbours} and {neighbours_of_density}.")
    real, fake = alike(real, fake, ("real", "fake"), least=1 + max(neighbours, neighbours_of_density))
    of_real = radii(real, (neighbours, neighbours_of_density))
    of_fake = radii(fake, (neighbours,))[0]
    hits, dense, reached = np.zeros(len(fake), bool), 0, np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for part in blocks(len(fake), BLOCK):
        distances = squared_distances(fake[part], real)
        hits[part] = (distances <= of_real[0]).any(axis=1)
        inside = distances <= of_real[1]
        dense += inside.sum()
        covered |= inside.any(axis=0)
        reached |= (distances <= of_fake[part, None]).any(axis=0)
    density = dense / (neighbours_of_density * len(fake))
    return PrecisionRecall(float(hits.mean()), float(reached.mean()), float(density), float(covered.mean()))


def radii(features: np.ndarray, neighbours: tuple[int, ...]) -> np.ndarray:
    """Returns squared distances to the k-th nearest other row, for each k of `neighbours`: float64 `(len, n)`."""
    found = np.empty((len(neighbours), len(features)))
    for part in blocks(len(features), BLOCK):
        distances = squared_distances(features[part], features)
        distances[np.arange(part.stop - part.start), np.arange(part.start, part.stop)] = 0  # to itself, exactly
        distances.partition(neighbours, axis=1)
        found[:, part] = distances[:, list(neighbours)].T  # the 0-th is the row itself
    return found


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns precision, recall, density and coverage, at equal counts of real and generated images."""
    count = min(len(evidence.real.images), evidence.generated)
    found = precision_recall(evidence.real_seen.features[:count], evidence.fake_seen.features[:count])
    protocol = evidence.protocol_of_features(compared=count)
    few = f"of {count} images each: balls around so few reach far, usual are 10,000 or more."
    return [
        Measurement(
            name=name,
            label=evidence.named(name.capitalize(), name.capitalize()),
            value=value,
            higher=True,
            protocol={**protocol, "neighbours": 3 if name in ("precision", "recall") else 5},
            warnings=(few,) if count < LEAST else (),
        )
        for name, value in found._asdict().items()
    ]


METRICS = {"pr": Metric(measure, of_features=True)}
