"""Decoded images on disk: pictures are decoded once, and the next start reads their pixels from a file.

An entry of the cache is a folder named after everything that its pixels depend on. It also remembers which pictures
cannot be used, and why. It is written aside and renamed, so that it is complete or not there, and under a lock, so that
one process decodes and others wait. It can be removed at any time.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL
from filelock import FileLock, Timeout

from kgen.data import decoding
from kgen.data.bad import told
from kgen.data.decoding import Examples
from kgen.errors import UsageError
from kgen.images.stored import ImageFile, StoredImages

VARIABLE = "KGEN_CACHE_DIR"
SETTLED_SECONDS = 2  # a file that changed later may change again without a new time: its pixels are not kept
FORMAT = 1  # of an entry; another number makes the older entries unknown


class Decoded(NamedTuple):
    """What became of examples.

    images: the usable ones, in order.
    labels: int64 `(n,)`, or None.
    places: of the usable ones among the examples, int64 `(n,)`.
    """

    images: StoredImages
    labels: np.ndarray | None
    places: np.ndarray


def decoded(examples: Examples, skip_bad: bool) -> Decoded:
    """Returns the usable images of `examples`, from the cache if they were decoded before.

    Where the cache cannot be written, or a file has changed in the last seconds, they are decoded into a file that
    nobody else sees.

    Raises:
        BadImages: an image cannot be used, and `skip_bad` is False.
        UsageError: there is no room on the disk, or files have changed while they were read.
    """
    key, newest = examples.state()
    depends = [FORMAT, PIL.__version__, examples.dataset, list(examples.size), key]
    name = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:16]
    settled = newest < time.time() - SETTLED_SECONDS
    found = _kept(examples, key, directory() / f"{examples.dataset}-{name}") if settled else None
    found, bad = found or _unkept(examples, key)
    told([(name, reason) for _, name, reason in bad], len(found.places) + len(bad), skip_bad)
    return found


def directory() -> Path:
    """Returns the folder of the cache: `KGEN_CACHE_DIR`, or `kgen` in the user's folder of caches."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgen"


def _kept(examples: Examples, key: Any, folder: Path) -> tuple[Decoded, list] | None:
    """Returns an entry, see `_opened`, which is made first if it is not there; None if it cannot be written."""
    try:
        if not folder.is_dir():  # an entry that is there may lie where this user cannot write
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _lock(folder):
                if not folder.is_dir():
                    decoding.write(examples, key, folder)
        return _opened(folder)
    except PermissionError as error:
        warnings.warn(f"Pictures are decoded at every start: {error}. {VARIABLE} names another folder.", stacklevel=4)
    except OSError as error:
        raise UsageError(f"The cache {folder} cannot be used: {error}. {VARIABLE} names another folder.") from None
    return None


def _unkept(examples: Examples, key: Any) -> tuple[Decoded, list]:
    """Returns an entry, see `_opened`, whose folder is removed at once; its file lives while it is open."""
    try:
        with tempfile.TemporaryDirectory(prefix="kgen-") as aside:
            decoding.write(examples, key, Path(aside, "entry"))
            return _opened(Path(aside, "entry"))
    except OSError as error:
        raise UsageError(f"Decoded pictures cannot be written: {error}. TMPDIR names another folder.") from None


def _lock(folder: Path) -> AbstractContextManager:
    """Returns a held lock on an entry, which is released at the latest when the process ends."""
    held = FileLock(f"{folder}.lock")
    try:
        return held.acquire(timeout=0)
    except Timeout:
        print(f"Another process decodes {folder.name}; waiting for it.", file=sys.stderr)
        return held.acquire()


def _opened(folder: Path) -> tuple[Decoded, list]:
    """Returns the usable images of an entry, and `[[place, name, reason], ...]` of the others; raises OSError."""
    bad = json.loads((folder / decoding.BAD).read_text())
    contents, labels = np.load(folder / decoding.CONTENTS), np.load(folder / decoding.LABELS)
    places = np.setdiff1d(np.arange(len(contents)), [place for place, _, _ in bad])
    images = StoredImages(ImageFile(folder / decoding.IMAGES), contents, places)
    labels = labels[places]
    return Decoded(images, labels if (labels >= 0).any() else None, places), bad
