"""Datasets. Each file of this folder is one, with `load(request) -> Images`; the folder is the registry.

To add a dataset, add a file; `names()` finds it without importing it.
"""

import difflib
import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from kgen.errors import UsageError

_SPLIT = re.compile(r"(\w+)(?:\[(-?\d+)?:(-?\d+)?\])?")
_LARGEST_SIZE = 4096


class Images(NamedTuple):
    """A dataset in memory.

    images: uint8 `(n, height, width, channels)`, 1 or 3 channels.
    labels: int64 `(n,)`, or None.
    classes: their names, index = label; `()` when unlabelled.
    """

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What a dataset may be asked for.

    split: a part, perhaps with a slice, as in TFDS: `train`, `test`, `train[:50000]`, `train[-100:]`.
    data_dir: where the user's archives lie, or None.
    size: height and width of the images in pixels; None is the dataset's own.
    crop: `center` cuts a square out of the frame, `squash` takes the whole frame and gives up its aspect.
    argument: what follows the colon of `folder:PATH`.
    """

    split: str = "train"
    data_dir: Path | None = None
    size: int | None = None
    crop: Literal["center", "squash"] = "center"
    argument: str = ""

    def part(self, *parts: Any) -> str:
        """Returns the split without its slice, e.g. `train`.

        Raises:
            UsageError: if that is none of `parts`, which are those the dataset has.
        """
        part = self._matched()[1]
        if part not in parts:
            raise UsageError(f"There is no split '{part}'; this dataset has: {', '.join(parts)}.")
        return part

    def rows(self, count: int) -> slice:
        """Returns the `slice` of a split of `count` images; one without a slice is taken whole.

        Raises:
            UsageError: if the slice reaches beyond `count`.
        """
        bounds = [int(bound) if bound else None for bound in self._matched().groups()[1:]]
        if any(abs(bound or 0) > count for bound in bounds):
            raise UsageError(f"The split '{self.split}' reaches beyond the {count} images there are.")
        return slice(*bounds)

    def _matched(self) -> re.Match:
        match = _SPLIT.fullmatch(self.split)
        if match is None:
            raise UsageError(f"The split '{self.split}' cannot be read; write it like 'train' or 'train[:50000]'.")
        return match


def names() -> list[str]:
    """Returns the names of all datasets, sorted."""
    return sorted(path.stem for path in (Path(__file__).parent / "datasets").glob("*.py") if path.stem != "__init__")


def load(
    dataset: str,
    split: str = "train",
    data_dir: Path | None = None,
    size: int | None = None,
    crop: str = "center",
    classes: Sequence[str] = (),
) -> Images:
    """Reads a dataset into memory.

    Args:
        dataset: `name` or `name:argument`, e.g. `mnist`, `folder:/home/me/pictures`.
        split, data_dir, size, crop: see `Request`.
        classes: names or numbers of the classes to keep, as strings; they become labels 0, 1, ... in this order.
            The slice of `split` is taken first.

    Returns:
        `Images`, in an order that does not change from call to call.

    Raises:
        UsageError: if a name, split, size or class is unknown, data is missing or damaged, or no image is left.
    """
    name, _, argument = dataset.partition(":")
    module = importlib.import_module(f"kgen.data.datasets.{_known(name)}")
    if argument and not hasattr(module, "ARGUMENT"):
        raise UsageError(f"The dataset '{name}' takes nothing after a colon, got '{argument}'.")
    data_dir = None if data_dir is None else Path(data_dir).expanduser()
    loaded = module.load(_checked(Request(split, data_dir, size, crop, argument)))
    loaded = _only(loaded, tuple(classes)) if classes else loaded
    if len(loaded.images) == 0:
        raise UsageError(f"No image is left of '{dataset}' with split '{split}' and classes {list(classes)}.")
    return loaded


def at_hand(dataset: str, data_dir: Path | None) -> bool:
    """Returns whether a dataset needs no download: it is `EMBEDDED`, as its file says, or has a folder of archives."""
    module = importlib.import_module(f"kgen.data.datasets.{_known(dataset.partition(':')[0])}")
    return data_dir is not None or hasattr(module, "EMBEDDED")


def parzen_splits(dataset: str) -> tuple[str, str]:
    """Returns two splits that share no image: to draw calibration rows from, and to choose a Parzen window's sigma by.

    A dataset's file may name its protocol's as `PARZEN`; otherwise these are all but the last 1,000 images of `train`,
    and those.
    """
    module = importlib.import_module(f"kgen.data.datasets.{_known(dataset.partition(':')[0])}")
    return getattr(module, "PARZEN", ("train[:-1000]", "train[-1000:]"))


def _known(name: str) -> str:
    if name in names():
        return name
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"There is no dataset '{name}'; there are: {', '.join(names())}.{hint}")


def _checked(request: Request) -> Request:
    if request.crop not in ("center", "squash"):
        raise UsageError(f"crop is 'center' or 'squash', got '{request.crop}'.")
    if request.size is not None and not 1 <= request.size <= _LARGEST_SIZE:
        raise UsageError(f"The image size is 1 to {_LARGEST_SIZE} pixels, got {request.size}.")
    if request.data_dir is not None and request.data_dir.is_file():
        raise UsageError(f"The data directory {request.data_dir} is a file; give the folder that holds the archives.")
    if request.data_dir is not None and not request.data_dir.is_dir():
        raise UsageError(f"The data directory {request.data_dir} does not exist.")
    return request


def _only(loaded: Images, wanted: tuple[str, ...]) -> Images:
    if loaded.labels is None:
        raise UsageError("This dataset has no classes to choose from; leave out the choice of classes.")
    chosen = [_label(name, loaded.classes) for name in wanted]
    if len(set(chosen)) < len(chosen):
        raise UsageError(f"Each class can be chosen once, got {', '.join(map(str, wanted))}.")
    renumbered = np.full(len(loaded.classes), -1)
    renumbered[chosen] = np.arange(len(chosen))
    labels = renumbered[loaded.labels]
    kept = labels >= 0
    return Images(loaded.images[kept], labels[kept], tuple(loaded.classes[label] for label in chosen))


def _label(name: str, classes: tuple[str, ...]) -> int:
    name = str(name)
    if name in classes:
        return classes.index(name)
    if name.isdecimal() and int(name) < len(classes):
        return int(name)
    raise UsageError(f"There is no class '{name}'; there are, numbered from 0: {', '.join(classes)}.")
