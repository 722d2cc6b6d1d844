"""Mean Distance and Smoothness: how far interpolated images are from images of lines, and how evenly lines turn.

Source: Berthelot et al. 2019, arXiv:1807.07543, section 4.1, and lib/eval.py and lib/train.py of the authors.
"""

from typing import TYPE_CHECKING

import numpy as np

from kgen import data
from kgen.data.datasets import lines
from kgen.metrics.measurement import Measurement, Metric
from kgen.metrics.protocols import Encodes

if TYPE_CHECKING:
    from kgen.metrics.evidence import Evidence

REFERENCES = 10_000
EVALUATED = 512  # test images
UNTURNED = 1e-4  # radians; a pair that turns less has no smoothness


def line_scores(autoencoder: Encodes, seed: int = 0) -> dict[str, float]:
    """Returns the two scores of an autoencoder, whose interpolations have 16 steps between 256 pairs of test lines.

    Args:
        autoencoder: for 32x32x1 images, see `interpolations`.
        seed: integer, of the 512 test images and their order.

    Returns:
        `{"mean_distance": scalar, "smoothness": scalar}`.

    Deviations: the authors do not round lines to bytes before encoding, and do not clip decoded images. They draw new
        lines at every evaluation and report the median of a run's last 20.
    """
    images = data.load("lines", "test").images
    chosen = np.random.default_rng(seed).permutation(len(images))[:EVALUATED]
    return scores(interpolations(autoencoder, images[chosen]))


def interpolations(autoencoder: Encodes, images: np.ndarray, steps: int = 16) -> np.ndarray:
    """Returns the interpolations `decode((1 - t) encode(x) + t encode(y))` between images x and y, t from 0 to 1.

    Args:
        autoencoder: with `encode(images)`, which returns codes `(n, size)`, and `decode(codes)`, which returns images
            in [0, 1]; see `kgen.inference.autoencoder.TrainedAutoencoder`.
        images: uint8, `(2 * pairs, height, width, channels)`. In each pair x is from the first half and y from the
            same place in the second half.
        steps: number of positions t, including both ends.

    Returns:
        float32 `(pairs, steps, height, width, channels)` in [0, 1].

    Raises:
        ValueError: the number of images is 0 or odd, or there are fewer than 2 steps.
    """
    if not len(images) or len(images) % 2:
        raise ValueError(f"`images` must be an even number, above 0. Received: {len(images)}.")
    if steps < 2:
        raise ValueError(f"`steps` must be 2 or more. Received: {steps}.")
    x, y = np.split(np.asarray(autoencoder.encode(images), np.float32)[:, None], 2)
    t = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    decoded = autoencoder.decode(((1 - t) * x + t * y).reshape(len(x) * steps, -1))
    return np.asarray(decoded, np.float32).reshape(len(x), steps, *images.shape[1:])


def scores(images: np.ndarray) -> dict[str, float]:
    """Returns the mean distance of interpolations from their nearest lines, and `smoothness` of these lines' angles.

    Args:
        images: float, `(pairs, steps, 32, 32, 1)`, black 0 and white 1; 2 steps or more.

    Returns:
        `{"mean_distance", "smoothness"}`; the first is a mean over all images, in [0, 2]. For comparison, over 256
        random pairs: lines that turn evenly have 2e-7 and .0005; cross-fades of the two ends have 6.3e-3 and .89; the
        first end and from the middle on the second end have 2e-7 and .933; black images have a distance of 30.7e-3.
    """
    distances, angles = nearest(images)
    return {"mean_distance": float(distances.mean()), "smoothness": smoothness(angles)}


def nearest(images: np.ndarray, block: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Returns distance and angle of each image's nearest line: `min over a of 1 - cos(2 x - 1, 2 line(a) - 1)`.

    The cosine is that of two images as vectors. `a` is one of 10,000 angles, evenly spaced from 0.

    Args:
        images: float, `(..., 32, 32, 1)`, black 0 and white 1.
        block: number of images compared at a time. Each needs 0.06 MB, in addition to 0.2 GB.

    Returns:
        `(distances, angles)`, float64 `(...)` each, in [0, 2] and [0, 2 pi). The distance is the least to within 1e-7.
        For an image whose pixels are all 0.5, which has no direction, they are NaN and 0.

    Raises:
        ValueError: images have another shape.
    """
    if images.shape[-3:] != (lines.SIZE, lines.SIZE, 1):
        raise ValueError(f"`images` must be (..., {lines.SIZE}, {lines.SIZE}, 1). Received: {images.shape}.")
    all_angles = np.linspace(0, 2 * np.pi, REFERENCES, endpoint=False)
    references = _directions(lines.render(all_angles))
    centred = np.float32(references - references.mean(axis=0))  # same order, and float32 can tell neighbours apart
    rows = images.reshape(-1, *images.shape[-3:])
    distances, angles = np.empty((2, len(rows)))
    for part in (slice(start, start + block) for start in range(0, len(rows), block)):
        directions = _directions(rows[part])
        found = (np.float32(directions) @ centred.T).argmax(axis=1)
        distances[part], angles[part] = 1 - (directions * references[found]).sum(axis=1), all_angles[found]
    return distances.reshape(images.shape[:-3]), angles.reshape(images.shape[:-3])


def smoothness(angles: np.ndarray) -> float:
    """Returns how uneven turns are: the mean of `max |a[i + 1] - a[i]| / |a[last] - a[0]| - 1 / (steps - 1)`.

    If an angle changes by more than pi in one step, the line is taken to turn the other way, through 2 pi.

    Args:
        angles: in radians, `(pairs, steps)`, 2 steps or more.

    Returns:
        0 if every pair turns evenly; `1 - 1 / (steps - 1)` if every pair turns in a single step; more if pairs also
        turn back. A pair that turns less than 1e-4 in all counts as 0 in the mean; if all pairs do, the result is NaN.
    """
    angles = np.unwrap(angles)
    total = abs(angles[:, -1] - angles[:, 0])
    turned = total >= UNTURNED
    if not turned.any():
        return float("nan")
    largest = abs(np.diff(angles)).max(axis=1)
    return float((largest[turned] / total[turned] - 1 / (angles.shape[1] - 1)).sum() / len(angles))


def _directions(images: np.ndarray) -> np.ndarray:
    """Returns `(2 x - 1) / |2 x - 1|` of images, float64 `(n, pixels)`."""
    signed = 2 * np.asarray(images, np.float64).reshape(len(images), -1) - 1
    with np.errstate(invalid="ignore"):  # 0 / 0 for images of 0.5
        return signed / np.linalg.norm(signed, axis=1, keepdims=True)


def measure(evidence: "Evidence") -> list[Measurement]:
    """Returns the Mean Distance and the Smoothness of Berthelot et al. 2019."""
    found = line_scores(evidence.autoencoder, evidence.seed)
    protocol = {"images": EVALUATED, "steps": 16, "seed": evidence.seed}
    none = "no pair turned: there is no smoothness."
    return [
        Measurement(
            name=name,
            label=name.replace("_", " ").capitalize(),
            value=value,
            protocol=protocol,
            warnings=() if np.isfinite(value) else (none,),
        )
        for name, value in found.items()
    ]


METRICS = {"lines": Metric(measure)}
