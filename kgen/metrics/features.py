"""Features that a network takes of images, and their cache on disk. Its key is the content of images and weights."""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tqdm.auto import tqdm

from kgen.backend.spread import spread
from kgen.data.cache import VARIABLE
from kgen.errors import UsageError
from kgen.images.stored import PART
from kgen.metrics.arrays import blocks, dealt

if TYPE_CHECKING:
    from kgen.images.stored import StoredImages

BATCH = 50  # images at a time


class Network(NamedTuple):
    """A network that takes features of images.

    name: its name in the names of metrics, such as `mnist-classifier`; empty for the 2015 Inception, of FID and KID.
    look: function of uint8 images `(n, height, width, channels)`, n at most `BATCH`, to `(features, logits)`, float32
        `(n, d)` and `(n, classes)`. Logits are None if the network has none.
    about: what a measurement's protocol says about the network, JSON: at least `network` and `weights_sha256`.
    bias: `(classes,)`, to be added to logits that are without it; None if there is none to add.
    of_unit: function of images float32 `(n, height, width, channels)` in [0, 1], not rounded to bytes, to features
        float32 `(n, d)`; None if the network takes bytes only.
    others: functions like `look`, each on another device, that look at other images at the same time.
    depends: what features and logits depend on beside `about`, JSON: the layer, the range of its inputs.
    """

    name: str
    look: Callable
    about: dict
    bias: np.ndarray | None = None
    of_unit: Callable | None = None
    depends: tuple = ()
    others: tuple[Callable, ...] = ()


class Seen(NamedTuple):
    """Features `(n, d)` of images, and logits `(n, classes)` or None."""

    features: np.ndarray
    logits: np.ndarray | None


def see(network: Network, images: np.ndarray, progress: str = "") -> Seen:
    """Returns features and logits, by a network, of uint8 images `(n, height, width, channels)`.

    Args:
        network: `Network`.
        images: one or more.
        progress: text of a progress bar on stderr; empty shows no bar.

    Raises:
        ValueError: images are not uint8, there are none, or features are not finite.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or not len(images):
        raise ValueError(
            f"`images` must be uint8 (n, height, width, channels). Received: {images.dtype} {images.shape}."
        )
    return joined(looks(network, [images], len(images), progress))


def looks(network: Network, parts: Iterable[np.ndarray], count: int, progress: str = "") -> Iterator[Seen]:
    """Yields what `see` returns of images that come in parts, `BATCH` images at a time, however long the parts are.

    Args:
        network, progress: as in `see`.
        parts: uint8 images `(n_i, height, width, channels)`.
        count: how many images are expected, for the progress bar.
    """
    with tqdm(total=count, desc=progress, unit="img", disable=not progress) as bar:
        for seen in map(Seen._make, spread((network.look, *network.others), dealt(parts, BATCH))):
            if not np.isfinite(seen.features).all():
                raise ValueError(f"Features of {network.about['network']} must be finite. Received: NaN or infinity.")
            bar.update(len(seen.features))
            yield seen
        bar.total = bar.n  # a folder of pictures may have another number


def joined(parts: Iterable[Seen]) -> Seen:
    """Returns features `(n, d)` and logits `(n, classes)`, or None, of parts in order."""
    features, logits = zip(*parts, strict=True)
    return Seen(np.concatenate(features), None if logits[0] is None else np.concatenate(logits))


class Cache:
    """Files of arrays, named after what they were computed from. Damaged files are computed anew.

    A file is written aside, flushed and renamed, so that it is complete or not there, and under a lock, so that one
    process computes and others wait.

    Args:
        folder: where the files are; it is made when the first one is written. None keeps no files.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder and Path(folder)

    def of(self, key: list, compute: Callable) -> dict[str, np.ndarray]:
        """Returns `compute()`, `{name: array}` of any shapes, or the result that is stored under this key.

        Args:
            key: everything that the arrays depend on, as JSON.

        Raises:
            UsageError: the folder cannot be used. Where it may not be written, the arrays are computed every time.
        """
        if not self.folder:
            return compute()
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        path, lock = self.folder / f"{name}.safetensors", FileLock(self.folder / f".{name}.lock")
        found = _stored(path)
        if found is not None:  # a file that is there may lie where this user cannot write
            return found
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _wait(lock)
        except PermissionError as error:
            warnings.warn(f"Features are computed every time: {error}. {VARIABLE} names another folder.", stacklevel=2)
            return compute()
        except OSError as error:
            raise self._fault(error) from None
        try:
            found = _stored(path)  # of the process that this one waited for
            return self._filled(path, compute()) if found is None else found
        finally:
            lock.release()

    def _filled(self, path: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Writes a file; returns its arrays. The caller holds its lock."""
        found = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        aside = path.with_suffix(".partial")  # perhaps of a process that was killed: it is overwritten
        try:
            save_file(found, aside)
            with open(aside, "rb") as written:
                os.fsync(written.fileno())  # else a power cut could leave a file of zeros
            os.replace(aside, path)
        except (OSError, SafetensorError) as error:  # safetensors has an error of its own for a full disk
            aside.unlink(missing_ok=True)
            raise self._fault(error) from None
        return found

    def _fault(self, error: Exception) -> UsageError:
        reason = getattr(error, "strerror", None) or error
        return UsageError(f"The cache {self.folder} cannot be written: {reason}. {VARIABLE} names another folder.")


def _stored(path: Path) -> dict[str, np.ndarray] | None:
    """Returns the arrays of a file; None if it is not there or damaged."""
    try:
        return load_file(path)
    except (OSError, ValueError, SafetensorError):
        return None


def _wait(lock: FileLock) -> None:
    """Acquires a lock, which is released at the latest when the process ends; says so if another process holds it."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("Another process takes the same features; waiting for it.", file=sys.stderr)
        lock.acquire()


def digest(images: "np.ndarray | StoredImages", order: np.ndarray | None = None) -> str:
    """Returns the SHA-256 of images `(n, ...)` in some order, with their type and shape."""
    whole = hashlib.sha256(f"{images.dtype} {images.shape}".encode())
    for part in in_order(images, np.arange(len(images)) if order is None else order):
        whole.update(np.ascontiguousarray(part).data)
    return whole.hexdigest()


def in_order(images: "np.ndarray | StoredImages", order: np.ndarray) -> Iterator[np.ndarray]:
    """Yields images `(n, ...)` in the order of some indices, `PART` at a time at most: none are copied whole."""
    return (images[order[part]] for part in blocks(len(order), PART))
