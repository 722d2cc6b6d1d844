"""Maximum mean discrepancy of two sets under a kernel; its expectation is 0 if both come from one distribution.

    MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y)

There are three estimators without bias, which may be below 0, and the one of student report 004, only for comparison.
Gaussian and polynomial kernels see more than differences of means. A linear kernel sees only these.

Source: Gretton et al. 2012, JMLR 13: lemma 6 (all pairs), section 6 (linear time); Zaremba et al. 2013,
arXiv:1307.1954 (blocks); Binkowski et al. 2018, arXiv:1801.01401 (the polynomial kernel and KID).
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.metrics.arrays import alike, blocks, squared_distances
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

COMPARED = 500  # images in a block of `mmd_block`

BLOCK = 2_000  # rows at a time


class Estimate(NamedTuple):
    """An estimate of MMD^2 and its standard error."""

    value: float
    error: float

    @property
    def p_value(self) -> float:
        """Probability of a value as large if both distributions are equal: one-sided, by the central limit theorem."""
        if self.error == 0:
            return 0.0 if self.value > 0 else 1.0
        return 0.5 * math.erfc(self.value / self.error / math.sqrt(2))


def gaussian(bandwidth: float) -> Callable:
    """Returns the kernel `exp(-|a - b|^2 / (2 bandwidth^2))` of float64 rows `(n, d)`, `(m, d)` -> `(n, m)`."""
    if not bandwidth > 0:
        raise ValueError(f"`bandwidth` must be above 0. Received: {bandwidth}.")
    return lambda a, b: np.exp(squared_distances(a, b) / (-2 * bandwidth**2))


def polynomial(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the kernel `(a'b / d + 1)^3` of KID, `(n, m)`, for rows `(n, d)` and `(m, d)`."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def median_bandwidth(x: np.ndarray, y: np.ndarray, most: int = 1_000) -> float:
    """Returns the median distance between rows of both sets, the usual bandwidth of a Gaussian kernel.

    Args:
        x, y: `(n, d)` and `(m, d)`.
        most: how many rows of each set are used, evenly spaced.

    Raises:
        ValueError: the median is 0, since most rows are equal.
    """
    x, y = alike(x, y)
    both = np.concatenate(
        [values[np.linspace(0, len(values) - 1, min(len(values), most)).astype(int)] for values in (x, y)]
    )
    distances = np.sqrt(squared_distances(both, both)[np.triu_indices(len(both), 1)])
    found = float(np.median(distances))
    if found <= 1e-12:
        raise ValueError("`x` and `y` must differ among themselves. Received: more than half of all pairs are equal.")
    return found


def unbiased(x: np.ndarray, y: np.ndarray, kernel: Callable) -> float:
    """Returns MMD^2 over all pairs of different rows.

    `sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1)) - 2 mean_{ij} k(x_i, y_j)`

    Args:
        x, y: `(n, d)` and `(m, d)`, 2 rows or more each.
        kernel: function of rows `(a, d)` and `(b, d)`, to `(a, b)`.

    Returns:
        float.

    Raises:
        ValueError: the sizes d differ, there are fewer than 2 rows, or a number is NaN or infinite.
    """
    x, y = alike(x, y)

    def total(a: np.ndarray, b: np.ndarray) -> float:
        return sum(kernel(a[i], b[j]).sum() for i in _parts(a) for j in _parts(b))

    def within(a: np.ndarray) -> float:
        own = sum(kernel(row[None], row[None])[0, 0] for row in a)
        return (total(a, a) - own) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * total(x, y) / (len(x) * len(y)))


def block(x: np.ndarray, y: np.ndarray, kernel: Callable, size: int) -> Estimate:
    """Returns MMD^2 as the mean of `unbiased` over blocks of `size` rows. Rows after the last full block are left out.

    Args:
        x, y: `(n, d)` each, in random order.
        kernel: as for `unbiased`.
        size: rows of a block, 2 or more.

    Returns:
        `Estimate`. Its error is that of the mean over blocks, infinite for one block.
    """
    x, y = _pairs(x, y)
    if not 2 <= size <= len(x):
        raise ValueError(f"`size` must be from 2 to {len(x)}, the number of rows. Received: {size}.")
    starts = range(0, len(x) - size + 1, size)
    return _mean([unbiased(x[start : start + size], y[start : start + size], kernel) for start in starts])


def linear_time(x: np.ndarray, y: np.ndarray, kernel: Callable) -> Estimate:
    """Returns MMD^2 over disjoint pairs of rows: the mean over i of `h((x_2i, y_2i), (x_2i+1, y_2i+1))`.

    `h = k(x, x') + k(y, y') - k(x, y') - k(x', y)`. The estimate is cheap and noisy. The values of h are independent:
    the standard error is that of a mean, and `p_value` tests whether both sets have one distribution.

    Args:
        x, y: `(n, d)` each, 4 rows or more; if n is odd the last row is left out.
        kernel: as for `unbiased`.

    Returns:
        `Estimate`.
    """
    x, y = _pairs(x, y, least=4)
    pairs = [(x[i], x[i + 1], y[i], y[i + 1]) for i in range(0, len(x) - 1, 2)]
    return _mean([_h(kernel, *(row[None] for row in pair)) for pair in pairs])


def report004(x: np.ndarray, y: np.ndarray) -> float:
    """Returns the MMD of student report 004, for comparison with its table. It compares only means.

    It has a linear kernel, `k(a, b) = mean over pixels of a'b` along channels, and overlapping pairs (i, i + 1).

    Args:
        x, y: images, `(n, height, width, channels)` each, 2 or more, in [-1, 1].

    Returns:
        float.
    """
    x, y = (np.asarray(images, np.float64) for images in (x, y))
    if x.shape != y.shape or x.ndim != 4 or len(x) < 2:
        raise ValueError(f"`x` and `y` must be 2 or more images each, as many. Received: {x.shape} and {y.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("`x` and `y` must be finite. Received: NaN or infinity.")
    difference = x - y  # h = (x_i - y_i)'(x_i+1 - y_i+1)
    return float((difference[:-1] * difference[1:]).sum(axis=3).mean())


def _h(kernel: Callable, x: np.ndarray, x_next: np.ndarray, y: np.ndarray, y_next: np.ndarray) -> float:
    return float((kernel(x, x_next) + kernel(y, y_next) - kernel(x, y_next) - kernel(x_next, y))[0, 0])


def _pairs(x: np.ndarray, y: np.ndarray, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    x, y = alike(x, y, least=least)
    if len(x) != len(y):
        raise ValueError(f"`x` and `y` must be as many rows. Received: {len(x)} and {len(y)}.")
    return x, y


def _parts(values: np.ndarray) -> list[slice]:
    return blocks(len(values), BLOCK)


def _mean(values: list[float]) -> Estimate:
    error = np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return Estimate(float(np.mean(values)), float(error))


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns MMD^2 of pixels under a Gaussian kernel: over all pairs, over blocks, and over disjoint pairs."""
    count = min(len(evidence.real.images), len(evidence.fake))
    real, fake = (images[:count].reshape(count, -1) for images in (evidence.real_unit, evidence.fake))
    bandwidth = median_bandwidth(real, fake)
    kernel, size = gaussian(bandwidth), min(COMPARED, count)
    found = {
        "mmd": ("all pairs", Estimate(unbiased(real, fake, kernel), np.inf)),
        "mmd_block": (f"blocks of {size}", block(real, fake, kernel, size)),
        "mmd_linear": ("disjoint pairs", linear_time(real, fake, kernel)),
    }
    return [
        Measurement(
            name=name,
            label=f"MMD^2 of pixels, {words}",
            value=estimate.value,
            spread=estimate.error if np.isfinite(estimate.error) else None,
            spread_is="standard error" if np.isfinite(estimate.error) else "",
            protocol=evidence.protocol(compared=count, kernel="Gaussian, bandwidth the median distance"),
            found={"bandwidth": bandwidth} | ({"p_value": estimate.p_value} if np.isfinite(estimate.error) else {}),
        )
        for name, (words, estimate) in found.items()
    ]


def measure_report004(evidence: "Evidence") -> list[Measurement]:
    """Returns the MMD as student report 004 computed it."""
    count = min(len(evidence.real.images), len(evidence.fake))
    value = report004(2 * evidence.real_unit[:count] - 1, 2 * evidence.fake[:count] - 1)
    label, protocol = "MMD of report 004, which sees means alone", evidence.protocol(compared=count)
    return [Measurement(name="mmd_report004", label=label, value=value, protocol=protocol)]


METRICS = {"mmd": Metric(measure), "mmd-report004": Metric(measure_report004)}
