"""The mutual information gap: whether each known factor of images is told by one number of the code, and by no other.

    MIG = 1/K sum_k (I(z_j; v_k) - max_{i != j} I(z_i; v_k)) / H(v_k),   j = argmax_i I(z_i; v_k)

for K factors v_k and codes z ~ q(z|x) (equation 6). With q(z_j) the mean of q(z_j|x) over all images, and q(z_j|v) that
over the images whose factor has the value v, `I(z_j; v_k) = E[log q(z_j|v_k) - log q(z_j)]`.

Source: Chen et al. 2018, arXiv:1802.04942, section 4.1 and appendix C.
"""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from kgen.data.datasets import shapes
from kgen.errors import UsageError
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

DRAWS = 2_000  # codes


class Variational(Protocol):
    """What the metric asks of an autoencoder; a `TrainedAutoencoder` has it."""

    variational: bool

    def distributions(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and log-variances `(n, size)` of the codes of uint8 images `(n, height, width, channels)`."""


def informations(
    means: np.ndarray, log_variances: np.ndarray, factors: np.ndarray, draws: int = DRAWS, seed: int = 0
) -> np.ndarray:
    """Returns I(z_j; v_k) in nats, float64 `(size, K)`.

    Args:
        means, log_variances: of q(z|x) for every image, `(n, size)`.
        factors: the images' factors, integers from 0, `(n, K)`.
        draws: how many codes the expectations are means of, each of a random image.
        seed: of the codes.
    """
    random = np.random.default_rng(seed)
    means, deviations = np.asarray(means, np.float64), np.exp(np.asarray(log_variances, np.float64) / 2)
    rows = random.integers(len(means), size=draws)
    codes = means[rows] + deviations[rows] * random.standard_normal((draws, means.shape[1]))
    found = np.empty((means.shape[1], factors.shape[1]))
    for j, (z, mean, deviation) in enumerate(zip(codes.T, means.T, deviations.T, strict=True)):
        logs = -0.5 * np.square((z[:, None] - mean) / deviation) - np.log(deviation)  # (draws, n)
        densities = np.exp(logs - logs.max(axis=1, keepdims=True))
        whole = densities.mean(axis=1)
        for k, values in enumerate(factors.T):
            members = np.eye(values.max() + 1)[values]  # (n, values)
            within = (densities @ members / members.sum(axis=0))[np.arange(draws), values[rows]]
            found[j, k] = np.mean(np.log(np.maximum(within, np.finfo(np.float64).tiny) / whole))
    return found


def gap(found: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Returns the gap of each factor, in [0, 1] up to noise, `(K,)`; their mean is MIG.

    Args:
        found: I(z_j; v_k), `(size, K)`, size at least 2.
        factors: `(n, K)`, as in `informations`.
    """
    shares = [np.bincount(values) / len(values) for values in factors.T]
    entropies = [-(p[p > 0] * np.log(p[p > 0])).sum() for p in shares]
    ordered = np.sort(found, axis=0)
    return (ordered[-1] - ordered[-2]) / entropies


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns MIG on the dataset `shapes`."""
    autoencoder: Variational = evidence.autoencoder
    if not autoencoder.variational or autoencoder.size < 2:
        raise UsageError("The metric mig is of encoders that give distributions of 2 or more numbers, such as vae.")
    if evidence.real.about["dataset"] != "shapes":
        raise UsageError("The metric mig is of the dataset shapes, whose factors are known: --dataset shapes.")
    if tuple(autoencoder.shape) != (shapes.SIZE, shapes.SIZE, 1):
        raise UsageError("The metric mig is of images of 32x32 pixels, the dataset's own size.")
    factors = shapes.factors()
    images = shapes.render(factors)
    each = gap(informations(*autoencoder.distributions(images), factors, DRAWS, evidence.seed), factors)
    return [
        Measurement(
            name="mig",
            label="Mutual information gap",
            value=float(each.mean()),
            higher=True,
            protocol={"dataset": "shapes", "images": len(images), "draws": DRAWS, "seed": evidence.seed},
            found=dict(zip(shapes.FACTORS, map(float, each), strict=True)),
        )
    ]


METRICS = {"mig": Metric(measure)}
