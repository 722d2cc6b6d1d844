"""Decodes image files to uint8 arrays. Every resize is Pillow's antialiased bicubic, as in clean-fid."""

import contextlib
import io
import os
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp")
_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGBA", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}
_KEYED = {"1": "LA", "L": "LA", "RGB": "RGBA"}
_OPAQUE = {"L": "L", "LA": "L", "RGB": "RGB", "RGBA": "RGB"}
_MOST_PIXELS = 64_000_000
_MANY_PIXELS = 16_000_000  # an image above it is decoded alone: 64 megapixels take 700 MB, in each of many threads
_one_at_a_time = threading.Lock()
_SHOW_PROGRESS = 2000


class Unusable(ValueError):
    """Raised for an undamaged image of a kind that kgen does not accept."""


def decode(source: bytes | Path) -> Image.Image:
    """Decodes one image, and turns it upright by its EXIF orientation.

    Args:
        source: the bytes of a file, or its path.

    Returns:
        A Pillow image of mode L or RGB.

    Raises:
        ValueError: the image cannot be used; the message is the reason. It is damaged, truncated, above 64 megapixels,
            animated, transparent, or of a mode other than grey and RGB (CMYK, 16 bit, ...).
    """
    try:
        with _open(source) as image:
            _accept(image)
            if image.format == "PNG":  # load() does not read the checksums of the pixels
                with _open(source) as checked:
                    checked.verify()
            large = image.width * image.height > _MANY_PIXELS
            with _one_at_a_time if large else contextlib.nullcontext():
                image.load()
                return _opaque(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError("more than 64 megapixels") from error
    except Unusable:
        raise
    except Exception as error:  # Pillow raises many kinds on damaged files, even SyntaxError
        raise ValueError(f"unreadable ({error or type(error).__name__})") from error


def _open(source: bytes | Path) -> Image.Image:
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS)


def _accept(image: Image.Image) -> None:
    """Raises `Unusable` if an image is too large, of an unknown mode or of 16 bits, or animated."""
    if image.width * image.height > _MOST_PIXELS:
        raise Unusable(f"more than 64 megapixels ({image.width}x{image.height})")
    if image.mode not in _MODES:
        raise Unusable(f"mode {image.mode}; grey and RGB are accepted")
    if any(";16" in str(tile[3]) for tile in image.tile):  # Pillow would drop the lower 8 bits
        raise Unusable("16 bits a channel; 8 are accepted")
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a photograph and its preview
        raise Unusable("animated")


def _opaque(image: Image.Image) -> Image.Image:
    """Returns an image in mode L or RGB; raises `Unusable` if it has transparent pixels."""
    key = "transparency" in image.info and image.mode in _KEYED  # one colour that stands for transparency
    image = image.convert(_KEYED[image.mode] if key else _MODES[image.mode])
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema()[0] < 255:
        raise Unusable("has transparent pixels")
    return image.convert(_OPAQUE[image.mode])


def centre(width: int, height: int) -> tuple[float, float, float, float]:
    """Returns the largest centred square of a frame as a box `(left, top, right, bottom)`, in pixels."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def fit(image: Image.Image, size: int, box: tuple[float, ...] | None = None) -> np.ndarray:
    """Scales a Pillow image to a square.

    Args:
        image: of mode L or RGB.
        size: height and width of the result, in pixels.
        box: `(left, top, right, bottom)` of the part to take, in pixels, which may be fractional; None is the whole
            frame. At the border of the box the kernel also reads the pixels outside.

    Returns:
        uint8 `(size, size, 1 or 3)`.
    """
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))
    return pixels.reshape(size, size, -1)


def resize(images: np.ndarray, size: int | None) -> np.ndarray:
    """Scales uint8 images `(n, height, width, 1 or 3)` to `size x size`; None changes nothing."""
    if size is None or images.shape[1:3] == (size, size):
        return images
    pictures = images[..., 0] if images.shape[3] == 1 else images  # a grey image of Pillow has no channel axis
    scaled = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for target, picture in zip(scaled, pictures, strict=True):
        target[:] = fit(Image.fromarray(picture), size)
    return scaled


def parallel(function: Callable[[int], Any], count: int, description: str) -> list:
    """Calls a function with each index in a pool of threads, which helps because Pillow releases Python's lock.

    Args:
        function: takes an index. An exception that it raises is raised here.
        count: number of calls. Above 2,000, a terminal shows a progress bar.
        description: the words before the progress bar.

    Returns:
        `[function(0), ..., function(count - 1)]`.
    """
    hidden = count <= _SHOW_PROGRESS or not sys.stderr.isatty()
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        results = pool.map(function, range(count))
        return list(tqdm(results, total=count, desc=description, unit=" images", disable=hidden))
