"""Sizes and colours, as a user writes them."""

import re

from kgen.errors import UsageError

_SIZE = re.compile(r"(\d{1,99})(?:x(\d{1,99}))?", re.ASCII)  # Python reads no number of 5,000 digits
LARGEST_SIZE = 4096
_COLOURS = {"white": "#ffffff", "black": "#000000"}


def sides(size: int | str | None) -> tuple[int, int] | None:
    """Returns `(height, width)` of a size that is one number, `64`, or a text like `64x96`; None is None.

    Raises:
        UsageError: it is neither, or a side is not 1 to 4096 pixels.
    """
    if size is None:
        return None
    match = _SIZE.fullmatch(str(size))
    if match is None:
        raise UsageError(f"--image-size must be pixels like 64, or height x width like 64x96, not {size}.")
    found = int(match[1]), int(match[2] or match[1])
    if not all(1 <= side <= LARGEST_SIZE for side in found):
        raise UsageError(f"--image-size must be from 1 to {LARGEST_SIZE}, not {size}.")
    return found


def colour(name: str | None) -> tuple[int, int, int] | None:
    """Returns red, green and blue of `white`, `black` or `#rrggbb`; None is None.

    Raises:
        UsageError: it is none of these.
    """
    if name is None:
        return None
    code = _COLOURS.get(name, name)
    if not re.fullmatch("#[0-9a-fA-F]{6}", code):
        raise UsageError(f"--background must be white, black or a colour like #ff8000, not {name}.")
    return tuple(bytes.fromhex(code[1:]))
