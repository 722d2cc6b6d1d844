"""Makes a `tf.data.Dataset` of training steps from images in memory or in a file.

The order of the images is a pure function of (seed, step). A resumed run therefore sees the same images as a run that
was not interrupted, and there is no shuffle buffer and no iterator to save.
"""

import functools
from collections.abc import Sequence

import numpy as np

from kgen.backend import Tensor, tf
from kgen.data import Images
from kgen.errors import UsageError

_PREFETCH = 2


@functools.lru_cache(maxsize=2)  # two: a step can lie in two epochs; safe to call from several threads
def order(seed: int, epoch: int, n: int, stratum: int | None = None) -> np.ndarray:
    """Returns the order in which an epoch visits `n` images: a permutation, int64 `(n,)`, read-only.

    Args:
        seed: an integer from 0.
        epoch: number of the epoch, from 0.
        n: number of images.
        stratum: number of the stratum that the order is for, or None for all images. Strata of the same size get
            different orders.
    """
    entropy = [seed, epoch] if stratum is None else [seed, epoch, 2 + stratum]  # [..., 1]: of kgen.core.held_out
    permutation = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy))).permutation(n)
    permutation.flags.writeable = False
    return permutation


def indices(seed: int, step: int, per_step: int, n: int, stratum: int | None = None) -> np.ndarray:
    """Returns the indices of the images that one step takes, int64 `(per_step,)`.

    Steps follow each other without a gap, across the ends of epochs, so that every epoch visits each image once. A step
    may be longer than an epoch.

    Args:
        seed: of the order, an integer from 0.
        step: number of the step, from 0.
        per_step: how many images a step takes.
        n: how many images there are, at least 1.
        stratum: see `order`.
    """
    epochs, places = np.divmod(np.arange(step * per_step, (step + 1) * per_step), n)
    visited = [order(seed, int(epoch), n, stratum)[places[epochs == epoch]] for epoch in np.unique(epochs)]
    return np.concatenate(visited)


def stratified(seed: int, step: int, per_step: int, strata: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the indices of the images that one step takes, equal parts from each stratum, one after the other.

    Each stratum has an order and epochs of its own, as in `indices`, so that a small stratum begins its next epoch
    without waiting for a larger one.

    Args:
        seed: of the order, an integer from 0.
        step: number of the step, from 0.
        per_step: how many images a step takes, divisible by the number of strata.
        strata: an array of indices of images for each stratum.

    Returns:
        int64 `(per_step,)`.
    """
    part = per_step // len(strata)
    found = [rows[indices(seed, step, part, len(rows), number)] for number, rows in enumerate(strata)]
    return np.concatenate(found)


def training_steps(
    images: Images,
    *,
    batch_size: int,
    batches: int = 1,
    seed: int,
    start: int,
    stop: int,
    labelled: bool = False,
    strata: Sequence[np.ndarray] | None = None,
) -> "tf.data.Dataset":
    """Returns the training steps `start` to `stop - 1` as a finite `tf.data.Dataset`.

    Args:
        images: `Images`, in memory or in a file; an array may be uint8 or float, `(n, height, width, channels)`.
        batch_size: images in a batch.
        batches: batches in a step.
        seed: of the order, an integer from 0.
        start: number of the first step.
        stop: number of the step after the last.
        labelled: whether each step has labels too.
        strata: an array of indices for each stratum. Every batch takes an equal part of each, in this order. None
            mixes all images.

    Returns:
        Dataset of `(batches, batch_size, height, width, channels)` in the array's dtype; if `labelled`, of tuples with
        the labels, int32 `(batches, batch_size)`.

    Raises:
        UsageError: `labelled` is set and the images have no labels, or a number is out of range.
    """
    if not 0 <= start <= stop:
        raise UsageError(f"Steps run from 0 upwards, got {start} to {stop}.")
    return visits(tf.data.Dataset.range(start, stop), images, batch_size, batches, seed, labelled, strata)


def visits(
    steps: "tf.data.Dataset",
    images: Images,
    batch_size: int,
    batches: int,
    seed: int,
    labelled: bool = False,
    strata: Sequence[np.ndarray] | None = None,
) -> "tf.data.Dataset":
    """Returns the images that `steps` take, a dataset of numbers from 0. The others are as in `training_steps`."""
    _check(images, batch_size, batches, labelled)
    arrays = [images.images, images.labels.astype(np.int32)] if labelled else [images.images]
    outer = (batches, batch_size)

    def visited(step: int) -> np.ndarray:
        if strata is None:
            return indices(seed, step, batches * batch_size, len(images.images))
        numbers = range(step * batches, (step + 1) * batches)
        return np.concatenate([stratified(seed, number, batch_size, strata) for number in numbers])

    def gather(step: int) -> list[np.ndarray]:
        chosen = visited(int(step))
        return [array[chosen].reshape(outer + array.shape[1:]) for array in arrays]

    def fetch(step: Tensor) -> Tensor:
        values = tf.numpy_function(gather, [step], [array.dtype for array in arrays], stateful=False)
        values = [tf.ensure_shape(value, outer + array.shape[1:]) for value, array in zip(values, arrays, strict=True)]
        return tuple(values) if labelled else values[0]

    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False  # it delays the end of `fit` by seconds
    return steps.map(fetch).prefetch(_PREFETCH).with_options(options)


def _check(images: Images, batch_size: int, batches: int, labelled: bool) -> None:
    """Raises UsageError if labels are missing or a number is out of range, see `training_steps`."""
    if labelled and images.labels is None:
        raise UsageError("This needs labels, and the dataset has none; choose one with classes, such as mnist.")
    if len(images.images) == 0 or batch_size < 1 or batches < 1:
        raise UsageError(
            f"Steps need at least 1 image, batch and image a batch; got {len(images.images)}, {batches}, {batch_size}."
        )
