"""Checks the sizes of images that networks can make."""

from collections.abc import Collection

from kgen.errors import UsageError


def checked(shape: tuple[int, ...], sizes: Collection[int]) -> tuple[int, ...]:
    """Returns the shape of images, `(height, width, channels)`; raises UsageError unless square, of one of `sizes`."""
    if shape[0] not in sizes or shape[0] != shape[1]:
        size = "x".join(map(str, shape[:2]))
        choice, nearest = ", ".join(map(str, sizes)), min(sizes, key=lambda known: (abs(known - shape[0]), -known))
        raise UsageError(f"This model makes images of {choice} pixels, not {size}: give --image-size {nearest}.")
    return shape
