"""CIFAR-10, Krizhevsky 2009: 50,000 + 10,000 colour images of 32x32, from the official `cifar-10-binary.tar.gz`."""

import hashlib
from pathlib import Path

import numpy as np

from kgen.data import Images, Request, archives, is_prepared, prepared
from kgen.errors import UsageError
from kgen.images import files

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_ARCHIVE = "cifar-10-binary.tar.gz"
FACTS = ("50,000 train, 10,000 test", "32x32 colour", "10")
HINT = f"Put {_ARCHIVE} into DIR or DIR/cifar10 and pass --data-dir DIR."
_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
_PIXELS_SHA256 = {  # of uint8 (n, 32, 32, 3)
    "train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "test": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
}
_LABELS_SHA256 = {  # of uint8 (n,)
    "train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
_FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
_RECORDS = 10_000  # in each file
_RECORD = 1 + 3 * 32 * 32  # label, then red, green and blue planes
_TOTAL_BYTES = 200_000_000


def load(request: Request) -> Images:
    """Reads the archive in `request.data_dir` or its folder `cifar10`; without an archive, tensorflow-datasets.

    An archive that is not the official file is accepted if its pixels and labels are the official ones.

    Returns:
        `Images` of 32x32x3, or of `request.size`.

    Raises:
        UsageError: the archive has other contents, or there is neither an archive nor a network.
    """
    part = request.part(*_FILES)
    path = archives.find(request.data_dir, "cifar10", _ARCHIVE)
    if path is None:
        images, labels = prepared.arrays("cifar10", request.split, request.data_dir, HINT)
    else:
        images, labels = _read(path, part)
        rows = request.rows(len(images))
        images, labels = images[rows], labels[rows]
    return Images(files.resize(images, request.size), labels, CLASSES)


def present(data_dir: Path | None) -> bool:
    """Returns whether the archive, or what tensorflow-datasets makes of it, is on this machine."""
    return archives.find(data_dir, "cifar10", _ARCHIVE) is not None or is_prepared("cifar10", data_dir)


def _read(path: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns `(images, labels)` of a part of the archive, uint8 `(n, 32, 32, 3)` and int64 `(n,)`."""
    official = archives.sha256(path) == _SHA256
    sizes = {f"cifar-10-batches-bin/{file}": _RECORDS * _RECORD for file in _FILES[part]}
    members = archives.read_tar(path, sizes, _TOTAL_BYTES)
    records = np.frombuffer(b"".join(members[name] for name in sizes), np.uint8).reshape(-1, _RECORD)
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    labels = records[:, 0]
    if not official:
        _compare(path, f"{part} pixels", images, _PIXELS_SHA256[part])
        _compare(path, f"{part} labels", labels, _LABELS_SHA256[part])
    return images, labels.astype(np.int64)


def _compare(path: Path, what: str, values: np.ndarray, expected: str) -> None:
    """Raises UsageError unless the SHA-256 of an array's bytes is the expected one."""
    got = hashlib.sha256(values.tobytes()).hexdigest()
    if got != expected:
        raise UsageError(
            f"{path} is neither the official archive (SHA-256 {_SHA256}) nor one with its {what}: expected SHA-256"
            f" {expected}, got {got}. Fetch it again."
        )
