"""Checks of images and labels that a user gives: shape, type, range, classes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.data import Images
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer


def arrays(trainer: "BaseTrainer", x: Any, y: Any = None) -> Images:
    """Returns arrays that a user gave as `Images`, checked.

    Args:
        trainer: what will see them.
        x: images `(n, height, width, channels)`, or `(n, height, width)`; uint8, or floating point in the range of the
            trainer's images.
        y: integer labels `(n,)`, or None. A game without labels ignores them.

    Raises:
        UsageError: the shape, the range or the labels do not fit the trainer.
    """
    found = np.asarray(x)
    found = found[..., None] if found.ndim == 3 else found
    demand_images(trainer, found)
    if not trainer.game.labelled:
        demand_no_targets(found, *([] if y is None else [np.asarray(y)]))
        return Images(found, None, ())
    return Images(found, demand_labels(trainer, y, len(found)), trainer.game.classes)


def demand_images(trainer: "BaseTrainer", found: np.ndarray) -> None:
    """Raises UsageError unless `found`, `(n, ...)`, are images that the trainer's networks take, in their range."""
    wanted, (low, high) = trainer.game.image_shape, trainer.game.range
    if found.ndim != 4 or not len(found):
        raise UsageError(f"Images must be an array (n, height, width, channels), not of shape {found.shape}.")
    if wanted and found.shape[1:] != wanted:
        its, ours = ("x".join(map(str, shape)) for shape in (found.shape[1:], wanted))
        raise UsageError(f"The images are {its}, and this model's are {ours}.")
    if found.dtype == np.uint8:
        return
    if found.dtype.kind != "f":
        raise UsageError(f"Images must be uint8 or floating point, not {found.dtype}.")
    least, most = float(found.min()), float(found.max())
    if not np.isfinite([least, most]).all():
        raise UsageError("The images have NaN or infinity.")
    if not low <= least <= most <= high:
        scaled = f"x / {127.5 if low < 0 else 255}{' - 1' if low < 0 else ''}"
        raise UsageError(
            f"Floating-point images of this model lie in [{low:g}, {high:g}], these in [{least}, {most}]: give "
            f"bytes as uint8, or {scaled} of them."
        )
    if low < 0 <= least and len(found) > 1:  # one bright image may have no negative number
        raise UsageError(
            f"Floating-point images of this model lie in [{low:g}, {high:g}], these in [{least:g}, {most:g}]: scale "
            "them (2 * x - 1 if they lie in [0, 1]), or give them as uint8."
        )


def demand_codes(codes: Any, size: int) -> None:
    """Raises UsageError unless codes or latents are an array `(n, size)`."""
    if len(np.shape(codes)) != 2 or np.shape(codes)[1] != size:
        raise UsageError(f"Codes of this model are an array (n, {size}), not of shape {tuple(np.shape(codes))}.")


def demand_labels(trainer: "BaseTrainer", y: Any, count: int) -> np.ndarray:
    """Returns labels as int64 `(count,)`; raises UsageError unless they are integers of the trainer's classes."""
    classes = len(trainer.game.classes)
    labels = None if y is None else np.asarray(y)
    if labels is None:
        raise UsageError(f"This model learns {classes} classes: give labels too, fit(images, labels).")
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise UsageError(
            f"Labels must be {count} integers, not {labels.dtype} {labels.shape}; of one-hot rows give "
            "np.argmax(y, axis=1)."
        )
    if not 0 <= labels.min() <= labels.max() < classes:
        raise UsageError(f"Labels must be from 0 to {classes - 1}, these are from {labels.min()} to {labels.max()}.")
    return labels.astype(np.int64)


def demand_no_targets(images: np.ndarray, targets: np.ndarray | None = None) -> None:
    """Raises UsageError if a model without labels is given images to aim at, or another number of labels.

    Args:
        images: `(n, height, width, channels)`.
        targets: what was given beside them; labels, and the images themselves, have no use and do no harm.
    """
    if targets is None:
        return
    if len(targets) != len(images):
        raise UsageError(f"There are {len(images)} images and {len(targets)} labels.")
    if targets.ndim > 2 and not np.array_equal(np.reshape(targets, images.shape), images):
        raise UsageError("This model learns images from themselves: it takes no other images to aim at.")
