"""How long a path of images is for the features of a classifier: perceptual path length.

    E[|f(G(slerp(z, z'; t + e))) - f(G(slerp(z, z'; t)))|^2 / e^2],   t uniform on [0, 1)

Images of a smooth generator change little and evenly between two latents. `slerp` is the spherical interpolation of the
directions z / |z|; lengths change in equal steps, so that ends of any prior are reached.

Source: Karras et al. 2019, arXiv:1812.04948, section 4.1, for latents in Z. Deviations: f are the features of the
user's classifier, not those of LPIPS; the mean is of all pairs, where the authors' code leaves out 2 % of them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kgen.errors import UsageError
from kgen.metrics.features import BATCH
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

STEP = 1e-4  # e
UNEVEN = 2.0  # times: the length of a longer step differs by less if numbers are fine enough


def slerp(first: np.ndarray, second: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Returns the points between rows of float64 `(n, d)` at t `(n,)`: directions on the sphere, lengths in proportion.

    Rows of opposite or equal directions have no great circle; there the line between the directions is taken.
    """
    lengths = [np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second)]
    units = [rows / np.maximum(length, 1e-300) for rows, length in zip((first, second), lengths, strict=True)]
    angle = np.arccos(np.clip((units[0] * units[1]).sum(axis=1, keepdims=True), -1, 1))
    t, sine = t[:, None], np.sin(angle)
    flat = sine < 1e-6
    safe = np.where(flat, 1, sine)
    weights = [np.where(flat, each, np.sin(each * angle) / safe) for each in (1 - t, t)]
    direction = weights[0] * units[0] + weights[1] * units[1]
    return direction * ((1 - t) * lengths[0] + t * lengths[1])


def lengths(features: Callable, first: np.ndarray, second: np.ndarray, t: np.ndarray, step: float = STEP) -> np.ndarray:
    """Returns `|f(z(t + step)) - f(z(t))|^2 / step^2` of each pair of latents, float64 `(n,)`.

    Args:
        features: function of latents, float64 `(n, d)`, to the features of their images, `(n, k)`.
        first, second: latents, `(n, d)`.
        t: positions between them, `(n,)`.
        step: e, above 0.
    """
    here, there = (np.asarray(features(slerp(first, second, at)), np.float64) for at in (t, t + step))
    return np.square(there - here).sum(axis=1) / step**2


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the path length of the generator, over as many pairs as images are drawn."""
    network, generator, count = evidence.network, evidence.generator, evidence.count
    if network.of_unit is None:
        raise UsageError("The metric path-length needs --classifier: it takes features of images between bytes.")
    latents = np.float64(generator.latents(evidence.seed, 2 * count))
    first, second = latents[0::2], latents[1::2]
    t = np.random.default_rng(evidence.seed).random(count)

    def features(points: np.ndarray) -> np.ndarray:
        images = generator.decode(points)
        return np.concatenate([network.of_unit(images[i : i + BATCH]) for i in range(0, count, BATCH)])

    each, longer = (lengths(features, first, second, t, step) for step in (STEP, 10 * STEP))
    ratio = float(each.mean() / longer.mean()) if longer.mean() > 0 else float("nan")
    coarse = (
        f"with steps ten times as long it is {longer.mean():.4g}: the networks' numbers are coarse, see --precision."
    )
    return [
        Measurement(
            name="path_length",
            label=evidence.named("", "Path length"),
            value=float(each.mean()),
            spread=float(each.std(ddof=1) / np.sqrt(count)) if count > 1 else None,
            spread_is="standard error over pairs" if count > 1 else "",
            protocol={
                "pairs": count,
                "interval": STEP,
                "interpolation": "spherical",
                "seed": evidence.seed,
                **network.about,
            },
            found={"of_longer_steps": float(longer.mean())},
            warnings=() if 1 / UNEVEN < ratio < UNEVEN else (coarse,),
        )
    ]


METRICS = {"path-length": Metric(measure, of_features=True)}
