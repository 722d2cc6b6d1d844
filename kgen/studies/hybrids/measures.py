"""Measures of hybrids: whether both kinds are recognised, whether they look real, and whether they are new.

Student report 001 judged these three properties by eye. Here a classifier of real images measures them. Its
probabilities measure recognition, and the features before its last layer measure similarity. Features have no fixed
scale, so distances can be compared only under one classifier.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.metrics import mmd
from kgen.metrics.features import see
from kgen.metrics.fid import frechet_distance, statistics
from kgen.studies import cross_validation

if TYPE_CHECKING:
    from kgen.metrics.features import Network


def probability(probabilities: np.ndarray, labels: tuple[int, ...]) -> np.ndarray:
    """Returns the probability `sum_k p(k | image)` that an image is of one of several classes.

    Args:
        probabilities: the classifier's softmax, `(n, classes)`.
        labels: indices of the classes.

    Returns:
        float64 `(n,)` in [0, 1].
    """
    return np.asarray(probabilities, np.float64)[:, list(labels)].sum(axis=1)


def both(body: np.ndarray, wing: np.ndarray) -> np.ndarray:
    """Returns how much both kinds are recognised at once, `2 min(P(body), P(wing))`.

    The two kinds share no class, so the smaller probability is at most 1/2. The value 1 means 1/2 for each kind. 0
    means that only one kind is recognised, or neither. A geometric mean has the same range, but gives 0.2 to an image
    that is 99 % horse and 1 % bird.

    Args:
        body: probabilities of the classes of bodies, `(n,)`.
        wing: probabilities of the classes of wings, `(n,)`.

    Returns:
        float64 `(n,)` in [0, 1].
    """
    return 2 * np.minimum(body, wing)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Returns the mean of `(n,)` numbers, n at least 2, and its standard error `s / sqrt(n)`, floats."""
    values = _several(values)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def mean_pairwise_distance(x: np.ndarray) -> float:
    """Returns the mean Euclidean distance `|x_i - x_j|` over all pairs i < j; similar images make it smaller.

    Args:
        x: features, `(n, d)`, n at least 2.

    Returns:
        float, 0 or more.
    """
    x = _several(x)
    total = sum(np.linalg.norm(x[i + 1 :] - row, axis=1).sum() for i, row in enumerate(x))
    return float(total / (len(x) * (len(x) - 1) / 2))


def nearest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the nearest row of y for each row of x, `min_j |x_i - y_j|`; the first one if several are nearest.

    Args:
        x: rows of numbers, such as features, `(n, d)`.
        y: rows to search, `(m, d)`, m at least 1.

    Returns:
        `(indices, distances)`: integers and float64, `(n,)`; the distance to a copy is 0.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    distances = [np.linalg.norm(y - row, axis=1) for row in x]
    return np.array([row.argmin() for row in distances]), np.array([row.min() for row in distances])


def figures(
    probabilities: np.ndarray,
    features: np.ndarray,
    labels: tuple[tuple[int, ...], ...],
    reference: tuple[np.ndarray, float] | None,
    train: np.ndarray,
) -> dict[str, float | None]:
    """Returns all measures of a set of images as `{name: float}`; None for measures that lack a reference.

    Args:
        probabilities: `(n, classes)`, n at least 2.
        features: `(n, d)`.
        labels: class numbers of bodies, and class numbers of wings.
        reference: features of real images of both kinds, `(m, d)`, and their mean pairwise distance; or None.
        train: features of training images, `(k, d)`.
    """
    body, wing = (probability(probabilities, kind) for kind in labels)
    means = {"body": body, "wing": wing, "both": both(body, wing), "nearest": nearest(features, train)[1]}
    found = {}
    for name, values in means.items():
        found[name], found[f"{name}_error"] = mean_and_error(values)
    real, scale = reference or (None, None)
    return found | {
        "polynomial_mmd": None if real is None else mmd.unbiased(features, real, mmd.polynomial),
        "frechet_distance": None if real is None else frechet_distance(statistics(features), statistics(real)),
        "pairwise_distance": None if real is None else mean_pairwise_distance(features) / scale,
    }


def judged(
    look: Callable,
    sets: dict[str, np.ndarray],
    reference: np.ndarray,
    train: np.ndarray,
    labels: tuple[tuple[int, ...], ...] | tuple[tuple[int, ...], tuple[int, ...]],
) -> tuple[dict[str, dict[str, float]], dict[str, np.ndarray]]:
    """Returns `({name: figures}, {name: (n,)})`: figures of each set, and values of each image of the first set.

    Args:
        look: what `looking` returns.
        sets: uint8 images `{name: (n, height, width, channels)}`, n at least 2.
        reference: real images of both kinds; may be empty.
        train, labels: training images; class numbers of bodies, and class numbers of wings.
    """
    seen = {name: look(pixels) for name, pixels in sets.items()}
    real = look(reference)[1] if len(reference) else None
    compared = None if real is None else (real, mean_pairwise_distance(real))
    near = look(train)[1]
    found = {name: figures(*values, labels, compared, near) for name, values in seen.items()}
    body, wing = (probability(next(iter(seen.values()))[0], kind) for kind in labels)
    return found, {"body_probability": body, "wing_probability": wing, "both": both(body, wing)}


def table(found: dict[str, Any]) -> str:
    """Returns the figures of a study as Markdown, means with standard errors; "" if there was no classifier."""

    def mean(name: str) -> Callable:
        return lambda row: f"{row[name]:.3f} ± {row[f'{name}_error']:.3f}"

    def plain(name: str) -> Callable:
        return lambda row: "-" if row[name] is None else f"{row[name]:.4g}"

    if not found["classifier"]:
        return ""
    protocol, counts, classifier = found["protocol"], found["images"], Path(found["classifier"]["run"]).name
    columns = {
        f"P({protocol['bodies']})": mean("body"),
        f"P({protocol['wings']})": mean("wing"),
        "both": mean("both"),
        f"polynomial MMD on {classifier} features": plain("polynomial_mmd"),
        f"Frechet distance on {classifier} features": plain("frechet_distance"),
        "pairwise distance / of real": plain("pairwise_distance"),
        "to nearest training image": mean("nearest"),
    }
    rows = [[name, *(show(row) for show in columns.values())] for name, row in found["measures"].items()]
    return (
        f"{cross_validation.table(['images', *columns], rows)}\n\n{protocol['count']} images a row, of the split "
        f"{protocol['split']}; compared with {counts['reference']} others of it, half of them bodies, and with "
        f"{counts['train']} training images. The Frechet distance is biased upwards by so few; compare rows alone.\n"
    )


def looking(network: "Network") -> Callable:
    """Returns a function of uint8 images `(n, height, width, channels)` to `(probabilities, features)`, float64.

    Args:
        network: `kgen.metrics.features.Network` with logits.
    """

    def look(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features, logits = (np.asarray(array, np.float64) for array in see(network, pixels))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True), features

    return look


def _several(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        raise ValueError(f"There must be at least 2 of them. Received: {len(values)}.")
    return values
