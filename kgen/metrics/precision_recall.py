"""Precision and recall, density and coverage: how real samples are, and how much of what is real they reach.

A ball around a feature reaches to its k-th nearest neighbour in its own set. Precision is the share of generated
features within a ball of a real one, recall the share of real ones within a ball of a generated one. Density counts the
real balls that a generated feature lies in, divided by k; coverage is the share of real balls that hold a generated
feature.

Source: Kynkaanniemi et al. 2019, arXiv:1904.06991, equations 1 and 2, k 3; Naeem et al. 2020, arXiv:2002.09797,
equations 3 and 4, k 5, which one odd real image does not mislead.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.metrics.arrays import alike, blocks, squared_distances
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

LEAST = 2_048  # images; balls around fewer reach far

BLOCK = 1_000  # rows at a time


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]; density may be above 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(
    real: np.ndarray, fake: np.ndarray, neighbours: int = 3, neighbours_of_density: int = 5
) -> PrecisionRecall:
    """Precision and recall, density and coverage.

    All compare only at equal counts: balls shrink as features get more.

    Args:
        real: features, `(n, d)`, more than either number of neighbours.
        fake: features of the same size, `(m, d)`, as many as that.
        neighbours: k of precision and recall.
        neighbours_of_density: k of density and coverage.

    Returns:
        `PrecisionRecall`.

    Raises:
        ValueError: sizes differ, too few rows, or NaN or infinity.
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
        distances[np.arange(part.stop - part.start), np.arange(part.start, part.stop)] = 0  # itself, free of rounding
        distances.partition(neighbours, axis=1)
        found[:, part] = distances[:, list(neighbours)].T  # the 0-th is the row itself
    return found


def measure(evidence: "Evidence") -> list[Measurement]:
    """Precision, recall, density and coverage, of equal counts."""
    count = min(len(evidence.real.images), len(evidence.fake))
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
