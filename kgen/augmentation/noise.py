"""Noise for denoising autoencoders, which see `add(images, noises)` and learn to return the clean images.

Each image draws its own numbers from `kgen.rng.current()`. Images are in [0, 1]; 0 is black.

A flag names a noise as text: `uniform:0.7`, `salt-and-pepper:0.1`, `hole:8x6` or `rotation:30`. Several noises are
joined by `+` and applied from left to right.

Source: student report 002, denoising. The idea is from Vincent et al. 2008, "Extracting and composing robust features
with denoising autoencoders".
"""

import difflib
import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from kgen import rng
from kgen.augmentation.affine import affine
from kgen.backend import Tensor, keras, tf
from kgen.errors import UsageError


class Noise(NamedTuple):
    """One noise with its amounts. Calling it with images adds the noise; `str()` is the text that `parse` reads."""

    name: str
    amounts: tuple[float, ...]

    def __call__(self, images: Tensor) -> Tensor:
        return NOISES[self.name].apply(images, *self.amounts)

    def __str__(self) -> str:
        return f"{self.name}:{'x'.join(str(amount).removesuffix('.0') for amount in self.amounts)}"


class Kind(NamedTuple):
    """What the name of a noise stands for.

    apply: function of images and amounts that adds the noise.
    read: function that reads the amounts from text; it raises ValueError if it cannot.
    takes: the accepted amounts, in words.
    """

    apply: Callable
    read: Callable
    takes: str


def parse(text: str | None) -> list[Noise]:
    """Returns the noises that a text names, in the order of application.

    Args:
        text: `name:amount`, or several of them joined by `+`; None or "" for no noise.

    Returns:
        A list of `Noise`.

    Raises:
        UsageError: an unknown name; an amount that is missing, unreadable or out of range.
    """
    return [_parsed(part.strip()) for part in text.split("+")] if text else []


def add(images: Tensor, noises: list[Noise]) -> Tensor:
    """Applies noises one after the other, `n_k(...n_2(n_1(x)))`, and rounds to the images' dtype only at the end.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1]; height and width known in graphs.
        noises: as from `parse`; an empty list leaves the images as they are.

    Returns:
        Images of the same shape and dtype, in [0, 1].

    Raises:
        UsageError: a hole larger than the images.
        ValueError: images that are not floating point, unless there is no noise.
        RuntimeError: outside of `with Rng(...)`, unless there is no noise.
    """
    if not noises:
        return images
    x = _float32(images)
    for noise in noises:
        x = noise(x)
    return tf.cast(x, images.dtype)


def uniform(images: Tensor, amount: float) -> Tensor:
    """Adds a random number to each value: `clip(x + u, 0, 1)`, with u uniform in (-amount / 2, amount / 2).

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        amount: the width of the interval, above 0.

    Returns:
        Images of the same shape and dtype, computed in float32.

    Source: student report 002, "URN".
    """
    x = _float32(images)
    x = x + rng.current().uniform(keras.ops.shape(x), -amount / 2, amount / 2)
    return tf.cast(tf.clip_by_value(x, 0.0, 1.0), images.dtype)


def salt_and_pepper(images: Tensor, share: float) -> Tensor:
    """Sets each pixel, in all its channels, to 0 with probability `share / 2` and to 1 with probability `share / 2`.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        share: the expected share of pixels that are set, in (0, 1], exact to 2^-22.

    Returns:
        Images of the same shape and dtype.

    Source: student report 002, "SNP".
    """
    x = _float32(images)
    number = rng.current().uniform((*keras.ops.shape(x)[:3], 1))  # one draw for both: below `share / 2` is pepper (0)
    x = tf.where(number < share, tf.cast(number >= share / 2, "float32"), x)
    return tf.cast(x, images.dtype)


def hole(images: Tensor, height: int, width: int) -> Tensor:
    """Sets a rectangle to 0; all places where it lies wholly inside of the image are equally likely.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        height: of the rectangle, in pixels, at least 1.
        width: of the rectangle, in pixels, at least 1.

    Returns:
        Images of the same shape and dtype.

    Raises:
        UsageError: the rectangle is higher or wider than the images.

    Source: student report 002, "RandomHole".
    """
    x = _float32(images)
    high, wide = x.shape[1:3]
    if height > high or width > wide:
        raise UsageError(
            f"--noise hole:{height}x{width} (height x width) does not fit into images of {high}x{wide} pixels: "
            f"take at most hole:{high}x{wide}."
        )
    rows, columns = _covered(keras.ops.shape(x)[0], high, height), _covered(keras.ops.shape(x)[0], wide, width)
    covered = (rows[:, :, None] & columns[:, None, :])[..., None]
    return tf.cast(tf.where(covered, tf.zeros_like(x), x), images.dtype)


def rotation(images: Tensor, degrees: float) -> Tensor:
    """Turns each image about its centre by an angle uniform in (-degrees, degrees).

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        degrees: the greatest angle, in (0, 180].

    Returns:
        Images of the same shape and dtype; a pixel outside of the image counts as 0.

    Source: student report 002, "RandomRotation". Deviation: bilinear interpolation; torchvision's RandomRotation takes
        the nearest pixel by default.
    """
    return turned(images, rng.current().uniform(keras.ops.shape(images)[:1], -degrees, degrees))


def turned(images: Tensor, degrees: Tensor) -> Tensor:
    """Turns images about their centres, counter-clockwise for the viewer, with bilinear interpolation.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        degrees: one angle per image, `(batch,)`.

    Returns:
        Images of the same shape and dtype, computed in float32; a pixel outside of the image counts as 0.
    """
    return tf.cast(affine(_float32(images), degrees), images.dtype)


def _covered(batch: Tensor | int, extent: int, size: int) -> Tensor:
    """Returns booleans `(batch, extent)`, true along a randomly placed stretch of `size` pixels."""
    first = rng.current().integers((batch, 1), extent - size + 1)
    position = tf.range(extent)
    return (position >= first) & (position < first + size)


def _float32(images: Tensor) -> Tensor:
    """Returns images as float32; raises ValueError if they are not floating point."""
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"`images` must be floating point. Received: {dtype}.")
    return tf.cast(images, "float32")


def _parsed(text: str) -> Noise:
    """Returns the noise of one `name:amount`; raises UsageError if it cannot be read."""
    name, _, argument = text.partition(":")
    if name not in NOISES:
        near = difflib.get_close_matches(name, NOISES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"--noise: there is no noise {name!r}.{hint} There are: {', '.join(NOISES)}.")
    try:
        return Noise(name, NOISES[name].read(argument))
    except ValueError:
        got = repr(argument) if argument else "nothing"
        raise UsageError(f"--noise: {name} takes {NOISES[name].takes}, and got {got}.") from None


def _number(text: str, most: float) -> tuple[float]:
    """Returns the number of a text, above 0 and at most `most`, as the only amount of a noise."""
    number = float(text)
    if not 0 < number <= most:  # nor NaN
        raise ValueError
    return (number,)


def _sides(text: str) -> tuple[int, ...]:
    """Returns `(height, width)` of a text such as `8x6`."""
    match = re.fullmatch("0*([1-9][0-9]{0,8})x0*([1-9][0-9]{0,8})", text)
    if not match:
        raise ValueError
    return tuple(map(int, match.groups()))


# A uniform noise of 1000 leaves only one value in a thousand between black and white. Larger amounts are refused, since
# float32 would overflow at 3e38.
NOISES: dict[str, Kind] = {
    "uniform": Kind(uniform, partial(_number, most=1000), "a width above 0 and at most 1000, as in uniform:0.7"),
    "salt-and-pepper": Kind(
        salt_and_pepper, partial(_number, most=1), "a share above 0 and at most 1, as in salt-and-pepper:0.1"
    ),
    "hole": Kind(hole, _sides, "height x width in pixels, whole numbers of at least 1, as in hole:8x6"),
    "rotation": Kind(
        rotation, partial(_number, most=180), "an angle in degrees, above 0 and at most 180, as in rotation:30"
    ),
}
