"""Images turned, zoomed and moved, with gathers that eager mode, graphs and XLA compute alike."""

import itertools
import math
from typing import NamedTuple

from kgen import rng
from kgen.backend import keras, tf


class Amounts(NamedTuple):
    """How much `distorted` changes images at most, and how many.

    turn: degrees.
    zoom: share of the size.
    move: share of the size, each way.
    share: of the images that are changed.
    """

    turn: float
    zoom: float
    move: float
    share: float


GENTLE = Amounts(turn=7.0, zoom=0.06, move=1 / 28, share=0.5)  # a pixel of an MNIST digit
STRONG = Amounts(turn=10.0, zoom=0.09, move=1.5 / 28, share=1.0)


def affine(images, degrees, zoom=1.0, down=0.0, right=0.0):
    """Turns images about their centres, counter-clockwise as one looks at them, then zooms and moves them.

    Args:
        images: float32, `(batch, height, width, channels)`.
        degrees: angle of each image, `(batch,)` or a number; so are the others.
        zoom: factor on the size of what is seen, above 0.
        down, right: pixels.

    Returns:
        Images of the same shape, interpolated bilinearly; a pixel outside of the image counts as 0.
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


def distorted(images, amounts=GENTLE):
    """Turns, zooms and moves images a little, so that a network sees more images than there are.

    Which ones, and by how much up to the amounts, is uniform; each image has its own numbers.

    Args:
        images: float32, `(batch, height, width, channels)`; 0 comes in from outside.
        amounts: `Amounts`.

    Returns:
        Images of the same shape.

    Source: Simard et al. 2003, "Best practices for convolutional neural networks", section 2 (affine distortions).
    """
    draws, (count, height, width) = rng.current(), keras.ops.shape(images)[:3]
    turn, zoom, move, share = amounts
    degrees, zoom = draws.uniform((count,), -turn, turn), draws.uniform((count,), 1 - zoom, 1 + zoom)
    down, right = draws.uniform((count,), -move, move) * height, draws.uniform((count,), -move, move) * width
    chosen = draws.uniform((count, 1, 1, 1)) < share
    return tf.where(chosen, affine(images, degrees, zoom, down, right), images)


def flipped(images):
    """Mirrors half of the images, left to right, each by its own coin.

    Args:
        images: floating point, `(batch, height, width, channels)`.

    Returns:
        Images of the same shape.
    """
    chosen = rng.current().uniform((keras.ops.shape(images)[0], 1, 1, 1)) < 0.5
    return tf.where(chosen, images[:, :, ::-1], images)


def _interpolated(images, rows, columns):
    """Returns the images' values at fractional places `(batch, height, width)`."""
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
