"""Three ways to double height and width: a transposed convolution, or an upsampling and then a convolution.

A transposed convolution overlaps unevenly if its stride does not divide the kernel size. This makes checkerboard
artifacts; resizing first makes none.
Source: Odena et al. 2016, "Deconvolution and checkerboard artifacts", Distill, doi:10.23915/distill.00003.
"""

from collections.abc import Callable
from typing import Any

from kgen.backend import Tensor, keras


def transposed(x: Tensor, filters: int, kernel_size: int, **conv_kwargs: Any) -> Tensor:
    """Transposed convolution of stride 2.

    Args:
        x: symbolic images, `(batch, height, width, channels)`.
        filters: channels of the output.
        kernel_size: an integer or `(height, width)`; even sizes overlap evenly.
        conv_kwargs: further arguments of `keras.layers.Conv2DTranspose`.

    Returns:
        `(batch, 2 height, 2 width, filters)`.
    """
    return keras.layers.Conv2DTranspose(filters, kernel_size, strides=2, padding="same", **conv_kwargs)(x)


def nearest(x: Tensor, filters: int, kernel_size: int, **conv_kwargs: Any) -> Tensor:
    """Nearest-neighbour upsampling (each pixel is repeated 2 x 2), then a convolution.

    Args:
        x: symbolic images, `(batch, height, width, channels)`.
        filters: channels of the output.
        kernel_size: an integer or `(height, width)`.
        conv_kwargs: further arguments of `keras.layers.Conv2D`.

    Returns:
        `(batch, 2 height, 2 width, filters)`.
    """
    x = repeated(x)
    return keras.layers.Conv2D(filters, kernel_size, padding="same", **conv_kwargs)(x)


def repeated(x: Tensor) -> Tensor:
    """Returns images `(batch, height, width, channels)` with each pixel repeated 2 x 2: twice as high and wide."""
    large = keras.layers.UpSampling2D(2, interpolation="nearest")(x)
    return keras.layers.Reshape(large.shape[1:])(large)  # without it TensorFlow Lite loses the shape


def bilinear(x: Tensor, filters: int, kernel_size: int, **conv_kwargs: Any) -> Tensor:
    """Bilinear interpolation with half-pixel centres (weights 3/4 and 1/4; not aligned corners), then a convolution.

    Args:
        x: symbolic images, `(batch, height, width, channels)`.
        filters: channels of the output.
        kernel_size: an integer or `(height, width)`.
        conv_kwargs: further arguments of `keras.layers.Conv2D`.

    Returns:
        `(batch, 2 height, 2 width, filters)`.
    """
    x = keras.layers.UpSampling2D(2, interpolation="bilinear")(x)
    return keras.layers.Conv2D(filters, kernel_size, padding="same", **conv_kwargs)(x)


UPSAMPLINGS: dict[str, Callable] = {"transposed": transposed, "nearest": nearest, "bilinear": bilinear}
