"""The two ends of an interpolation, picked on the sheet of samples: `--from 3,5 --to 7,2`, row and column from 1.

Student report 004, figure 6, marks them by borders of blue and red.
"""

import re

import numpy as np

from kgen import images
from kgen.errors import UsageError

BLUE, RED = (40, 90, 255), (255, 40, 40)


def cell(text: str, flag: str) -> tuple[int, int]:
    """Returns `(row, column)` from 1 of a text such as `3,5`; raises UsageError if it cannot be read."""
    match = re.fullmatch(r"\s*([1-9]\d{0,4})\s*,\s*([1-9]\d{0,4})\s*", text, re.ASCII)
    if not match:
        raise UsageError(f"--{flag} must be a row and a column of the sheet of samples, such as 3,5, not {text}.")
    return int(match[1]), int(match[2])


def place(cell: tuple[int, int], flag: str, count: int, columns: int) -> int:
    """Returns the index of a cell among the `count` images of a sheet; raises UsageError if it lies outside."""
    row, column = cell
    number = (row - 1) * columns + column - 1
    if column > columns or number >= count:
        raise UsageError(
            f"--{flag} {row},{column} lies outside of the sheet, which has {-(-count // columns)} rows and {columns} "
            "columns."
        )
    return number


def sheet(pictures: np.ndarray, columns: int, first: int, last: int) -> np.ndarray:
    """Returns the sheet of samples with a blue border around the first end and a red one around the last.

    Args:
        pictures: uint8, `(n, height, width, 1 or 3)`.
        columns: of the sheet.
        first, last: indices of the two ends.

    Returns:
        uint8, `(rows * height, columns * width, 3)`. A border covers the outermost pixels of its image.
    """
    coloured = np.repeat(pictures, 3 // pictures.shape[-1], axis=-1)
    wide = max(1, min(pictures.shape[1:3]) // 24)
    for number, colour in ((first, BLUE), (last, RED)):
        inner = coloured[number, wide:-wide, wide:-wide].copy()
        coloured[number] = colour
        coloured[number, wide:-wide, wide:-wide] = inner
    return images.grid(coloured, columns)
