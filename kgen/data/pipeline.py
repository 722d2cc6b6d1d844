"""From images in memory to steps. The order is a pure function of (seed, step), so a resumed run sees what the
interrupted one would have seen: there is no shuffle buffer and no iterator to save.
"""

import functools
from typing import TYPE_CHECKING

import numpy as np

from kgen.backend import Tensor, tf
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.data import Images

_PREFETCH = 2


@functools.lru_cache(maxsize=2)  # a step can lie in two epochs; safe to call from several threads
def order(seed: int, epoch: int, n: int, stratum: int | None = None) -> np.ndarray:
    """Returns the order in which an epoch visits `n` images: a permutation, int64 `(n,)`, read-only.

    Args:
        seed, epoch, n: integers.
        stratum: number of the part of the images that it is of, or None; equal parts have orders of their own.
    """
    entropy = [seed, epoch] if stratum is None else [seed, epoch, 2 + stratum]  # [..., 1] is that of the folds
    permutation = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy))).permutation(n)
    permutation.flags.writeable = False
    return permutation


def indices(seed: int, step: int, per_step: int, n: int, stratum: int | None = None) -> np.ndarray:
    """Returns which images round `step` takes, int64 `(per_step,)`.

    Steps follow each other without a gap, across the ends of epochs, so every epoch visits each image once; a step
    may be longer than an epoch.

    Args:
        seed, step: integers from 0.
        per_step: how many images a step takes.
        n: how many there are, from 1.
        stratum: see `order`.
    """
    epochs, places = np.divmod(np.arange(step * per_step, (step + 1) * per_step), n)
    visited = [order(seed, int(epoch), n, stratum)[places[epochs == epoch]] for epoch in np.unique(epochs)]
    return np.concatenate(visited)


def stratified(seed: int, step: int, per_step: int, strata: list[np.ndarray]) -> np.ndarray:
    """Returns which images round `step` takes, int64 `(per_step,)`: equal parts from each stratum, one after the other.

    Each stratum is visited in steps of its own, as by `indices`, so that none waits for a larger one.

    Args:
        seed, step, per_step: as in `indices`; `per_step` is divisible by the number of strata.
        strata: arrays of indices of images.
    """
    part = per_step // len(strata)
    found = [rows[indices(seed, step, part, len(rows), number)] for number, rows in enumerate(strata)]
    return np.concatenate(found)


def training_steps(
    images: "Images",
    *,
    batch_size: int,
    batches: int = 1,
    seed: int,
    start: int,
    stop: int,
    labelled: bool = False,
    strata: list[np.ndarray] | None = None,
) -> "tf.data.Dataset":
    """Makes the steps [start, stop) as a finite `tf.data.Dataset`.

    Args:
        images: `Images`; their array may be uint8 or float, `(n, height, width, channels)`.
        batch_size: images in a batch.
        batches: batches in a step.
        seed: of the order, an integer from 0.
        start, stop: numbers of the first step and of the one after the last.
        labelled: whether labels come along.
        strata: arrays of indices, from each of which every batch takes an equal part, in this order; None mixes all.

    Returns:
        Dataset of `(batches, batch_size, height, width, channels)` in the array's dtype; if `labelled`, of tuples with
        the labels, int32 `(batches, batch_size)`.

    Raises:
        UsageError: if labels are asked of images that have none, or a number is out of range.
    """
    _check(images, batch_size, batches, start, stop, labelled)
    arrays = [images.images, images.labels.astype(np.int32)] if labelled else [images.images]
    outer = (batches, batch_size)

    def visited(step: int) -> np.ndarray:
        if strata is None:
            return indices(seed, step, batches * batch_size, len(images.images))
        numbers = range(step * batches, (step + 1) * batches)
        return np.concatenate([stratified(seed, number, batch_size, strata) for number in numbers])

    def gather(step: int) -> list[np.ndarray]:
        chosen = visited(int(step))
        return [np.take(array, chosen, axis=0).reshape(outer + array.shape[1:]) for array in arrays]

    def fetch(step: Tensor) -> Tensor:
        values = tf.numpy_function(gather, [step], [array.dtype for array in arrays], stateful=False)
        values = [tf.ensure_shape(value, outer + array.shape[1:]) for value, array in zip(values, arrays, strict=True)]
        return tuple(values) if labelled else values[0]

    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # it stalls the end of `fit` for seconds
    return tf.data.Dataset.range(start, stop).map(fetch).prefetch(_PREFETCH).with_options(options)


def _check(images: "Images", batch_size: int, batches: int, start: int, stop: int, labelled: bool) -> None:
    if labelled and images.labels is None:
        raise UsageError("This needs labels, and the dataset has none; choose one with classes, such as mnist.")
    if len(images.images) == 0 or batch_size < 1 or batches < 1:
        raise UsageError(
            f"Steps need at least 1 image, batch and image a batch; got {len(images.images)}, {batches}, {batch_size}."
        )
    if not 0 <= start <= stop:
        raise UsageError(f"Steps run from 0 upwards, got {start} to {stop}.")
