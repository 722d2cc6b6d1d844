"""MNIST, LeCun et al. 1998: 60,000 + 10,000 digits of 28x28, from the four official idx files."""

import gzip
from pathlib import Path

import numpy as np

from kgen.data import Images, Request, archives, is_prepared, prepared
from kgen.errors import UsageError
from kgen.images import files as decode

CLASSES = tuple("0123456789")
PARZEN = ("train[:50000]", "train[50000:51000]")  # Goodfellow et al. 2014, parzen_ll.py
_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
FACTS = ("60,000 train, 10,000 test", "28x28 grey", "10")
HINT = f"Put {', '.join(_SHA256)} into DIR or DIR/mnist and pass --data-dir DIR, or take --dataset mnist5k."
_PREFIX = {"train": "train", "test": "t10k"}


def load(request: Request) -> Images:
    """Reads the files in `request.data_dir` or its folder `mnist`; without files, tensorflow-datasets.

    Returns:
        `Images` of 28x28x1, 32x32x1 (zero-padded) or any other `request.size`.

    Raises:
        UsageError: a file is not the official one, or there are neither files nor a network.
    """
    prefix = _PREFIX[request.part(*_PREFIX)]
    files = [f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"]
    paths = [archives.find(request.data_dir, "mnist", file) for file in files]
    if any(paths) and not all(paths):
        missing = files[paths.index(None)]
        raise UsageError(f"{missing} is missing beside {paths[paths[0] is None]}: put it there too.")
    if None in paths:
        images, labels = prepared.arrays("mnist", request.split, request.data_dir, HINT)
    else:
        images, labels = (_values(archives.verify(path, _SHA256[path.name])) for path in paths)
        rows = request.rows(len(labels))
        images, labels = images.reshape(-1, 28, 28, 1)[rows], labels[rows].astype(np.int64)
    return Images(fit(images, request.size), labels, CLASSES)


def present(data_dir: Path | None) -> bool:
    """Returns whether the files, or what tensorflow-datasets makes of them, are on this machine."""
    found = all(archives.find(data_dir, "mnist", file) for file in _SHA256)
    return found or is_prepared("mnist", data_dir)


def fit(images: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Brings uint8 digits `(n, 28, 28, 1)` to `size`: None keeps 28, 32 pads by 2 zeros (ACAI), others are resized."""
    return np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0))) if size == (32, 32) else decode.resize(images, size)


def _values(path: Path) -> np.ndarray:
    """Returns the numbers of a compressed idx file, uint8 `(n,)`, without their shape."""
    data = gzip.decompress(path.read_bytes())  # idx: two zeros, type, rank, then 4 bytes for each of `rank` lengths
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])
