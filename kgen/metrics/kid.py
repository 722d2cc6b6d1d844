"""MMD^2 of features under the polynomial kernel. With Inception's features it is KID.

Source: Binkowski et al. 2018, arXiv:1801.01401, section 4.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.metrics import mmd
from kgen.metrics.arrays import alike
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

SUBSETS = 100

SEED = 2020  # of the subsets, as in torch-fidelity


class Distance(NamedTuple):
    """What `kernel_distance` returns: mean and population standard deviation over the subsets."""

    mean: float
    deviation: float


def kernel_distance(x: np.ndarray, y: np.ndarray, subsets: int = 100, size: int = 1_000, seed: int = SEED) -> Distance:
    """Mean over random subsets of the unbiased MMD^2 under `k(a, b) = (a'b / d + 1)^3`.

    The estimate has no bias at any count. If both sets have one distribution its expectation is 0, so it is below 0 as
    often as above. The standard deviation is no standard error, since the subsets overlap.

    Args:
        x, y: features of the same size, `(n, d)` and `(m, d)`.
        subsets: number of subsets.
        size: rows of each subset, from 2 to n and m.
        seed: of the choice of rows, which is that of torch-fidelity.

    Returns:
        `Distance`.

    Raises:
        ValueError: the sizes d differ, there are fewer than 2 rows, or a number is NaN or infinite.
    """
    x, y = alike(x, y)
    if subsets < 1 or not 2 <= size <= min(len(x), len(y)):
        most = min(len(x), len(y))
        raise ValueError(f"`subsets` must be 1 or more, `size` from 2 to {most}. Received: {subsets} and {size}.")
    random = np.random.RandomState(seed)
    found = []
    for _ in range(subsets):
        chosen = [rows[random.choice(len(rows), size, replace=False)] for rows in (x, y)]
        found.append(mmd.unbiased(*chosen, mmd.polynomial))
    return Distance(float(np.mean(found)), float(np.std(found)))


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the KID of the generated images, or the same distance of other features."""
    fake, real = evidence.fake_seen.features, evidence.real_seen.features
    size = min(1_000, len(fake), len(real))
    found = kernel_distance(fake, real, SUBSETS, size)
    return [
        Measurement(
            name="kid",
            label=evidence.named("KID", "KID"),
            value=found.mean,
            spread=found.deviation,
            spread_is=f"standard deviation over {SUBSETS} subsets of {size}",
            protocol=evidence.protocol_of_features(subset=size),
        )
    ]


METRICS = {"kid": Metric(measure, of_features=True)}
