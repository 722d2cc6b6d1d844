"""Decodes the pictures of a dataset into a folder of arrays, an entry of the cache."""

import hashlib
import json
import math
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from kgen.errors import UsageError
from kgen.images.files import parallel
from kgen.images.order import content
from kgen.images.stored import ImageFile, StoredImages, create

IMAGES, CONTENTS, LABELS, BAD = "images.npy", "contents.npy", "labels.npy", "bad.json"
TOLD_FROM = 2_000  # how many pictures are worth a line on stderr


class Example(NamedTuple):
    """A picture that is to be decoded.

    name: what messages call it.
    source: what `Examples.read` takes.
    label: its class, from 0; -1 for none.
    """

    name: str
    source: Any
    label: int = -1


@dataclass(frozen=True)
class Examples:
    """The pictures of a dataset.

    dataset: its name.
    state: function without arguments that returns `(key, newest)`. The key is JSON of all that pixels and verdicts
        depend on; `newest` is when the youngest file changed, in seconds since 1970.
    count: function without arguments that returns how many examples there are. It may read them all.
    size: `(height, width)` in pixels.
    each: function without arguments that returns the examples in order.
    read: function of a source that returns an image, uint8 `(*size, 1 or 3)`, or the reason why it cannot be used, as
        text. It is called from several threads.
    """

    dataset: str
    state: Callable[[], tuple[Any, float]]
    count: Callable[[], int]
    size: tuple[int, int]
    each: Callable[[], Iterable[Example]]
    read: Callable[[Any], np.ndarray | str]


def states(paths: Iterable[Path | str]) -> tuple[str, float]:
    """Returns a digest of name, size, number and times of files, and when the youngest changed, in seconds since 1970.

    The time of the last change (ctime) is among them: it moves when a file is written, even if its owner sets back the
    time of modification. A link stands for its target.
    """
    whole, newest = hashlib.sha256(), 0
    for path in paths:
        try:
            found = os.stat(path)
            numbers = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        except OSError as error:  # a broken link
            numbers = (error.errno,)
        whole.update(f"{path}\0{numbers}\n".encode(errors="surrogateescape"))
        newest = max(newest, *numbers[3:], 0)
    return whole.hexdigest(), newest / 1e9


def write(examples: Examples, key: Any, folder: Path) -> None:
    """Decodes all examples into a new folder, which is there when it is complete. The caller holds its lock.

    The folder has the images, those that cannot be used being black; the SHA-256 of each image; the labels; and place,
    name and reason of those that cannot be used.

    Raises:
        OSError: the folder cannot be written.
        UsageError: there is no room, or files change while they are read.
    """
    aside = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
    aside.mkdir()
    try:
        count = _fill(examples, aside)
        if examples.state()[0] != key:
            raise UsageError(f"Files of {examples.dataset} have changed while they were read. Start again.")
        for path in aside.iterdir():
            with open(path, "rb") as written:
                os.fsync(written.fileno())  # else a power cut could leave an entry of zeros
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if count > TOLD_FROM:
        print(f"{count} pictures are decoded; the next start reads them in {folder}.", file=sys.stderr)


def _fill(examples: Examples, folder: Path) -> int:
    """Writes the files of an entry; returns how many examples there are."""
    count = examples.count()
    needed, free = 3 * count * math.prod(examples.size), shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"decoded pictures need {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free")
    with create(folder / IMAGES, (count, *examples.size, 3)) as file:
        rows = _Rows(file, examples, count)
        outcomes = parallel(rows.fill, enumerate(examples.each()), count, f"decoding {examples.dataset}")
        file.truncate(rows.start + needed)  # the last ones may be bad
    if len(outcomes) != count:
        raise UsageError(f"{examples.dataset} has {len(outcomes)} pictures, but says {count}.")
    if not rows.coloured:
        _keep_one_channel(folder / IMAGES)
    bad = [(place, *outcome) for place, outcome in enumerate(outcomes) if outcome]
    (folder / BAD).write_text(json.dumps(bad))
    np.save(folder / CONTENTS, rows.contents[int(rows.coloured)])
    np.save(folder / LABELS, rows.labels)
    return count


class _Rows:
    """The rows of a file, one for each example, with 3 channels.

    start: where the first row begins.
    contents: SHA-256 of each image with 1 channel and with 3, uint8 `(2, n, 32)`.
    labels: int64 `(n,)`.
    coloured: whether an image has 3 channels.
    """

    def __init__(self, file: BinaryIO, examples: Examples, count: int) -> None:
        self._file, self._examples, self._lock = file, examples, threading.Lock()
        self.start, self.coloured = file.tell(), False
        self.contents = np.zeros((2, count, 32), np.uint8)
        self.labels = np.full(count, -1, np.int64)

    def fill(self, numbered: tuple[int, Example]) -> tuple[str, str] | None:
        """Decodes an example into its row. Returns `(name, reason)` if it cannot be used."""
        place, example = numbered
        if place >= len(self.labels):
            return None  # counted by the caller
        image = self._examples.read(example.source)
        if isinstance(image, str):
            return example.name, image
        coloured = image.shape[2] == 3
        whole = np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
        self.labels[place] = example.label
        for channels, row in ((1, image), (3, whole)):
            if channels == 3 or not coloured:
                self.contents[channels // 3, place] = np.frombuffer(content(row), np.uint8)
        with self._lock:
            self.coloured = self.coloured or coloured
            self._file.seek(self.start + place * whole.nbytes)
            self._file.write(whole.data)
        return None


def _keep_one_channel(path: Path) -> None:
    """Makes images of 3 equal channels images of 1 channel."""
    images = ImageFile(path)
    aside = path.with_suffix(".grey")
    with create(aside, (*images.shape[:3], 1)) as file:
        for part in StoredImages(images, np.empty((0, 32), np.uint8)).parts():
            file.write(np.ascontiguousarray(part[..., :1]).data)
    os.replace(aside, path)
