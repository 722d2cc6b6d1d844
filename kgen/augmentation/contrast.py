"""Global contrast normalisation: every image with the same mean and the same norm, as in the first GAN's CIFAR-10 runs.

Source: `global_contrast_normalize` of pylearn2, as called by the CIFAR-10 experiments of goodfeli/adversarial
(`gcn: 55`), the code of Goodfellow et al. 2014, arXiv:1406.2661.
"""

import numpy as np

from kgen.backend import keras
from kgen.images import Range

FLAT = 1e-8  # least norm that is divided by


def normalise(images, scale=55.0):
    """Subtracts each image's mean and scales the rest to norm `scale`: `g = scale (x - mean) / ||x - mean||_2`.

    Args:
        images: floating point `x`, `(n, height, width, channels)`, in [0, 1], tensor or array.
        scale: norm of a normalised image, above 0.

    Returns:
        `(normalised, mean, norm)`, float32, tensors for a tensor and arrays for an array: `g` of the shape of `images`,
        mean and norm `(n, 1, 1, 1)` over all pixels and channels. An image whose norm is below 1e-8 has norm 1
        instead, thus `g` of almost 0 and finite gradients.

    Raises:
        ValueError: `images` are integers, hence bytes, not in [0, 1].

    Source: as above. Deviation: pylearn2 compares `norm / scale` of images in [0, 255] with 1e-8; either rule holds for
        images of one colour alone.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"`images` must be floating point. Received: {dtype}.")
    ops, axes = keras.ops, {"axis": (1, 2, 3), "keepdims": True}
    x = ops.cast(images, "float32")
    mean = ops.mean(x, **axes)
    centred = x - mean
    centred = centred - ops.mean(centred, **axes)  # the mean's rounding error, which would pass for contrast
    square = ops.sum(ops.square(centred), **axes)
    norm = ops.sqrt(ops.where(square < FLAT**2, 1.0, square))  # sqrt'(0) is infinite
    results = scale * centred / norm, mean, norm
    return tuple(np.asarray(value) for value in results) if isinstance(images, np.ndarray) else results


def restore(normalised, mean, norm, scale=55.0):
    """Inverts `normalise`: `x = g norm / scale + mean`.

    Args:
        normalised: `g`, `(n, height, width, channels)`.
        mean: `(n, 1, 1, 1)`, or any shape that broadcasts.
        norm: like `mean`.
        scale: as given to `normalise`.

    Returns:
        Images of the shape of `normalised`, in [0, 1] where they were; not clipped.
    """
    return normalised * (norm / scale) + mean


def display_range(images, scale=55.0):
    """Returns the normalised values that stand for black and white in an image of the set's mean brightness and norm.

    `low = -m scale / s`, `high = (1 - m) scale / s` with m the mean of the images' means and s the mean of their norms.
    An image made in the normalised space, whose own mean and norm no one knows, is looked at through this range.

    Args:
        images: uint8, `(n, height, width, channels)`, n at least 1; read in blocks.
        scale: as given to `normalise`.

    Returns:
        A `kgen.images.Range`, of float64 precision.

    Raises:
        ValueError: no images, images that are not uint8 (scaled already, perhaps), or all of them flat.
    """
    if images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(f"`images` must be uint8, at least one. Received: {len(images)} of {images.dtype}.")
    mean, norm = np.sum([_sums(images[i : i + 1000]) for i in range(0, len(images), 1000)], axis=0) / len(images)
    if norm == 0:
        raise ValueError(f"`images` must not all be flat. Received: {len(images)} images of one colour each.")
    return Range(float(-mean * scale / norm), float((1 - mean) * scale / norm))


def _sums(images):
    """Returns the sum of the images' means and the sum of their norms, float64."""
    x = images.reshape(len(images), -1) / 255.0
    mean = x.mean(axis=1, keepdims=True)
    return mean.sum(), np.linalg.norm(x - mean, axis=1).sum()
