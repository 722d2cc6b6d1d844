"""Datasets: each file of `kgen/data/datasets` is one, with a function `load(request) -> Images`.

To add a dataset, add a file; `names()` finds it without importing it. The file may also define

- `ARGUMENT`, a word for what may follow a colon, as in `folder:PATH`, in brackets if it may be left out; without it
  nothing may follow;
- `EMBEDDED = True`, if nothing is downloaded; otherwise `HINT`, a sentence that says which files to put where, and
  `present(data_dir)`, which returns whether they are there;
- `FACTS`, what `kgen datasets` says of the number of images, their size and their classes;
- `PARZEN`, the two splits of its Parzen window protocol, see `parzen_splits`.
"""

import difflib
import importlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from kgen.data.joined import joined, parts
from kgen.data.spellings import colour, sides
from kgen.errors import UsageError
from kgen.images.stored import StoredImages, rows_of

_SPLIT = re.compile(r"(\w+)(?:\[(-?\d{1,99})?:(-?\d{1,99})?\])?")


class NoSplit(UsageError):
    """A dataset has no split of this name."""


class Images(NamedTuple):
    """A dataset.

    images: uint8 `(n, height, width, channels)`, 1 or 3 channels. An array, or `kgen.images.stored.StoredImages`.
    labels: int64 `(n,)`, or None if the dataset has no labels.
    classes: the names of the classes, in the order of their labels; `()` if there are no labels.
    """

    images: np.ndarray | StoredImages
    labels: np.ndarray | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What is asked of a dataset.

    split: a part, with an optional slice as in TFDS: `train`, `test`, `train[:50000]`, `train[-100:]`.
    data_dir: the folder of the user's archives, or None.
    size: `(height, width)` of the images in pixels; None is the dataset's own size.
    crop: `center` cuts a part in the size's proportion out of the frame; `squash` takes the whole frame and changes its
        aspect ratio.
    argument: the text after the colon, as in `folder:PATH`.
    skip_bad: whether images that cannot be used are left out; otherwise they are an error.
    background: red, green and blue of the colour behind transparent pixels; None refuses them.
    """

    split: str = "train"
    data_dir: Path | None = None
    size: tuple[int, int] | None = None
    crop: Literal["center", "squash"] = "center"
    argument: str = ""
    skip_bad: bool = False
    background: tuple[int, int, int] | None = None

    def part(self, *parts: str) -> str:
        """Returns the split without its slice, e.g. `train`.

        Args:
            parts: the names of the parts that the dataset has.

        Raises:
            NoSplit: it is none of `parts`.
        """
        part = self._matched()[1]
        if part not in parts:
            raise NoSplit(f"There is no split '{part}'; this dataset has: {', '.join(parts)}.")
        return part

    def rows(self, count: int) -> slice:
        """Returns the `slice` that the split takes of a part of `count` images; without a slice it takes all.

        Raises:
            UsageError: the slice reaches beyond `count`.
        """
        bounds = [int(bound) if bound else None for bound in self._matched().groups()[1:]]
        if any(abs(bound or 0) > count for bound in bounds):
            raise UsageError(f"The split '{self.split}' reaches beyond the {count} images there are.")
        return slice(*bounds)

    def _matched(self) -> re.Match:
        """Returns the match of the split's name and bounds; raises UsageError if the split cannot be read."""
        match = _SPLIT.fullmatch(self.split)
        if match is None:
            raise UsageError(
                f"The split '{self.split}' cannot be read; write it like 'train', 'train[:50000]' or 'train+test'."
            )
        return match


def demand_any(data: Images) -> Images:
    """Returns training images that the networks of a recipe begin from; raises UsageError if there are none."""
    if not len(data.images):
        raise UsageError("The networks of this recipe begin from the training images: give them, as images=.")
    return data


def names() -> list[str]:
    """Returns the names of all datasets, sorted."""
    return sorted(path.stem for path in (Path(__file__).parent / "datasets").glob("*.py") if path.stem != "__init__")


def load(
    dataset: str,
    split: str = "train",
    data_dir: Path | str | None = None,
    size: int | str | None = None,
    crop: str = "center",
    classes: Sequence[str] = (),
    skip_bad: bool = False,
    background: str | None = None,
    in_memory: bool = True,
) -> Images:
    """Reads a dataset.

    Args:
        dataset: `name` or `name:argument`, e.g. `mnist`, `folder:/home/me/pictures`.
        split: see `Request`; several parts are joined by +, as in `train+test`.
        data_dir, crop, skip_bad: see `Request`.
        size: see `spellings.sides`; None is the dataset's own size.
        classes: names or numbers of the classes to keep, as strings; they become labels 0, 1, ... in this order.
            The slice of `split` is taken before.
        background: see `spellings.colour`; None refuses transparent pixels.
        in_memory: False leaves decoded pictures in their file, as `kgen.images.stored.StoredImages`; see
            `kgen.data.cache`.

    Returns:
        `Images`, in the same order in every call.

    Raises:
        UsageError: a name, split, size or class is unknown, data is missing or damaged, or no image is left.
    """
    name, _, argument = dataset.partition(":")
    module = importlib.import_module(f"kgen.data.datasets.{_known(name)}")
    if argument and not hasattr(module, "ARGUMENT"):
        raise UsageError(f"The dataset '{name}' takes nothing after a colon, got '{argument}'.")
    if crop not in ("center", "squash"):
        raise UsageError(f"crop is 'center' or 'squash', got '{crop}'.")
    asked = (folder(data_dir), sides(size), crop, argument, skip_bad, colour(background))
    loaded = joined([module.load(Request(part, *asked)) for part in parts(split)])
    loaded = _only(loaded, tuple(classes)) if classes else loaded
    if len(loaded.images) == 0:
        raise UsageError(f"No image is left of '{dataset}' with split '{split}' and classes {list(classes)}.")
    return loaded._replace(images=np.asarray(loaded.images)) if in_memory else loaded


def is_prepared(name: str, data_dir: Path | None) -> bool:
    """Returns whether tensorflow-datasets has downloaded a dataset before, into `data_dir` or its own folder."""
    root = data_dir or Path(os.environ.get("TFDS_DATA_DIR", Path.home() / "tensorflow_datasets"))
    return any(root.glob(f"{name}/*/dataset_info.json"))


def at_hand(dataset: str, data_dir: Path | str | None) -> bool:
    """Returns whether a dataset needs no download: its file says `EMBEDDED`, or there is a folder of archives."""
    module = importlib.import_module(f"kgen.data.datasets.{_known(dataset.partition(':')[0])}")
    return data_dir is not None or hasattr(module, "EMBEDDED")


def parzen_splits(dataset: str) -> tuple[str, str] | None:
    """Returns the two splits of a dataset's Parzen window protocol, its `PARZEN`; None if its file names none."""
    module = importlib.import_module(f"kgen.data.datasets.{_known(dataset.partition(':')[0])}")
    return getattr(module, "PARZEN", None)


def _known(name: str) -> str:
    """Returns the name of a dataset; raises UsageError if there is none of that name."""
    if name in names():
        return name
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"There is no dataset '{name}'; there are: {', '.join(names())}.{hint}")


def folder(data_dir: Path | str | None) -> Path | None:
    """Returns the path of the data directory, or None; raises UsageError if there is no such folder."""
    if data_dir is None:
        return None
    path = Path(os.path.expanduser(data_dir))
    if path.is_file():
        raise UsageError(f"The data directory {path} is a file; give the folder that holds the archives.")
    if not path.is_dir():
        raise UsageError(f"The data directory {path} does not exist.")
    return path


def _only(loaded: Images, wanted: tuple[str, ...]) -> Images:
    """Returns the images of the wanted classes, with labels 0, 1, ... in the order of `wanted`."""
    if loaded.labels is None:
        raise UsageError("This dataset has no classes to choose from; leave out the choice of classes.")
    chosen = [class_number(name, loaded.classes) for name in wanted]
    if len(set(chosen)) < len(chosen):
        raise UsageError(f"Each class can be chosen once, got {', '.join(map(str, wanted))}.")
    renumbered = np.full(len(loaded.classes), -1)
    renumbered[chosen] = np.arange(len(chosen))
    labels = renumbered[loaded.labels]
    kept = np.flatnonzero(labels >= 0)
    return Images(rows_of(loaded.images, kept), labels[kept], tuple(loaded.classes[label] for label in chosen))


def demand_every_class(images: Images) -> None:
    """Raises UsageError if there is no image of a class: a model would answer for a class that it never saw."""
    if images.labels is None:
        return
    missing = [name for number, name in enumerate(images.classes) if not (images.labels == number).any()]
    if missing:
        raise UsageError(
            f"There is no usable image of the class {missing[0]} among the {len(images.images)} to train on: take a "
            "larger --split, or name the classes to learn with --classes."
        )


def class_number(name: str, classes: tuple[str, ...], flag: str = "") -> int:
    """Returns the number of a class that is given by its name, or by its number where no name is a number.

    Args:
        name: as the user wrote it.
        classes: all names.
        flag: what the message of an error begins with, such as `--class`.

    Raises:
        UsageError: there is no such class.
    """
    name, numbered = str(name), not any(each.isdecimal() for each in classes)
    if name in classes:
        return classes.index(name)
    if numbered and name.isdecimal() and len(name) < 10 and int(name) < len(classes):
        return int(name)
    given = f"{flag}: there is no class" if flag else "There is no class"
    raise UsageError(f"{given} '{name}'; there are{', numbered from 0' * numbered}: {', '.join(classes)}.")
