"""Decodes image files to uint8 arrays. Every resize is Pillow's antialiased bicubic, as in clean-fid."""

import contextlib
import io
import itertools
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm.auto import tqdm

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff")
TRANSPARENT = "has transparent pixels"
_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGBA", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}
_KEYED = {"1": "LA", "L": "LA", "RGB": "RGBA"}
_OPAQUE = {"L": "L", "LA": "L", "RGB": "RGB", "RGBA": "RGB"}
_MOST_PIXELS = 64_000_000
_MANY_PIXELS = 16_000_000  # an image above it is decoded and used alone: 64 megapixels take 260 MB and more
_large = ThreadPoolExecutor(1)  # one thread for them, since the C library keeps for each thread what it has freed
_SHOW_PROGRESS = 2000
_AHEAD = 512


class Unusable(ValueError):
    """Raised for an undamaged image of a kind that kgen does not accept."""


def decode(
    source: bytes | Path,
    background: tuple[int, int, int] | None = None,
    then: Callable[[Image.Image], Any] = lambda image: image,
) -> Any:
    """Decodes one image, and turns it upright by its EXIF orientation.

    Args:
        source: the bytes of a file, or its path.
        background: red, green and blue of the colour behind transparent pixels; None refuses them.
        then: function of the Pillow image, of mode L or RGB. Other threads wait with their large images until it has
            returned, so that only one large image is in memory.

    Returns:
        What `then` returns; by default the image.

    Raises:
        ValueError: the image cannot be used; the message is the reason. It is damaged, truncated, above 64 megapixels,
            animated, of several pages, transparent without a `background`, or of a mode other than grey and RGB (CMYK,
            16 bit, ...).
    """
    try:
        with _open(source) as image:
            _accept(image)
            if image.format == "PNG":  # load() does not read the checksums of the pixels
                with _open(source) as checked:
                    checked.verify()
            large = image.width * image.height > _MANY_PIXELS
            return _large.submit(_used, image, background, then).result() if large else _used(image, background, then)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError("more than 64 megapixels") from error
    except Unusable:
        raise
    except UnidentifiedImageError:  # its message shows the address of a Python object
        raise ValueError(f"unreadable (none of {', '.join(_FORMATS)})") from None
    except Exception as error:  # Pillow raises many kinds on damaged files, even SyntaxError
        raise ValueError(f"unreadable ({error or type(error).__name__})") from error


def _used(image: Image.Image, background: tuple[int, int, int] | None, then: Callable) -> Any:
    """Returns what `then` returns for an opened image, decoded and upright."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return then(_opaque(image, background))


def _open(source: bytes | Path) -> Image.Image:
    """Returns a Pillow image, not yet decoded; raises `Unusable` for a path of a pipe, a device or a folder."""
    if not isinstance(source, bytes) and os.path.exists(source) and not os.path.isfile(source):
        raise Unusable("is not a file")
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS)


def _accept(image: Image.Image) -> None:
    """Raises `Unusable` if an image is too large, of an unknown mode or of 16 bits, animated, or of several pages."""
    if image.width * image.height > _MOST_PIXELS:
        raise Unusable(f"more than 64 megapixels ({image.width}x{image.height})")
    if image.mode not in _MODES:
        raise Unusable(f"mode {image.mode}; grey and RGB are accepted")
    if any(";16" in str(tile[3]) for tile in image.tile):  # Pillow would drop the lower 8 bits
        raise Unusable("16 bits a channel; 8 are accepted")
    if image.format == "TIFF":
        _demand_one_page(image)
    elif getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a photograph and its preview
        raise Unusable("animated")


def _demand_one_page(image: Image.Image) -> None:
    """Raises `Unusable` if a TIFF has a second page. It does not count them, since a file can have millions."""
    with contextlib.suppress(EOFError):
        image.seek(1)
        raise Unusable("has several pages; one is accepted")


def _opaque(image: Image.Image, background: tuple[int, int, int] | None) -> Image.Image:
    """Returns an image in mode L or RGB; transparent pixels show the background, or raise `Unusable` without one.

    A value is `(a c + (255 - a) b) / 255` rounded to the nearest integer: alpha a, the pixel's c, the background's b.
    """
    key = "transparency" in image.info and image.mode in _KEYED  # one colour that stands for transparency
    image = _converted(image, _KEYED[image.mode] if key else _MODES[image.mode])
    opaque = _converted(image, _OPAQUE[image.mode])
    if image.mode not in ("LA", "RGBA") or image.getchannel("A").getextrema()[0] == 255:
        return opaque
    if background is None:
        raise Unusable(TRANSPARENT)
    grey = opaque.mode == "L" and len(set(background)) == 1
    behind = Image.new("L" if grey else "RGB", image.size, background[0] if grey else background)
    behind.paste(opaque, mask=image.getchannel("A"))
    return behind


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Returns an image in another mode; the image itself if it has it, of which Pillow would make a copy."""
    return image if image.mode == mode else image.convert(mode)


def centre(width: int, height: int, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Returns the largest centred part of a frame in the proportion of `size`.

    Args:
        width, height: of the frame, in pixels.
        size: `(height, width)`.

    Returns:
        A box `(left, top, right, bottom)` in pixels, which may be fractional.
    """
    rows, columns = size
    wide, high = min(width, height * columns / rows), min(height, width * rows / columns)
    left, top = (width - wide) / 2, (height - high) / 2
    return left, top, left + wide, top + high


def fit(image: Image.Image, size: tuple[int, int], box: tuple[float, ...] | None = None) -> np.ndarray:
    """Scales a Pillow image, or a part of it.

    Args:
        image: of mode L or RGB.
        size: `(height, width)` of the result, in pixels.
        box: `(left, top, right, bottom)` of the part to take, in pixels, which may be fractional; None is the whole
            frame. At the border of the box the kernel also reads the pixels outside.

    Returns:
        uint8 `(height, width, 1 or 3)`.
    """
    pixels = np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC, box=box))
    return pixels.reshape(*size, -1)


def fitted(
    size: tuple[int, int], crop: str, background: tuple[int, int, int] | None
) -> Callable[[bytes | Path], np.ndarray | str]:
    """Returns a function of the bytes or the path of a file. It returns the image as `fit` does, or why it cannot.

    Args:
        size: `(height, width)` in pixels.
        crop: `center`, the largest centred part in the proportion of `size`, or `squash`, the whole image.
        background: see `decode`.
    """

    def read(source: bytes | Path) -> np.ndarray | str:
        try:
            return decode(source, background, scaled)
        except (OSError, ValueError) as error:
            return str(error)

    def scaled(image: Image.Image) -> np.ndarray:
        return fit(image, size, centre(*image.size, size) if crop == "center" else None)

    return read


def resize(images: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Scales uint8 images `(n, height, width, 1 or 3)` to `size`, `(height, width)`; None changes nothing."""
    if size is None or images.shape[1:3] == size:
        return images
    pictures = images[..., 0] if images.shape[3] == 1 else images  # a grey image of Pillow has no channel axis
    scaled = np.empty((len(images), *size, images.shape[3]), np.uint8)
    for target, picture in zip(scaled, pictures, strict=True):
        target[:] = fit(Image.fromarray(picture), size)
    return scaled


def parallel(function: Callable[[Any], Any], items: Iterable, count: int, description: str) -> list:
    """Calls a function with each item in a pool of threads, which helps because Pillow releases Python's lock.

    Args:
        function: takes an item. An exception that it raises is raised here.
        items: read a few hundred ahead of the calls.
        count: number of items. Above 2,000, a terminal shows a progress bar.
        description: the words before the progress bar.

    Returns:
        `[function(item) for item in items]`.
    """
    hidden = count <= _SHOW_PROGRESS or not sys.stderr.isatty()
    found, left = [], iter(items)
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=count, desc=description, unit=" images", disable=hidden) as bar,
    ):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        while part := list(itertools.islice(left, _AHEAD)):  # not all at once: a million calls waiting take gigabytes
            for result in pool.map(function, part):
                found.append(result)
                bar.update()
    return found
