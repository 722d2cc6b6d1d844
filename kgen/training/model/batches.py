"""What `fit` and `evaluate` take, as in Keras: arrays, `tf.data` datasets, generators and `keras.utils.PyDataset`s."""

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kgen.backend import keras, tf
from kgen.data import Images, pipeline
from kgen.errors import UsageError
from kgen.training.model.checks import arrays, demand_images, demand_labels, demand_no_targets

if TYPE_CHECKING:
    from kgen.images import Range
    from kgen.training.model.trainer import Trainer


class EpochBegin(keras.callbacks.Callback):
    """Notes the step at which an epoch begins. A graph cannot: it may count a step before it reads its images."""

    step = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reads the trainer's step, which a callback may have restored when training began."""
        self.step = int(self.model.step.numpy())


def steps_of_arrays(
    trainer: "Trainer", images: Images, batch_size: int, steps_per_epoch: int | None, begun: EpochBegin
) -> "tf.data.Dataset":
    """Returns an epoch's steps on arrays, a finite `tf.data.Dataset`.

    An epoch begins at the step that the trainer has reached. What a step takes is a function of the trainer's seed and
    the step, so training goes on after loading as if it had not stopped.

    Args:
        trainer: what will see them.
        images: the arrays.
        batch_size: images in a batch.
        steps_per_epoch: None is as many steps as the images fill.
        begun: the callback that knows where an epoch has begun.
    """
    size = batch_size * trainer.game.batches
    count = steps_per_epoch or math.ceil(len(images.images) / size)

    def reached() -> np.int64:
        return np.int64(begun.step)

    def following(first: "tf.Tensor") -> "tf.data.Dataset":
        return tf.data.Dataset.range(first, first + count)

    first = tf.data.Dataset.from_tensors(0).map(lambda _: tf.numpy_function(reached, [], tf.int64))
    numbers = first.map(lambda step: tf.ensure_shape(step, ())).flat_map(following)
    strata = trainer.origin.recipe.strata(images) if trainer.origin else None
    game = trainer.game
    steps = pipeline.visits(numbers, images, batch_size, game.batches, trainer.seed, game.labelled, strata)
    return steps.apply(tf.data.experimental.assert_cardinality(count))


class Given(NamedTuple):
    """A dataset that a user gave.

    dataset: its elements are images, batches of them, or tuples of these and labels.
    first: its first element, of arrays, or the larger of its first two.
    once: whether it can be read only once, as a generator.
    """

    dataset: "tf.data.Dataset"
    first: Any
    once: bool


def given(x: Any) -> Given:
    """Returns a dataset, a generator or a `PyDataset` as `Given`; raises UsageError for others and empty ones."""
    if isinstance(x, tf.data.Dataset):
        seen = list(x.take(2).as_numpy_iterator())
        if not seen:
            raise UsageError("The dataset is empty.")
        # Of two batches the larger: after a shuffle the last one, which may be smaller, can come first.
        return Given(x, max(seen, key=lambda each: len(keras.tree.flatten(each)[0])), False)
    if isinstance(x, keras.utils.PyDataset):
        if x.workers > 1:
            warnings.warn("The batches of a PyDataset are read by one worker here.", stacklevel=4)
        if x.num_batches is None:
            raise UsageError("The PyDataset does not say how many batches it has: give it a __len__.")
        counted = tf.data.experimental.assert_cardinality(len(x))
        return Given(from_batches(lambda: rounds_of(x), x[0]).apply(counted), x[0], False)
    if not isinstance(x, Iterator):
        raise UsageError(f"Images are an array, a tf.data.Dataset, a PyDataset or a generator, not {type(x).__name__}.")
    first = next(x, None)
    if first is None:
        raise UsageError("The generator gives no batch.")
    whole = itertools.chain([first], x)
    return Given(from_batches(lambda: whole, first), first, True)


def rounds_of(dataset: "keras.utils.PyDataset") -> Iterator[Any]:
    """Yields the batches of a `PyDataset` in order, then tells it that the epoch has ended."""
    for number in range(len(dataset)):
        yield dataset[number]
    dataset.on_epoch_end()


def from_batches(batches: Callable, first: Any) -> "tf.data.Dataset":
    """Returns a dataset of batches; `batches()` iterates over arrays or tuples of arrays, `first` is one of them."""

    def spec(array: Any) -> "tf.TensorSpec":
        found = np.asarray(array)
        return tf.TensorSpec((None, *found.shape[1:]), found.dtype)

    kinds = tuple(map(spec, first)) if isinstance(first, (tuple, list)) else spec(first)
    return tf.data.Dataset.from_generator(batches, output_signature=kinds)


def rows_of(trainer: "Trainer", source: Given) -> tuple["tf.data.Dataset", "tf.data.Dataset", int | None]:
    """Returns `(rows, more, batch)` of a dataset, checked.

    Returns:
        rows: its images one by one, with int32 labels if the game has them.
        more: such rows to fill a last step with.
        batch: the size of its batches; None where it is of single images.
    """
    parts = tuple(source.first) if isinstance(source.first, (tuple, list)) else (source.first,)
    labelled = trainer.game.labelled
    if len(parts) > 2:
        raise UsageError("A dataset gives images, or (images, labels): weights of images have no use here.")
    if labelled and len(parts) < 2:
        raise UsageError("This model learns classes: give a dataset of (images, labels).")
    batched = np.ndim(parts[0]) == 4
    pixels, *labels = (np.asarray(part) if batched else np.asarray(part)[None] for part in parts)
    demand_images(trainer, pixels)
    if not labelled:
        demand_no_targets(pixels, *labels)
    if labelled:
        demand_labels(trainer, labels[0], len(pixels))

    def wanted(image: "tf.Tensor", label: "tf.Tensor | None" = None) -> Any:
        image = in_range(image, trainer.game.range)
        return (image, known_label(label, len(trainer.game.classes))) if labelled else image

    def checked(*elements: Any) -> Any:
        size = tf.shape(elements[0])[0]
        told = "The batches of a dataset must not be larger than its first."
        with tf.control_dependencies([tf.debugging.assert_less_equal(size, len(pixels), message=told)]):
            return tf.nest.map_structure(tf.identity, elements if len(elements) > 1 else elements[0])

    plain = source.dataset.map(checked).unbatch() if batched else source.dataset
    rows = plain.map(wanted)
    if not source.once:
        return rows, rows, len(pixels) if batched else None
    again = tf.data.Dataset.from_tensor_slices((pixels, *labels)).map(wanted)
    return rows, again, len(pixels)


def in_range(image: "tf.Tensor", limits: "Range") -> "tf.Tensor":
    """Returns an image of a dataset; the graph raises if it is floating point and leaves the range, within 1e-3."""
    if not image.dtype.is_floating:
        return image
    inside = tf.reduce_all((image >= limits.low - 1e-3) & (image <= limits.high + 1e-3))  # false for NaN
    told = f"Floating-point images lie in [{limits.low:g}, {limits.high:g}] here, but one of the dataset does not."
    with tf.control_dependencies([tf.debugging.Assert(inside, [told])]):
        return tf.identity(image)


def known_label(label: "tf.Tensor", classes: int) -> "tf.Tensor":
    """Returns a label of a dataset, int32 scalar; the graph raises unless it is from 0 to `classes - 1`."""
    number = tf.cast(tf.reshape(label, ()), tf.int32)
    with tf.control_dependencies(
        [tf.debugging.Assert((number >= 0) & (number < classes), [f"Labels must be from 0 to {classes - 1}."])]
    ):
        return tf.identity(number)


def steps_of_dataset(trainer: "Trainer", source: Given, batch_size: int | None, default: int) -> "tf.data.Dataset":
    """Returns an epoch's steps on a dataset of images or batches, in its own order.

    Steps that the images do not fill are filled with the first images again: the last one, or several where batches
    within the dataset are smaller than its first. A batch that is larger is an error of TensorFlow, which says so.

    Args:
        trainer: what will see them.
        source: images `(height, width, channels)` or batches of them, perhaps with labels.
        batch_size: images in a batch; None keeps the dataset's batches, or takes `default` if it has none.
        default: the trainer's own batch size.
    """
    rows, more, batch = rows_of(trainer, source)
    size, batches = batch_size or batch or default, trainer.game.batches
    total = int(source.dataset.cardinality())
    known = total > 0 and batch in (None, size)
    whole = math.ceil(total / (batches if batch else size * batches)) if known else None
    if total != tf.data.INFINITE_CARDINALITY:
        rows = rows.concatenate(more.repeat() if known else more.repeat().take(size * batches - 1))
    steps = rows.batch(size, drop_remainder=True).batch(batches, drop_remainder=True)
    steps = steps.take(whole).apply(tf.data.experimental.assert_cardinality(whole)) if known else steps
    return steps.prefetch(2)


def all_of(trainer: "Trainer", x: Any, y: Any = None, steps: int | None = None) -> Images:
    """Returns the images of an array, a dataset or a generator in memory, for `evaluate`.

    Args:
        trainer: what will see them.
        x, y: as in `fit`.
        steps: how many batches of a dataset to take; None takes all.
    """
    if is_array(x):
        return arrays(trainer, x, y)
    if y is not None:
        raise UsageError("A dataset brings its labels itself: leave y out.")
    source = given(x)
    if steps is None and int(source.dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise UsageError("The dataset never ends: say how many batches to take, by steps= or validation_steps=.")
    taken = source if steps is None else source._replace(dataset=source.dataset.take(steps))
    found = list(rows_of(trainer, taken)[0].as_numpy_iterator())
    if trainer.game.labelled:
        return arrays(trainer, *(np.stack(part) for part in zip(*found, strict=True)))
    return arrays(trainer, np.stack(found))


def is_array(x: Any) -> bool:
    """Returns whether x is an array or a tensor, or a list that makes one."""
    return hasattr(x, "shape") or isinstance(x, list)
