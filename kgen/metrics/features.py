"""Features that a network takes of images, and their cache on disk. Its key is the content of images and weights."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tqdm.auto import tqdm

from kgen.errors import UsageError

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
    """

    name: str
    look: Callable
    about: dict
    bias: np.ndarray | None = None
    of_unit: Callable | None = None


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
    found = []
    with tqdm(total=len(images), desc=progress, unit="img", disable=not progress) as bar:
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH]
            found.append(network.look(part))
            bar.update(len(part))
    features, logits = zip(*found, strict=True)
    seen = Seen(np.concatenate(features), None if logits[0] is None else np.concatenate(logits))
    if not np.isfinite(seen.features).all():
        raise ValueError(f"Features of {network.about['network']} must be finite. Received: NaN or infinity.")
    return seen


class Cache:
    """Files of arrays, named after what they were computed from. Damaged files are computed anew.

    Args:
        folder: where the files are; it is made when the first one is written. None keeps no files.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder and Path(folder)

    def of(self, key: list, compute: Callable) -> dict[str, np.ndarray]:
        """Returns `compute()`, `{name: array}` of any shapes, or the result that is stored under this key.

        Args:
            key: everything that the arrays depend on, as JSON.
        """
        if not self.folder:
            return compute()
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        path = self.folder / f"{name}.safetensors"
        try:
            return load_file(path)
        except (OSError, ValueError, SafetensorError):
            found = {name: np.asarray(array, order="C") for name, array in compute().items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            aside = self.folder / f".{name}.{os.getpid()}"
            save_file(found, aside)
            os.replace(aside, path)
        except OSError as error:
            raise UsageError(
                f"The cache {self.folder} cannot be written: {error.strerror}. Give --cache-dir."
            ) from None
        return found


def digest(images: np.ndarray) -> str:
    """Returns the SHA-256 of images, with their type and shape."""
    whole = hashlib.sha256(f"{images.dtype} {images.shape}".encode())
    whole.update(np.ascontiguousarray(images).data)
    return whole.hexdigest()
