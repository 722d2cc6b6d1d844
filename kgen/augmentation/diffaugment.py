"""Differentiable augmentation of the images that a discriminator sees, real and generated ones alike.

Each image draws its own numbers from `kgen.rng.current()`. The amounts are meant for images in [-1, 1], where 0 is
grey; images of another range are scaled to it and back.

Source: Zhao et al. 2020, arXiv:2006.10738, section 3.2; the amounts and their order are those of the authors' code.
"""

from collections.abc import Callable, Sequence

from kgen import rng
from kgen.backend import Tensor, keras, tf
from kgen.images import SYMMETRIC, Range


def augment(
    images: Tensor, policies: Sequence[str], range: Range = SYMMETRIC, probability: Tensor | None = None
) -> Tensor:
    """Applies the named policies, `T(x) = T_n(...T_2(T_1(x)))`, so that a loss on `T(x)` has a gradient at `x`.

    Args:
        images: floating point, `(batch, height, width, channels)`.
        policies: keys of `POLICIES`, in the order of application. An empty sequence leaves the images as they are.
        range: the range of the images, a `kgen.images.Range`.
        probability: with which each image undergoes each policy, a scalar in [0, 1]; None is always.

    Returns:
        Images of the same shape and dtype; `color` may take them out of their range.

    Raises:
        ValueError: an unknown policy, or images that are not floating point.
        RuntimeError: outside of `with Rng(...)`, unless there is no policy.

    Source: Zhao et al. 2020, arXiv:2006.10738, equations 4 and 5. Probability: Karras et al. 2020, arXiv:2006.06676,
        section 2.
    """
    unknown = [name for name in policies if name not in POLICIES]
    if unknown:
        raise ValueError(f"`policies` must be among {', '.join(POLICIES)}. Received: {', '.join(map(repr, unknown))}.")
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" not in dtype:
        raise ValueError(f"`images` must be floating point. Received: {dtype}.")
    if not policies:
        return images
    scale, centre = (range.high - range.low) / 2, (range.high + range.low) / 2
    images = images if range == SYMMETRIC else (images - centre) / scale
    for name in policies:
        images = _at_times(POLICIES[name](images), images, probability)
    return images if range == SYMMETRIC else images * scale + centre


def color(images: Tensor) -> Tensor:
    """Changes brightness, saturation and contrast: `b + x`, `m + s (x - m)`, `m + c (x - m)`, one after the other.

    b is uniform in (-.5, .5), s in (0, 2), c in (.5, 1.5). For the saturation, m is the mean over a pixel's channels,
    so that grey images do not change. For the contrast, m is the mean of the image.

    Args:
        images: floating point, `(batch, height, width, channels)`.

    Returns:
        Images of the same shape and dtype, computed in float32, not clipped.

    Source: Zhao et al. 2020, arXiv:2006.10738, section 3.2 ("Color").
    """
    ops, draws = keras.ops, rng.current()
    one_each = (ops.shape(images)[0], 1, 1, 1)
    x = ops.cast(images, "float32")
    x = x + draws.uniform(one_each, -0.5, 0.5)
    mean = ops.mean(x, axis=-1, keepdims=True)
    x = mean + draws.uniform(one_each, 0.0, 2.0) * (x - mean)
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    x = mean + draws.uniform(one_each, 0.5, 1.5) * (x - mean)
    return ops.cast(x, images.dtype)


def translation(images: Tensor) -> Tensor:
    """Moves each image by whole pixels, up to an eighth of its size in each direction; vacated pixels become 0.

    Args:
        images: floating point, `(batch, height, width, channels)`.

    Returns:
        Images of the same shape and dtype. Vertically and horizontally, all moves of -s to s pixels are equally
        likely, with `s = floor(size / 8 + 1/2)`.

    Source: Zhao et al. 2020, arXiv:2006.10738, section 3.2 ("Translation").
    """
    batch, height, width, _ = keras.ops.shape(images)
    down, right = (_integers(batch, 2 * _rounded(size / 8) + 1) - _rounded(size / 8) for size in (height, width))
    return _moved(images, down, right)


def cutout(images: Tensor) -> Tensor:
    """Sets a square of half the image's size to 0; its centre may lie anywhere in the image.

    Args:
        images: floating point, `(batch, height, width, channels)`.

    Returns:
        Images of the same shape and dtype. In each direction the square has `size = floor(extent / 2 + 1/2)` pixels,
        less those beyond the border, and starts at `centre - floor(size / 2)`. All centres from 0 to `extent - 1` are
        equally likely, or to `extent` where `size` is even.

    Source: Zhao et al. 2020, arXiv:2006.10738, section 3.2 ("Cutout").
    """
    batch, height, width, _ = keras.ops.shape(images)
    rows, columns = _covered(batch, height), _covered(batch, width)
    covered = (rows[:, :, None] & columns[:, None, :])[..., None]
    return keras.ops.where(covered, keras.ops.zeros_like(images), images)


POLICIES: dict[str, Callable] = {"color": color, "translation": translation, "cutout": cutout}


def _at_times(changed: Tensor, images: Tensor, probability: Tensor | None) -> Tensor:
    """Returns each image `(batch, ...)` changed with this probability, else as it was; None is always."""
    if probability is None:
        return changed
    chosen = rng.current().uniform((keras.ops.shape(images)[0], 1, 1, 1)) < probability
    return keras.ops.where(chosen, changed, images)


def _moved(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Returns images moved by `(batch,)` numbers of pixels; the gradient is moved back by the same numbers."""

    # Automatic differentiation would use a scatter, which is slow, and sums in another order in each run on a GPU.
    @tf.custom_gradient
    def move(x: Tensor) -> tuple[Tensor, Callable]:
        moved = _moved_along(_moved_along(x, down, axis=1), right, axis=2)
        return moved, lambda upstream: _moved(upstream, -down, -right)

    return move(images)


def _moved_along(images: Tensor, pixels: Tensor, axis: int) -> Tensor:
    """Returns images moved along one axis, 1 for rows or 2 for columns, with 0 at the vacated pixels."""
    size = images.shape[axis]
    origin = tf.range(size) - pixels[:, None]  # (batch, size)
    moved = tf.gather(images, tf.clip_by_value(origin, 0, size - 1), axis=axis, batch_dims=1)
    inside = (origin >= 0) & (origin < size)
    inside = inside[:, :, None, None] if axis == 1 else inside[:, None, :, None]
    return tf.where(inside, moved, tf.zeros_like(moved))


def _covered(batch: int, extent: int) -> Tensor:
    """Returns booleans `(batch, extent)`, true where the square of `cutout` lies along one axis."""
    size = _rounded(extent / 2)
    centre = _integers(batch, extent + 1 - size % 2)  # as the authors do, to treat both borders alike
    first = centre[:, None] - size // 2
    position = tf.range(extent)
    return (position >= first) & (position < first + size)


def _integers(batch: int, count: int) -> Tensor:
    """Returns `(batch,)` int32, uniform in 0 to `count - 1`."""
    return tf.cast(rng.current().uniform((batch,), 0.0, count), tf.int32)  # never `count`, not even by rounding


def _rounded(number: float) -> int:
    """Returns the nearest integer; halves are rounded up, as the authors do."""
    return int(number + 0.5)  # not round(), which takes 2.5 to 2
