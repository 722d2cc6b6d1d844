"""Your own images: `folder:PATH`, flat or with one folder for each class, optionally inside `train/` and `test/`.

The folder is scanned once, in sorted order. Hidden files are skipped. Images that cannot be used stop the reader, which
names them with the reasons; `request.skip_bad` leaves them out.
"""

import collections
import os
import warnings
from pathlib import Path
from typing import NoReturn

import numpy as np

from kgen.data import Images, NoSplit, Request
from kgen.data.bad import told
from kgen.errors import UsageError
from kgen.images.files import SUFFIXES, centre, decode, fit, parallel
from kgen.images.order import order_by_content

ARGUMENT = "PATH"
# Images too, but not accepted.
_OTHERS = (".gif", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".ppm", ".pgm", ".tga", ".svg")
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
    paths = files[root]
    folders = [path.relative_to(root).parts[0] if path.parent != root else "" for path in paths]
    outside = [bool(classes) and not folder for folder in folders]
    read = parallel(lambda i: _read(root, paths[i], outside[i], request), len(paths), "reading folder")
    found = [(str(path), outcome) for path, outcome in zip(paths, read, strict=True) if isinstance(outcome, str)]
    told(found, len(paths), request.skip_bad)
    good = [i for i, outcome in enumerate(read) if not isinstance(outcome, str)]
    if not good:
        raise UsageError(f"{root} has no usable picture ({len(paths)} tried); accepted are {', '.join(SUFFIXES)}.")
    order = order_by_content([read[i] for i in good], "folder")  # sorted by name, a slice would be of one class
    good = [good[i] for i in order[request.rows(len(good))]]
    labels = np.array([classes.index(folders[i]) for i in good], np.int64) if classes else None
    return Images(_stack([read[i] for i in good], request.size or _SIZE), labels, classes)


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


def _classes(found: dict[Path, list[Path]]) -> tuple[str, ...]:
    """Returns the sorted names of the class folders of all splits, given `{folder of a split: its files}`."""
    folders = {
        path.relative_to(root).parts[0] for root, paths in found.items() for path in paths if path.parent != root
    }
    for name in folders:
        if not name.isprintable():
            raise UsageError(f"The folder {name!r} cannot be a class: its name has characters that cannot be printed.")
    return tuple(sorted(folders))


def pictures(root: Path) -> list[Path]:
    """Returns the sorted paths below `root` that are named like images, and links to folders, which are not entered.

    Files with the endings of other kinds of images are counted in a warning.
    """
    paths, others = [], collections.Counter()
    for folder, folders, files in os.walk(root, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(folder, name) for name in files if _named(name, SUFFIXES)]
        paths += [Path(folder, name) for name in folders if Path(folder, name).is_symlink()]
        others.update(Path(name).suffix.lower() for name in files if _named(name, _OTHERS))
    if others:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
        accepted = ", ".join(SUFFIXES)
        warnings.warn(f"{root} has images that are left out: {counts}; accepted are {accepted}.", stacklevel=2)
    return sorted(paths)


def _unreadable(error: OSError) -> NoReturn:
    """Raises UsageError for a folder that `os.walk` cannot read."""
    raise UsageError(f"The folder {error.filename} cannot be read: {error.strerror}.")


def _named(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes) and not name.startswith(".")


def _read(root: Path, path: Path, outside: bool, request: Request) -> np.ndarray | str:
    """Returns an image, uint8 `(height, width, 1 or 3)`, or the reason why it cannot be used, as text."""
    if outside:
        return "lies beside the class folders, not in one"
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            return "is a link that leaves the folder"
        if not path.is_file():
            return "is not a file"
        if path.stat().st_size > _MOST_BYTES:
            return f"larger than {_MOST_BYTES // 1_000_000} MB"
        image = decode(path, request.background)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link that points to itself
        return str(error)
    size = request.size or _SIZE
    return fit(image, size, centre(*image.size, size) if request.crop == "center" else None)


def _stack(pictures: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Returns images in one array, uint8 `(n, *size, channels)`: 3 channels if any image has them, otherwise 1."""
    channels = max((picture.shape[2] for picture in pictures), default=1)
    images = np.empty((len(pictures), *size, channels), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        image[:] = picture  # a grey image among coloured ones is repeated in three channels
    return images
