"""Affine changes of images: rotation, zoom and shift, computed alike in eager mode, in graphs and under XLA.

The interpolation is written with gathers, because the operation behind Keras's `affine_transform` has no XLA kernel.
"""

import itertools
import math
from typing import NamedTuple

from kgen import rng
from kgen.backend import Tensor, keras, tf


class Amounts(NamedTuple):
    """The greatest changes that `distorted` makes, and how many images it changes.

    turn: greatest angle, in degrees.
    zoom: greatest change of the size, as a share of the size.
    move: greatest shift in each direction, as a share of the size.
    share: probability that an image is changed.
    """

    turn: float
    zoom: float
    move: float
    share: float


GENTLE = Amounts(turn=7.0, zoom=0.06, move=1 / 28, share=0.5)  # 1/28 is a pixel of an MNIST digit
STRONG = Amounts(turn=10.0, zoom=0.09, move=1.5 / 28, share=1.0)


def affine(
    images: Tensor,
    degrees: Tensor | float,
    zoom: Tensor | float = 1.0,
    down: Tensor | float = 0.0,
    right: Tensor | float = 0.0,
) -> Tensor:
    """Turns images about their centres, counter-clockwise for the viewer, then zooms and moves them.

    Each amount is one number for all images, or a tensor `(batch,)` with one number for each image.

    Args:
        images: float32, `(batch, height, width, channels)`.
        degrees: the angle.
        zoom: the factor by which the content grows, above 0.
        down: shift downwards, in pixels.
        right: shift to the right, in pixels.

    Returns:
        Images of the same shape, interpolated bilinearly. A pixel outside of the image counts as 0.
    """
    each = tf.ones((keras.ops.shape(images)[0], 1, 1))
    degrees, zoom, down, right = (
        each * tf.reshape(tf.cast(x, "float32"), (-1, 1, 1)) for x in (degrees, zoom, down, right)
    )
    middle_row, middle_column = ((size - 1) / 2 for size in images.shape[1:3])
    y = ((tf.range(images.shape[1], dtype="float32") - middle_row)[:, None] - down) / zoom
    x = ((tf.range(images.shape[2], dtype="float32") - middle_column)[None, :] - right) / zoom
    radians = degrees * (math.pi / 180)
    cosine, sine = tf.cos(radians), tf.sin(radians)
    return _interpolated(images, sine * x + cosine * y + middle_row, cosine * x - sine * y + middle_column)


def distorted(images: Tensor, amounts: Amounts = GENTLE) -> Tensor:
    """Turns, zooms and moves images a little, so that a network sees more images than the dataset has.

    Each image draws its own numbers: whether it is changed, and changes that are uniform up to the given amounts.

    Args:
        images: float32, `(batch, height, width, channels)`. A pixel outside of the image counts as 0.
        amounts: the greatest changes, and the share of images that are changed.

    Returns:
        Images of the same shape.

    Source: Simard et al. 2003, "Best practices for convolutional neural networks", section 2 (affine distortions).
    """
    draws = rng.current()
    count, height, width = keras.ops.shape(images)[:3]
    turn, zoom, move, share = amounts
    degrees = draws.uniform((count,), -turn, turn)
    zoom = draws.uniform((count,), 1 - zoom, 1 + zoom)
    down = draws.uniform((count,), -move, move) * height
    right = draws.uniform((count,), -move, move) * width
    chosen = draws.uniform((count, 1, 1, 1)) < share
    return tf.where(chosen, affine(images, degrees, zoom, down, right), images)


def flipped(images: Tensor) -> Tensor:
    """Mirrors each image, left to right, with probability 1/2.

    Args:
        images: floating point, `(batch, height, width, channels)`.

    Returns:
        Images of the same shape.
    """
    chosen = rng.current().uniform((keras.ops.shape(images)[0], 1, 1, 1)) < 0.5
    return tf.where(chosen, images[:, :, ::-1], images)


def _interpolated(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Returns the images interpolated bilinearly at fractional rows and columns, each `(batch, height, width)`."""
    height, width, channels = images.shape[1:]
    pixels = tf.reshape(images, (-1, height * width, channels))
    top, left = tf.floor(rows), tf.floor(columns)
    result = tf.zeros_like(images)
    for row, column in itertools.product((top, top + 1), (left, left + 1)):
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        place = tf.cast(tf.where(inside, row * width + column, 0.0), tf.int32)  # exact up to 2^24 pixels
        weight = (1 - tf.abs(rows - row)) * (1 - tf.abs(columns - column))
        values = weight[..., None] * tf.gather(pixels, place, axis=1, batch_dims=1)
        result += tf.where(inside[..., None], values, 0.0)
    return result
