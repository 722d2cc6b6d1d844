"""Several parts of a dataset as one, such as `train+test`, and whether a model was trained on what measures it."""

from typing import TYPE_CHECKING

import numpy as np

from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.data import Images


def parts(split: str) -> list[str]:
    """Returns the parts of a split with their slices: `train[:100]+test` has two.

    Raises:
        UsageError: a part is named twice, whose images would then be there twice.
    """
    found = split.split("+")
    names = [_name(part) for part in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"The split '{split}' names '{twice[0]}' twice: name each part once.")
    return found


def joined(pieces: "list[Images]") -> "Images":
    """Returns the images of several parts of a dataset, one after the other; several are read into memory.

    Raises:
        UsageError: the parts differ in the size of their images or in their classes.
    """
    first = pieces[0]
    if len(pieces) == 1:
        return first
    for other in pieces[1:]:
        if (other.images.shape[1:], other.classes) != (first.images.shape[1:], first.classes):
            raise UsageError("The parts of this split differ in the size of their images or in their classes.")
    images = np.concatenate([np.asarray(piece.images) for piece in pieces])
    return first._replace(
        images=images, labels=None if first.labels is None else np.concatenate([piece.labels for piece in pieces])
    )


def trained_on(trained: str, other: str) -> list[str]:
    """Returns the parts besides `train` that two splits share; slices of one part count as shared.

    Args:
        trained: the split that a model was trained on.
        other: the split that it is measured on. That a model has trained on `train` needs no word.
    """
    seen = {_name(part) for part in parts(trained)} - {"train"}
    return sorted(seen & {_name(part) for part in parts(other)})


def warning(trained: str, other: str) -> str:
    """Returns a sentence if a model has trained on what it is measured on, see `trained_on`; otherwise ""."""
    shared = trained_on(trained, other)
    if not shared:
        return ""
    return (
        f"the model was trained on the split '{trained}', with the images of '{shared[0]}': this says nothing of "
        "images that it has not seen."
    )


def demand_unseen(trained: str, other: str, flag: str) -> None:
    """Raises UsageError if a model would train on the split that an accuracy or loss of unseen images is taken of."""
    shared = trained_on(trained, other)
    if shared:
        raise UsageError(
            f"--{flag} {other} has images of '{shared[0]}', which the model trains on (--split {trained}): the figures "
            "would not be of unseen images. Name another split, or train on --split train."
        )


def _name(part: str) -> str:
    """Returns the name of a part, without its slice."""
    return part.partition("[")[0]
