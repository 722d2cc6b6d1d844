"""Your own images: `folder:PATH`, flat or with one folder for each class, optionally inside `train/` and `test/`.

The folder is scanned at every start, in sorted order. Its pictures are decoded once, see `kgen.data.cache`. Hidden
files are skipped. Images that cannot be used stop the reader, which names them with the reasons; `request.skip_bad`
leaves them out.
"""

import collections
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np

from kgen.data import Images, NoSplit, Request, cache
from kgen.data.decoding import Example, Examples, states
from kgen.errors import UsageError
from kgen.images.files import SUFFIXES, fitted
from kgen.images.order import order_by_content

ARGUMENT = "PATH"
# Images too, but not accepted.
_OTHERS = tuple(
    ".apng .avif .cr2 .dib .dng .exr .gif .hdr .heic .heif .ico .j2k .jfi .jif .jp2 .jpg2 .jxl .nef .pbm .pgm .pjp "
    ".pjpeg .pnm .ppm .psd .svg .tga".split()
)
_SIZE = (64, 64)
_MOST_BYTES = 50_000_000
FACTS = ("yours", "64x64", "your folders")
EMBEDDED = True  # nothing is downloaded


def load(request: Request) -> Images:
    """Decodes every image of the folder.

    If the folder has `train/` and `test/`, these are the splits; otherwise every image is of `train`. The first folder
    of an image's path is its class; classes are sorted by name. Without such folders there are no labels.

    `request.crop`: `center` is the largest centred part in the proportion of `request.size`, `squash` the whole image
    without keeping its aspect ratio. The result is scaled to `request.size`, 64x64 if None, by antialiased bicubic. A
    slice counts only usable images.

    Returns:
        `Images` with 1 channel if all are grey, otherwise with 3.

    Raises:
        NoSplit: the folder lacks the split.
        BadImages: an image cannot be used.
        UsageError: the folder is missing or is a file, or has no usable image.
    """
    root, splits = _root(request)
    files = {split: pictures(split) for split in splits}
    classes = _classes(files)
    found = cache.decoded(_examples(root, files[root], classes, request), request.skip_bad)
    count = len(found.images)
    if not count:
        tried = len(files[root])
        raise UsageError(f"{root} has no usable picture ({tried} tried); accepted are {', '.join(SUFFIXES)}.")
    order = order_by_content(found.images, "folder")  # sorted by name, a slice would be of one class
    rows = order[request.rows(count)]
    return Images(found.images.rows(rows), None if found.labels is None else found.labels[rows], classes)


def _examples(root: Path, paths: list[str], classes: tuple[str, ...], request: Request) -> Examples:
    """Returns the pictures at `paths`, below `root`, as what the cache decodes."""
    size, numbers = request.size or _SIZE, {name: number for number, name in enumerate(classes)}

    def each() -> Iterator[Example]:
        for path in paths:
            label = numbers.get(_class_of(root, path), -1)
            yield Example(path, (path, bool(classes) and label < 0), label)

    def state() -> tuple[list, float]:
        files, newest = states(paths)
        return [str(root.resolve()), files, classes, request.crop, request.background], newest

    return Examples("folder", state, lambda: len(paths), size, each, lambda source: _read(root, *source, size, request))


def _root(request: Request) -> tuple[Path, list[Path]]:
    """Returns the folder of the requested split, and the folders of all splits."""
    root = Path(os.path.expanduser(request.argument))
    if not request.argument or not root.is_dir():
        state = "is a file" if root.is_file() else "does not exist"
        raise UsageError(f"The folder of pictures '{request.argument}' {state}; write folder:PATH of a folder.")
    part = request.part("train", "test")
    splits = [root / "train", root / "test"]
    if all(split.is_dir() and not split.is_symlink() for split in splits):
        return root / part, splits
    if part == "test":
        raise NoSplit(
            f"{root} has no split 'test': that needs the folders train/ and test/ in it. "
            "Another one is named by --reference train, --evaluate-on train or --test-split train."
        )
    return root, [root]


def _classes(found: dict[Path, list[str]]) -> tuple[str, ...]:
    """Returns the sorted names of the class folders of all splits, given `{folder of a split: its files}`."""
    folders = {_class_of(root, path) for root, paths in found.items() for path in paths} - {""}
    for name in folders:
        if not name.isprintable():
            raise UsageError(f"The folder {name!r} cannot be a class: its name has characters that cannot be printed.")
    return tuple(sorted(folders))


def _class_of(root: Path, path: str) -> str:
    """Returns the first folder of a path below `root`; empty if the picture lies in `root` itself."""
    return path.removeprefix(os.path.join(root, "")).rpartition(os.sep)[0].partition(os.sep)[0]


def pictures(root: Path) -> list[str]:
    """Returns the sorted paths below `root` that are named like images, and links to folders, which are not entered.

    Files with the endings of other kinds of images are counted in a warning.
    """
    paths, others = [], collections.Counter()
    for folder, folders, files in os.walk(root, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [os.path.join(folder, name) for name in files if _named(name, SUFFIXES)]
        paths += [os.path.join(folder, name) for name in folders if os.path.islink(os.path.join(folder, name))]
        others.update(Path(name).suffix.lower() for name in files if _named(name, _OTHERS))
    if others:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
        accepted = ", ".join(SUFFIXES)
        warnings.warn(f"{root} has images that are left out: {counts}; accepted are {accepted}.", stacklevel=2)
    return sorted(paths, key=lambda path: path.split(os.sep))


def _unreadable(error: OSError) -> NoReturn:
    """Raises UsageError for a folder that `os.walk` cannot read."""
    raise UsageError(f"The folder {error.filename} cannot be read: {error.strerror}.")


def _named(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes) and not name.startswith(".")


def _read(root: Path, name: str, outside: bool, size: tuple[int, int], request: Request) -> np.ndarray | str:
    """Returns an image, uint8 `(*size, 1 or 3)`, or the reason why it cannot be used, as text."""
    if outside:
        return "lies beside the class folders, not in one"
    path = Path(name)
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            return "is a link that leaves the folder"
        if not path.is_file():
            return "is not a file"
        if path.stat().st_size > _MOST_BYTES:
            return f"larger than {_MOST_BYTES // 1_000_000} MB"
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that points to itself
        return str(error)
    return fitted(size, request.crop, request.background)(path)
