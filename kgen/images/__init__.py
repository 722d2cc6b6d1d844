"""Conversion of images between bytes, the value range of a network and [0, 1]; writing of PNG and GIF files.

Only this package knows value ranges. On disk an image is uint8, 0 to 255. A network works with float32 numbers in a
`Range`. Metrics and viewers take [0, 1].
"""

import io
import math
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from kgen.backend import Tensor, keras


class Range(NamedTuple):
    """The values `low` for black and `high` for white."""

    low: float
    high: float


UNIT = Range(0.0, 1.0)  # sigmoid
SYMMETRIC = Range(-1.0, 1.0)  # tanh


def from_bytes(images: Tensor, range: Range) -> Tensor:
    """Scales bytes to a network's range: `low + (high - low) images / 255`. The device computes it.

    Args:
        images: uint8, any shape.
        range: the range of the result.

    Returns:
        float32 tensor of the same shape; 0 becomes `range.low` and 255 `range.high`.

    Raises:
        ValueError: `images` are not uint8 (scaled already, perhaps).
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype != "uint8":
        raise ValueError(f"`images` must be uint8. Received: {dtype}.")
    return keras.ops.cast(images, "float32") / 255.0 * (range.high - range.low) + range.low


def to_range(images: Tensor, range: Range) -> Tensor:
    """Returns images in `range` as float32: bytes are scaled by `from_bytes`, floating-point numbers lie in it already.

    Args:
        images: uint8, or floating point in `range`, any shape.
        range: the range of the result.

    Returns:
        float32 tensor of the same shape.
    """
    floating = "float" in keras.backend.standardize_dtype(images.dtype)
    return keras.ops.cast(images, "float32") if floating else from_bytes(images, range)


def to_unit(images: Tensor | np.ndarray, range: Range) -> Tensor | np.ndarray:
    """Scales images from a network's range to [0, 1], and clips values outside of it.

    Args:
        images: floating point, any shape, tensor or array.
        range: the `Range` they are in.

    Returns:
        float32 of the same shape in [0, 1]; a tensor for a tensor, an array for an array. NaN stays NaN.

    Raises:
        ValueError: `images` are integers, that is bytes, for which a `Range` has no meaning.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"`images` must be floating point. Received: {dtype}.")
    if isinstance(images, np.ndarray):
        return np.clip((images.astype(np.float32) - range.low) / (range.high - range.low), 0.0, 1.0)
    unit = (keras.ops.cast(images, "float32") - range.low) / (range.high - range.low)
    return keras.ops.clip(unit, 0.0, 1.0)


def from_unit(images: Tensor | np.ndarray, range: Range) -> Tensor | np.ndarray:
    """Scales images from [0, 1] to a network's range, `low + (high - low) images`; `to_unit` is the inverse.

    Args:
        images: float32 in [0, 1], any shape.
        range: the range of the result.

    Returns:
        float32 of the same shape; a tensor for a tensor, an array for an array.
    """
    return images * (range.high - range.low) + range.low


def to_bytes(images: Tensor | np.ndarray) -> np.ndarray:
    """Rounds images in [0, 1] to the nearest byte.

    Args:
        images: floating point in [0, 1], any shape; an array or an eager tensor.

    Returns:
        uint8 array of the same shape.

    Raises:
        ValueError: a value is NaN, or does not round to 0..255 (`to_unit` scales a network's range to [0, 1]).
    """
    levels = np.rint(np.asarray(images, np.float32) * 255.0)
    if np.isnan(levels).any():
        raise ValueError(f"`images` must be numbers in [0, 1]. Received: NaN in {np.isnan(levels).sum()} places.")
    if levels.size and (levels.min() < 0 or levels.max() > 255):
        low, high = levels.min() / 255, levels.max() / 255
        raise ValueError(f"`images` must lie in [0, 1]. Received: values from {low:.3g} to {high:.3g}.")
    return levels.astype(np.uint8)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lays images out row by row in one picture; cells left over are black.

    Args:
        images: uint8, `(n, height, width, channels)`, n at least 1.
        columns: number of columns; by default the square root of n, rounded up.

    Returns:
        uint8 array, `(rows * height, columns * width, channels)`.

    Raises:
        ValueError: no images, another shape or dtype, or `columns` below 1.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(f"`images` must be uint8 (n, height, width, channels). Received: {_describe(images)}.")
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    if columns < 1:
        raise ValueError(f"`columns` must be at least 1. Received: columns={columns}.")
    rows = math.ceil(count / columns)
    cells = np.zeros((rows * columns, height, width, channels), np.uint8)
    cells[:count] = images
    picture = cells.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return picture.reshape(rows * height, columns * width, channels)


def png_bytes(image: np.ndarray) -> bytes:
    """Encodes one image losslessly.

    Args:
        image: uint8, `(height, width, channels)` with 1 (grey), 3 (RGB) or 4 (RGBA) channels.

    Returns:
        The contents of a PNG file.

    Raises:
        ValueError: another shape or dtype.
    """
    encoded = io.BytesIO()
    _picture(image).save(encoded, "PNG")
    return encoded.getvalue()


def save_png(path: Path | str, image: np.ndarray) -> None:
    """Writes one image as a PNG file. A reader sees either the old file or the complete new one.

    Args:
        path: of the file; its folder must exist.
        image: uint8, `(height, width, channels)` with 1 (grey), 3 (RGB) or 4 (RGBA) channels.

    Raises:
        ValueError: another shape or dtype.
        OSError: the file cannot be written.
    """
    _replace(path, png_bytes(image))


def save_gif(path: Path | str, frames: np.ndarray, seconds_per_frame: float = 0.1) -> None:
    """Writes an endless GIF animation, 256 colours a frame. A reader sees either the old file or the complete new one.

    Args:
        path: of the file; its folder must exist.
        frames: uint8, `(time, height, width, channels)` with 1 or 3 channels, at least one frame.
        seconds_per_frame: at least 0.01 s, rounded to 0.01 s; many viewers show less than 0.02 s as 0.1 s.

    Raises:
        ValueError: no frames, another shape or dtype, or a time that is too short.
        OSError: the file cannot be written.
    """
    if len(frames) == 0 or seconds_per_frame < 0.01:
        raise ValueError(
            "`frames` must be at least one and `seconds_per_frame` at least 0.01. "
            f"Received: {len(frames)} frames, seconds_per_frame={seconds_per_frame}."
        )
    first, *rest = [_picture(frame) for frame in frames]
    encoded = io.BytesIO()
    milliseconds = round(seconds_per_frame * 100) * 10
    first.save(encoded, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0)
    _replace(path, encoded.getvalue())


def _picture(image: np.ndarray) -> Image.Image:
    """Returns a uint8 array `(height, width, channels)` as a Pillow image; raises ValueError if it is none."""
    image = np.asarray(image)
    if image.ndim != 3 or image.dtype != np.uint8 or image.shape[-1] not in (1, 3, 4):
        raise ValueError(f"An image must be uint8 (height, width, 1, 3 or 4). Received: {_describe(image)}.")
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _replace(path: Path | str, contents: bytes) -> None:
    """Writes a file under another name, then renames it, so that no reader sees a part of it."""
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(contents)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _describe(array: np.ndarray) -> str:
    """Returns the dtype and the shape of an array, for messages."""
    return f"{array.dtype} {array.shape}"
