"""Parts of a dataset that share no image."""

import numpy as np

from kgen.data import Images
from kgen.errors import UsageError
from kgen.images.stored import rows_of


def split(count: int, folds: int, seed: int) -> list[np.ndarray]:
    """Returns `folds` arrays `(n,)` of indices below `count`, each ascending: disjoint, together all, of equal size.

    Raises:
        UsageError: there are fewer images than folds.
    """
    if count < folds:
        fewer = f"{count} or fewer" if count > 1 else "0"
        raise UsageError(f"{count} images cannot be split into {folds} parts: give --folds {fewer}.")
    shuffled = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, folds, 1]))).permutation(count)
    return [np.sort(part) for part in np.array_split(shuffled, folds)]


def part_of(data: Images, rows: np.ndarray) -> Images:
    """Returns the `Images` of some rows, integers `(n,)`; images in a file stay there."""
    return Images(rows_of(data.images, rows), None if data.labels is None else data.labels[rows], data.classes)


def without(data: Images, parts: list[np.ndarray], number: int) -> tuple[Images, Images]:
    """Returns the `Images` of all parts but one, in their order, and of that one."""
    others = np.sort(np.concatenate([part for i, part in enumerate(parts) if i != number]))
    return part_of(data, others), part_of(data, parts[number])
