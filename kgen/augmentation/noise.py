"""Noises that a denoising autoencoder learns to take away: it sees `add(images, noises)` and is asked for the images.

Each image draws its own numbers from `kgen.rng.current()`. Images are in [0, 1]; 0 is black.

As text, for a flag: `uniform:0.7`, `salt-and-pepper:0.1`, `hole:8x6` or `rotation:30`, or several, joined by `+` and
applied from left to right.

Source: student report 002, denoising; the idea is that of Vincent et al. 2008, "Extracting and composing robust
features with denoising autoencoders".
"""

import difflib
import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from kgen import rng
from kgen.augmentation.affine import affine
from kgen.backend import keras, tf
from kgen.errors import UsageError


class Noise(NamedTuple):
    """One noise with its amounts, called with images; `str()` is the text that `parse` reads."""

    name: str
    amounts: tuple[float, ...]

    def __call__(self, images):
        return NOISES[self.name].apply(images, *self.amounts)

    def __str__(self):
        return f"{self.name}:{'x'.join(str(amount).removesuffix('.0') for amount in self.amounts)}"


class Kind(NamedTuple):
    """What a name stands for: a function of images and amounts, and how its amounts are read and described."""

    apply: Callable
    read: Callable
    takes: str


def parse(text):
    """Returns the noises that a text names, in the order of application.

    Args:
        text: `name:amount`, several of them joined by `+`; None or "" for no noise.

    Returns:
        A list of `Noise`.

    Raises:
        UsageError: an unknown name; an amount that is missing, unreadable or out of range.
    """
    return [_parsed(part.strip()) for part in text.split("+")] if text else []


def add(images, noises):
    """Applies noises, `n_k(...n_2(n_1(x)))`, rounding to the dtype of the images only at the end.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1]; height and width known in graphs.
        noises: a list of `Noise`, as from `parse`; an empty one leaves the images as they are.

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


def uniform(images, amount):
    """Adds a number to each value, `clip(x + u, 0, 1)` with u uniform in (-amount / 2, amount / 2).

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


def salt_and_pepper(images, share):
    """Sets each pixel, in all its channels, to 0 or to 1 with a probability of `share / 2` each.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        share: of pixels that are set, in (0, 1], exact to 2^-22.

    Returns:
        Images of the same shape and dtype.

    Source: student report 002, "SNP".
    """
    x = _float32(images)
    number = rng.current().uniform((*keras.ops.shape(x)[:3], 1))  # one draw: the lower half of `share` is pepper
    x = tf.where(number < share, tf.cast(number >= share / 2, "float32"), x)
    return tf.cast(x, images.dtype)


def hole(images, height, width):
    """Sets a rectangle to 0, at one of the places where it lies wholly inside of the image, equally likely.

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


def rotation(images, degrees):
    """Turns each image about its centre by an angle uniform in (-degrees, degrees).

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        degrees: the greatest angle, in (0, 180].

    Returns:
        Images of the same shape and dtype; what comes from outside of the image is 0.

    Source: student report 002, "RandomRotation". Deviation: bilinear interpolation, where torchvision's RandomRotation
        takes the nearest pixel unless told otherwise.
    """
    return turned(images, rng.current().uniform(keras.ops.shape(images)[:1], -degrees, degrees))


def turned(images, degrees):
    """Turns images about their centres, counter-clockwise as one looks at them, with bilinear interpolation.

    Args:
        images: floating point, `(batch, height, width, channels)`, in [0, 1].
        degrees: one angle per image, `(batch,)`.

    Returns:
        Images of the same shape and dtype, computed in float32; a pixel outside of the image counts as 0.
    """
    return tf.cast(affine(_float32(images), degrees), images.dtype)


def _covered(batch, extent, size):
    """Returns `(batch, extent)`, true where a stretch of `size` lies."""
    first = rng.current().integers((batch, 1), extent - size + 1)
    position = tf.range(extent)
    return (position >= first) & (position < first + size)


def _float32(images):
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"`images` must be floating point. Received: {dtype}.")
    return tf.cast(images, "float32")


def _parsed(text):
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


def _number(text, most):
    number = float(text)
    if not 0 < number <= most:  # nor NaN
        raise ValueError
    return (number,)


def _sides(text):
    match = re.fullmatch("0*([1-9][0-9]{0,8})x0*([1-9][0-9]{0,8})", text)
    if not match:
        raise ValueError
    return tuple(map(int, match.groups()))


# A uniform noise of 1000 leaves one value in a thousand between black and white; float32 ends at 3e38.
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
