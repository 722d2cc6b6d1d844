"""Global contrast normalisation gives every image the same mean and the same norm, as in the first GAN's CIFAR-10 runs.

Source: `global_contrast_normalize` of pylearn2, as called by the CIFAR-10 experiments of goodfeli/adversarial
(`gcn: 55`), the code of Goodfellow et al. 2014, arXiv:1406.2661.
"""

import numpy as np

from kgen.backend import Tensor, keras
from kgen.images import Range

FLAT = 1e-8  # the least norm to divide by; smaller ones count as 1


def normalise(images: Tensor | np.ndarray, scale: float = 55.0) -> tuple[Tensor, Tensor, Tensor]:
    """Subtracts each image's mean and scales the rest to norm `scale`: `g = scale (x - mean) / ||x - mean||_2`.

    Args:
        images: floating point `x`, `(n, height, width, channels)`, in [0, 1], tensor or array.
        scale: norm of a normalised image, above 0.

    Returns:
        `(normalised, mean, norm)`, float32; tensors for a tensor, arrays for an array. `normalised` is `g`, of the
        shape of `images`. `mean` and `norm` are `(n, 1, 1, 1)`, taken over all pixels and channels. A norm below 1e-8
        is replaced by 1, so that `g` is almost 0 and gradients are finite.

    Raises:
        ValueError: `images` are integers, hence bytes, not in [0, 1].

    Source: as above. Deviation: pylearn2 compares `norm / scale` of images in [0, 255] with 1e-8. Either rule applies
        only to images of one colour.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"`images` must be floating point. Received: {dtype}.")
    ops, axes = keras.ops, {"axis": (1, 2, 3), "keepdims": True}
    x = ops.cast(images, "float32")
    mean = ops.mean(x, **axes)
    centred = x - mean
    centred = centred - ops.mean(centred, **axes)  # the first mean has a rounding error, which would look like contrast
    square = ops.sum(ops.square(centred), **axes)
    norm = ops.sqrt(ops.where(square < FLAT**2, 1.0, square))  # sqrt'(0) is infinite
    results = scale * centred / norm, mean, norm
    return tuple(np.asarray(value) for value in results) if isinstance(images, np.ndarray) else results


def restore(normalised: Tensor, mean: Tensor, norm: Tensor, scale: float = 55.0) -> Tensor:
    """Inverts `normalise`: `x = g norm / scale + mean`.

    Args:
        normalised: `g`, `(n, height, width, channels)`.
        mean: `(n, 1, 1, 1)`, or any shape that broadcasts.
        norm: like `mean`.
        scale: as given to `normalise`.

    Returns:
        Images of the shape of `normalised`, in [0, 1] if the original images were; not clipped.
    """
    return normalised * (norm / scale) + mean


def display_range(images: np.ndarray, scale: float = 55.0) -> Range:
    """Returns the normalised values that stand for black and white in an image of the set's mean brightness and norm.

    `low = -m scale / s`, `high = (1 - m) scale / s` with m the mean of the images' means and s the mean of their norms.
    A generated image lies in the normalised space and has no known mean and norm, so it is shown through this range.

    Args:
        images: uint8, `(n, height, width, channels)`, n at least 1; processed in blocks to save memory.
        scale: as given to `normalise`.

    Returns:
        A `kgen.images.Range`, computed in float64.

    Raises:
        ValueError: no images, images that are not uint8 (scaled already, perhaps), or all of them flat.
    """
    if images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(f"`images` must be uint8, at least one. Received: {len(images)} of {images.dtype}.")
    mean, norm = np.sum([_sums(images[i : i + 1000]) for i in range(0, len(images), 1000)], axis=0) / len(images)
    if norm == 0:
        raise ValueError(f"`images` must not all be flat. Received: {len(images)} images of one colour each.")
    return Range(float(-mean * scale / norm), float((1 - mean) * scale / norm))


def _sums(images: np.ndarray) -> tuple[float, float]:
    """Returns the sum of the images' means and the sum of their norms, float64."""
    x = images.reshape(len(images), -1) / 255.0
    mean = x.mean(axis=1, keepdims=True)
    return mean.sum(), np.linalg.norm(x - mean, axis=1).sum()
