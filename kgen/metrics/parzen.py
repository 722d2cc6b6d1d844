"""Log-likelihood of images under a Parzen window on generated images, by the protocol of Goodfellow et al. 2014.

The model is a mixture of normal distributions, one of standard deviation sigma around each sample mu_j:

    log p(x) = log mean_j exp(-|x - mu_j|^2 / (2 sigma^2)) - d log(sigma sqrt(2 pi))

in nats, for an image x of d numbers in [0, 1]. sigma is chosen from a grid: it maximises the mean log-likelihood of
validation images.

This metric does not rank models: k-means centres score above real images (Theis et al. 2016, arXiv:1511.01844, section
3.3), and blurred images above sharp ones. Quote it together with its calibration rows, see
`kgen.metrics.reference.calibration`.

Source: the authors' parzen_ll.py (goodfeli/adversarial); Breuleux et al. 2011.
"""

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgen.images.order import order_by_content
from kgen.images.stored import rows_of
from kgen.metrics.arrays import alike, blocks, squared_distances
from kgen.metrics.features import digest
from kgen.metrics.measurement import Measurement, Metric

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

OFFICIAL = np.logspace(-1, 0, 10)
MOST_VALIDATION = 1_000  # images to choose sigma by
FINE = np.logspace(-1, 0, 91)  # contains OFFICIAL, with nine steps between two of its values
BLOCK = 500  # images at a time: 40 MB of distances to 10,000 samples


class Parzen(NamedTuple):
    """What `parzen` returns.

    mean: mean log-likelihood of the test images in nats.
    error: standard error of the mean, `s / sqrt(n)`.
    sigma: chosen on the validation images.
    validation: their mean log-likelihood under each sigma of the grid.
    edge: whether sigma is the least or greatest of the grid; a better one may then lie outside of the grid.
    """

    mean: float
    error: float
    sigma: float
    validation: np.ndarray
    edge: bool


def parzen(samples: np.ndarray, validation: np.ndarray, test: np.ndarray, grid: np.ndarray = OFFICIAL) -> Parzen:
    """Returns the log-likelihood of test images; sigma is chosen on validation images.

    Args:
        samples: generated images, `(n, ...)` in [0, 1]; usually 10,000.
        validation: real images that are neither trained on nor in `test`, usually 1,000.
        test: real images, 2 or more.
        grid: standard deviations to choose from, increasing.

    Returns:
        `Parzen`.

    Raises:
        ValueError: shapes differ, values are not finite or not in [0, 1], or the grid is empty or not above 0.
    """
    grid = np.asarray(grid, np.float64)
    if not grid.size or not (grid > 0).all() or (np.diff(grid) <= 0).any():
        raise ValueError(f"`grid` must be standard deviations above 0, increasing. Received: {grid}.")
    found = log_likelihoods(samples, validation, grid).mean(axis=1)
    best = int(found.argmax())
    scores = log_likelihoods(samples, test, grid[best : best + 1])[0]
    if len(scores) < 2:
        raise ValueError("`test` must be 2 or more images, for a standard error. Received: 1.")
    error = scores.std(ddof=1) / np.sqrt(len(scores))
    return Parzen(float(scores.mean()), float(error), float(grid[best]), found, best in (0, len(grid) - 1))


def log_likelihoods(samples: np.ndarray, images: np.ndarray, sigmas: np.ndarray, block: int = BLOCK) -> np.ndarray:
    """Returns the log-likelihood of each image in nats, under each standard deviation.

    Sums are float64. It needs 8 bytes for each number of the samples and of `block` images, and 16 for each distance
    between the two: 0.56 GB for 10,000 samples of 32x32x3.

    Args:
        samples: `(n, ...)` in [0, 1], the centres.
        images: `(m, ...)` in [0, 1].
        sigmas: standard deviations above 0, `(s,)`.

    Returns:
        float64 `(s, m)`.

    Raises:
        ValueError: as in `parzen`.
    """
    samples, images, sigmas = np.asarray(samples), np.asarray(images), np.asarray(sigmas, np.float64)
    if not sigmas.size or not ((sigmas > 0) & (sigmas < np.inf)).all():
        raise ValueError(f"`sigmas` must be standard deviations above 0, and finite. Received: {sigmas}.")
    for name, values in {"samples": samples, "images": images}.items():
        if values.size and not (0 <= values.min() and values.max() <= 1):  # also true for NaN
            raise ValueError(f"`{name}` must be in [0, 1]. Received: {values.min()} to {values.max()}.")
    centres = alike(samples, images[:1], ("samples", "images"), least=1)[0]
    found = np.empty((len(sigmas), len(images)))
    for part in blocks(len(images), block):
        distances = squared_distances(images[part].reshape(part.stop - part.start, -1).astype(np.float64), centres)
        nearest = distances.min(axis=1)
        distances -= nearest[:, None]
        for row, sigma in zip(found, sigmas, strict=True):
            mean = np.exp(distances / (-2 * sigma**2)).mean(axis=1)  # the nearest sample adds 1, so log(0) cannot occur
            row[part] = np.log(mean) - nearest / (2 * sigma**2)
    return found - centres.shape[1] * np.log(np.asarray(sigmas) * np.sqrt(2 * np.pi))[:, None]


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the log-likelihood with sigma from the grid of the 2014 code, and from a fine grid."""
    validation = evidence.real.validation / np.float32(255)
    return [_under(evidence, validation, *grid) for grid in GRIDS]


def measure_report003(evidence: "Evidence") -> list[Measurement]:
    """Returns the log-likelihood as student report 003 has it, with sigma from training images; else as `measure`."""
    every = evidence.training.images
    count = min(MOST_VALIDATION, max(1, len(every) // 10))
    chosen = order_by_content(every, "parzen")[:count]
    training = np.asarray(rows_of(every, chosen)) / np.float32(255)
    found = _under(evidence, training, "parzen_report003", "sigma by training images as in report 003", OFFICIAL)
    protocol = {name: value for name, value in found.protocol.items() if name != "validation"}
    return [
        dataclasses.replace(
            found,
            protocol={**protocol, "sigma by": f"{len(training)} training images"},
            warnings=(*found.warnings, SEEN),
        )
    ]


def _under(evidence: "Evidence", validation: np.ndarray, name: str, words: str, grid: np.ndarray) -> Measurement:
    images = (evidence.fake, validation, evidence.real_unit)

    def compute() -> dict[str, np.ndarray]:
        return {key: np.asarray(value) for key, value in parzen(*images, grid)._asdict().items()}

    key = ["parzen", list(grid), *map(digest, images)]
    found = Parzen(**evidence.cache.of(key, compute))
    sigma = float(found.sigma)
    edge = f"sigma {sigma:.3g} is at the edge of its grid: a better one may lie beyond."
    return Measurement(
        name=name,
        label=f"Parzen log-likelihood, nats, {words}",
        value=float(found.mean),
        spread=float(found.error),
        spread_is="standard error over real images",
        higher=True,
        protocol=evidence.protocol(
            validation=len(validation), grid=f"{len(grid)} points from {grid[0]:g} to {grid[-1]:g}"
        ),
        found={"sigma": sigma},
        warnings=(edge,) if found.edge else (),
    )


GRIDS = (("parzen", "official grid", OFFICIAL), ("parzen_fine", "fine grid", FINE))
SEEN = "sigma was chosen by training images: it compares with the values of student report 003 only."
METRICS = {"parzen": Metric(measure), "parzen-report003": Metric(measure_report003, of_training=True)}
