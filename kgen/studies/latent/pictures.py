"""Pictures of a code: maps, slices, reconstructions of images, and reconstructions of noise.

An autoencoder here is any object with two methods. `encode(images)` takes uint8 `(n, height, width, channels)` and
returns float32 codes `(n, size)`. `decode(codes)` returns float32 images in [0, 1].
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images

if TYPE_CHECKING:
    from kgen.inference.autoencoder import TrainedAutoencoder

NAMED = 40  # most classes in a legend; with more there is only colour
FROM, TO = 0.02, 0.98  # the quantiles between which a slice lies


def scatter(path: Path, points: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...], title: str) -> None:
    """Writes a map of points as a PNG, coloured by class.

    Args:
        path: of the file, in a folder that exists.
        points: float, `(n, 2)`; or `(n, 1)`, which get a random second coordinate.
        labels: integers `(n,)`, or None for one colour.
        classes: names, index = label; with more than `NAMED` there is no legend.
        title: text above the map.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    x, y = points.T if points.shape[1] == 2 else (points[:, 0], np.random.default_rng(0).uniform(size=len(points)))
    colours = _colours(len(classes))
    shown = ["tab:blue"] * len(points) if labels is None else colours[labels]
    area = min(40.0, max(6.0, 30_000 / len(points)))
    axes.scatter(x, y, s=area, c=shown, alpha=0.75, linewidths=0)
    axes.set_title(title, fontsize=14, pad=12)
    axes.tick_params(length=0, labelsize=8, labelcolor="0.5")
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    if points.shape[1] == 2:
        axes.set_aspect("equal", adjustable="datalim")
    else:
        axes.set_yticks([])
    if labels is not None and len(classes) <= NAMED:
        _legend(axes, colours, classes)
    figure.savefig(path, dpi=120)


def slices(
    autoencoder: "TrainedAutoencoder",
    codes: np.ndarray,
    axes: Sequence[int] | None = None,
    steps: int = 16,
    centre: list[int] | None = None,
    principal: bool = False,
) -> np.ndarray:
    """Returns a picture of decoded codes in a plane. Two directions vary over their quantiles, the others do not vary.

    The code of a cell is `c + (q_1 - c d_1) d_1 + (q_2 - c d_2) d_2`, with directions `d`, centre `c` and quantiles `q`
    of the codes' projections `x d`. The quantiles go from `FROM` to `TO` in equal steps of probability.

    Args:
        autoencoder: an autoencoder.
        codes: float, `(n, size)`.
        axes: indices of the two coordinates that vary; by default the two of greatest variance, the greatest first.
        steps: number of cells in a row and in a column.
        centre: float `(size,)`, by default the mean code.
        principal: whether the first two principal directions vary instead; `axes` must then be None.

    Returns:
        uint8 picture `(steps * height, steps * width, channels)`: the first direction rises to the right, the second
        upwards. If the code has one number, or one axis is given, there is one row.

    Raises:
        ValueError: an axis does not exist, there are more than two, or both `axes` and `principal` are given.
    """
    codes = np.asarray(codes, np.float64)
    directions = _directions(codes, axes, principal)
    centre = codes.mean(axis=0) if centre is None else np.asarray(centre, np.float64)
    quantiles = np.quantile(codes @ directions.T, np.linspace(FROM, TO, steps), axis=0)  # (steps, 1 or 2)
    moves = quantiles - directions @ centre
    points = centre + moves[:, :1] * directions[0]
    if len(directions) == 2:
        points = points + (moves[::-1, 1:] * directions[1])[:, None]  # (rows, columns, size); the top row is the last
    decoded = autoencoder.decode(points.reshape(-1, codes.shape[1]).astype(np.float32))
    return images.grid(images.to_bytes(decoded), columns=steps)


def reconstructions(autoencoder: "TrainedAutoencoder", pixels: np.ndarray) -> np.ndarray:
    """Returns a picture of two rows, uint8: images `(n, height, width, channels)` above `decode(encode(images))`."""
    return images.grid(
        np.concatenate([pixels, images.to_bytes(autoencoder.decode(autoencoder.encode(pixels)))]), len(pixels)
    )


def hallucinations(autoencoder: "TrainedAutoencoder", shape: tuple[int, ...], count: int, seed: int) -> np.ndarray:
    """Returns a picture of an autoencoder's "hallucinations": a row of noise above a row of its reconstructions.

    Args:
        autoencoder: an autoencoder.
        shape: `(height, width, channels)` of its images.
        count: number of images.
        seed: of the noise; each byte is uniform in 0 to 255.

    Returns:
        uint8 picture, `(2 * height, count * width, channels)`.
    """
    return reconstructions(autoencoder, np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8))


def _directions(codes: np.ndarray, axes: Sequence[int] | None, principal: bool) -> np.ndarray:
    """Returns the unit vectors of a slice, `(1 or 2, size)`."""
    size = codes.shape[1]
    if principal:
        if axes is not None:
            raise ValueError(f"`axes` must not be given beside `principal`. Received: {axes}.")
        directions = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)[2][:2]
        largest = np.abs(directions).argmax(axis=1)  # made positive, since signs are arbitrary
        return directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    axes = np.argsort(-codes.var(axis=0), kind="stable")[:2] if axes is None else np.asarray(axes)
    if len(set(axes.tolist())) != len(axes) or not 1 <= len(axes) <= 2 or not all(0 <= axis < size for axis in axes):
        raise ValueError(f"`axes` must be one or two of 0 to {size - 1}. Received: {axes.tolist()}.")
    return np.eye(size)[axes]


def _colours(count: int) -> np.ndarray:
    """Returns `count` colours, RGBA `(count, 4)`, that are as easy to tell apart as possible."""
    import matplotlib

    for name, most in (("tab10", 10), ("tab20", 20)):
        if count <= most:
            return matplotlib.colormaps[name](np.arange(count))
    return matplotlib.colormaps["turbo"](np.linspace(0, 1, count))


def _legend(axes: Any, colours: np.ndarray, classes: tuple[str, ...]) -> None:
    from matplotlib.lines import Line2D

    style = {"linestyle": "", "marker": "o", "markersize": 8, "markeredgewidth": 0}
    marks = [Line2D([], [], color=colour, **style) for colour in colours]
    columns = math.ceil(len(classes) / 20)
    where = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    axes.legend(marks, classes, ncols=columns, frameon=False, fontsize=11, handletextpad=0.2, **where)
