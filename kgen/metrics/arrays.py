"""Checks of the arrays that metrics take, their rows in equal parts, and squared distances between them."""

from collections.abc import Iterable, Iterator

import numpy as np


def rows(values: np.ndarray, name: str, least: int = 2) -> np.ndarray:
    """Returns images or features as float64 `(n, d)`.

    Args:
        values: numbers, `(n, ...)`.
        name: their name in errors.
        least: how many there must be at least.

    Raises:
        ValueError: there are fewer rows, the rows are empty, or a number is NaN or infinite.
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
    """Returns x and y as `rows` does, float64 `(n, d)` and `(m, d)`; raises ValueError if d differs."""
    x, y = rows(x, names[0], least), rows(y, names[1], least)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must be rows of the same length. Received: {x.shape[1]} and {y.shape[1]}."
        )
    return x, y


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns `|x_i - y_j|^2` of float64 rows, `(n, m)`, 0 or more; the error is 1e-15 of the larger squared length."""
    found = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * (x @ y.T)
    return np.maximum(found, 0, out=found)


def blocks(count: int, block: int) -> list[slice]:
    """Returns slices of at most `block` rows that cover `count`."""
    return [slice(start, min(start + block, count)) for start in range(0, count, block)]


def dealt(parts: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Yields the rows of parts `(n_i, ...)` in order, `size` at a time and fewer at the end, however long parts are."""
    kept, count = [], 0
    for part in parts:
        kept, count = [*kept, part], count + len(part)
        if count >= size:
            whole = np.concatenate(kept) if len(kept) > 1 else part
            full = count - count % size
            yield from (whole[start : start + size] for start in range(0, full, size))
            kept, count = [whole[full:]], count - full
    if count:
        yield np.concatenate(kept)
