"""What a `fit` reads: its arguments as steps, validation data as arrays, and the callbacks that go with them."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kgen.backend import keras, tf
from kgen.errors import UsageError
from kgen.training.model.batches import EpochBegin, all_of, given, is_array, steps_of_arrays, steps_of_dataset
from kgen.training.model.checks import arrays

if TYPE_CHECKING:
    from kgen.training.model.trainer import Trainer

STEPS_RANK = 5  # of images in whole steps, as kgen.data.pipeline makes them: (batches, batch, height, width, channels)


class BetweenEpochs(keras.callbacks.Callback):
    """Lets the game do after each epoch what its paper does then, such as pruning."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds what the game reports to the logs."""
        reports = self.model.game.between_epochs(epoch + 1)
        if logs is not None:
            logs.update(reports)


class Feed(NamedTuple):
    """What a `fit` reads.

    steps: a `tf.data.Dataset` of an epoch's steps; of endless ones, if the user's dataset is endless.
    first: images `(n, height, width, channels)` for the sheet of pictures.
    images_a_step: how many images a step takes.
    steps_per_epoch: for `keras.Model.fit`.
    begun: a callback that must be the first.
    """

    steps: "tf.data.Dataset"
    first: np.ndarray
    images_a_step: int
    steps_per_epoch: int | None
    begun: EpochBegin


def feed(
    trainer: "Trainer", x: Any, y: Any, batch_size: int | None, default: int, shuffle: bool, per_epoch: int | None
) -> Feed:
    """Returns the `Feed` of the arguments of `fit`; `default` is the batch size of a user who gives none."""
    begun = EpochBegin()
    if is_array(x) and shuffle:
        found, size = arrays(trainer, x, y), batch_size or default
        steps = steps_of_arrays(trainer, found, size, per_epoch, begun)
        return Feed(steps, found.images, size * trainer.game.batches, None, begun)
    if y is not None and not is_array(x):
        raise UsageError("A dataset brings its labels itself: leave y out.")
    source = given(in_order(trainer, x, y) if is_array(x) else x)
    first = source.first[0] if isinstance(source.first, (tuple, list)) else source.first
    whole = np.ndim(first) == STEPS_RANK
    steps = source.dataset if whole else steps_of_dataset(trainer, source, batch_size, default)
    batches, size = keras.tree.flatten(steps.element_spec)[0].shape[:2]
    return Feed(steps, np.reshape(first, (-1, *np.shape(first)[-3:])), batches * size, per_epoch, begun)


def in_order(trainer: "Trainer", x: Any, y: Any) -> "tf.data.Dataset":
    """Returns arrays as a dataset of single images in their order, for `shuffle=False`."""
    found = arrays(trainer, x, y)
    return tf.data.Dataset.from_tensor_slices(found[:2] if trainer.game.labelled else found.images)


def validation(trainer: "Trainer", data: Any, steps: int | None) -> tuple | None:
    """Returns validation data as arrays, `(images,)` or `(images, labels)`; None without data."""
    if data is None:
        return None
    x, y = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
    x = x[0] if isinstance(x, tuple) else x
    found = all_of(trainer, x, y, steps)
    return found[:2] if trainer.game.labelled else found[:1]


def split_off(x: Any, y: Any, share: float) -> tuple[tuple, tuple]:
    """Returns `((x, y), (x, y))` of training and validation; the latter are the last, as in Keras. Arrays only."""
    if not is_array(x):
        raise UsageError("validation_split is for arrays: give a dataset's own part as validation_data.")
    whole = np.asarray(x)
    cut = int(len(whole) * (1 - share))
    labels = (None, None) if y is None else (np.asarray(y)[:cut], np.asarray(y)[cut:])
    return (whole[:cut], labels[0]), (whole[cut:], labels[1])
