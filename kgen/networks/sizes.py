"""Checks the sizes of images that networks can make."""

from collections.abc import Collection

from kgen.errors import UsageError


def checked(shape: tuple[int, ...], sizes: Collection[int]) -> tuple[int, ...]:
    """Returns the shape of images, `(height, width, channels)`; raises UsageError unless square, of one of `sizes`."""
    if shape[0] not in sizes or shape[0] != shape[1]:
        size = "x".join(map(str, shape[:2]))
        choice, nearest = ", ".join(map(str, sizes)), min(sizes, key=lambda known: (abs(known - shape[0]), -known))
        raise UsageError(f"This model makes square images of {choice} pixels, not {size}: give --image-size {nearest}.")
    return shape


def divisible(shape: tuple[int, ...], units: dict[int, int]) -> tuple[int, ...]:
    """Returns the shape of images, `(height, width, channels)`, of networks that halve or double maps of any ratio.

    Args:
        shape: of the images.
        units: the sizes of the shorter side that can be made, and the number that the longer one must be divisible by.

    Raises:
        UsageError: the shorter side is another one, or the longer one is not divisible.
    """
    if shape[0] == shape[1]:
        return checked(shape, units)
    short, long = sorted(shape[:2])
    if short in units and long % units[short] == 0:
        return shape
    near = min(units, key=lambda known: (abs(known - short), -known))
    other = max(1, round(long * near / short / units[near])) * units[near]
    size, nearest = "x".join(map(str, shape[:2])), f"{near}x{other}" if shape[0] < shape[1] else f"{other}x{near}"
    rules = ", ".join(f"{known} by a multiple of {unit}" for known, unit in units.items())
    raise UsageError(f"This model makes images of {rules} pixels, not {size}: give --image-size {nearest}.")
