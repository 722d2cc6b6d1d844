"""What every metric asks of its arrays, and distances between many rows in little memory."""

import collections
import hashlib

import numpy as np


def rows(values: np.ndarray, name: str, least: int = 2) -> np.ndarray:
    """Returns images or features as float64 `(n, d)`.

    Args:
        values: numbers, `(n, ...)`.
        name: what an error calls them.
        least: how many there must be.

    Raises:
        ValueError: there are fewer, they have no numbers, or some are NaN or infinite.
    """
    values = np.asarray(values)
    if values.ndim < 2 or len(values) < least or not values[0].size:
        raise ValueError(f"`{name}` must be {least} or more rows of numbers. Received: shape {values.shape}.")
    values = values.reshape(len(values), -1).astype(np.float64)
    if not np.isfinite(values).all():
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        raise ValueError(f"`{name}` must be finite. Received: NaN or infinity in {len(bad)} rows, first in {bad[0]}.")
    return values


def alike(
    x: np.ndarray, y: np.ndarray, names: tuple[str, ...] = ("x", "y"), least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Returns two sets of `rows`, float64 `(n, d)` and `(m, d)`; raises ValueError if d differs."""
    x, y = rows(x, names[0], least), rows(y, names[1], least)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must be rows of the same length. Received: {x.shape[1]} and {y.shape[1]}."
        )
    return x, y


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns `|x_i - y_j|^2` of float64 rows, `(n, m)`, 0 or more; exact to 1e-15 of the larger squared length."""
    found = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * (x @ y.T)
    return np.maximum(found, 0, out=found)


def order_by_content(images: np.ndarray, salt: str) -> np.ndarray:
    """Returns indices that put images into a random order which depends on nothing but the images themselves.

    Metrics that compare the first n images, or blocks, or pairs, need images that are independent of their neighbours.
    Folders are sorted by class, and conditional generators draw class after class. The order is that of the SHA-256 of
    `salt`, the image, and the number of equal images before it. So it does not change when files are renamed, and equal
    images do not become neighbours.

    Args:
        images: `(n, ...)` of any type.
        salt: text; sets of different salts are in unrelated orders.

    Returns:
        int64 `(n,)`.
    """
    seen, keys = collections.Counter(), []
    for image in np.ascontiguousarray(images):
        content = hashlib.sha256(image.data).digest()
        keys.append(hashlib.sha256(f"{salt} {seen[content]} ".encode() + content).digest())
        seen[content] += 1
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def blocks(count: int, block: int) -> list[slice]:
    """Returns slices of at most `block` rows that cover `count`."""
    return [slice(start, min(start + block, count)) for start in range(0, count, block)]
