"""Images in a file, of which only those that are asked for are read."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

PART = 1024  # images at a time, where all are read


class ImageFile:
    """A `.npy` file of uint8 `(n, height, width, channels)` in C order, open for reading.

    It can be removed while it is open. The file is read and not mapped: mapped pages would count as memory of the
    process.
    """

    def __init__(self, path: Path) -> None:
        self._file, self._lock = open(path, "rb", buffering=0), threading.Lock()
        np.lib.format.read_magic(self._file)
        self.shape = np.lib.format.read_array_header_1_0(self._file)[0]
        self._offset = self._file.tell()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def read(self, places: np.ndarray) -> np.ndarray:
        """Returns the images at some places, integers `(k,)`; raises OSError if the file is too short."""
        images = np.empty((len(places), *self.shape[1:]), np.uint8)
        size = images[:1].nbytes
        with self._lock:  # `seek` and `readinto` belong together
            for image, place in zip(images, places.tolist(), strict=True):
                self._file.seek(self._offset + place * size)
                if self._file.readinto(memoryview(image).cast("B")) != size:
                    raise OSError(f"{self._file.name} is shorter than {self.shape[0]} images.")
        return images


class StoredImages:
    """Images in a file. They take no memory until they are read.

    `stored[i]`, `stored[2:9]` and `stored[indices]` read these images and return NumPy arrays. `rows(indices)` is
    another `StoredImages` and reads nothing. `np.asarray(stored)` reads all.

    Args:
        file: an `ImageFile`.
        contents: SHA-256 of each image of the file, uint8 `(n, 32)`.
        indices: which images of the file, and in which order, int64 `(m,)`; None is all.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, file: ImageFile, contents: np.ndarray, indices: np.ndarray | None = None) -> None:
        self._file, self._contents = file, contents
        self._indices = np.arange(file.shape[0]) if indices is None else indices

    @property
    def shape(self) -> tuple[int, ...]:
        """`(m, height, width, channels)`."""
        return len(self), *self._file.shape[1:]

    def __len__(self) -> int:
        return len(self._indices)

    def rows(self, indices: np.ndarray) -> "StoredImages":
        """Returns the images at some indices, integers `(k,)`, without reading them."""
        return StoredImages(self._file, self._contents, self._indices[indices])

    def contents(self) -> Iterator[bytes]:
        """Yields the SHA-256 of each image; no image is read."""
        return (self._contents[index].tobytes() for index in self._indices)

    def __getitem__(self, key: int | slice | np.ndarray | tuple) -> np.ndarray:
        first, others = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        places = self._indices[first]
        if np.ndim(places):
            return self._file.read(places)[(slice(None), *others)]
        return self._file.read(places[None])[0][others]

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Images in a file cannot become an array without a copy.")
        return self._file.read(self._indices).astype(dtype or self.dtype, copy=False)

    def parts(self) -> Iterator[np.ndarray]:
        """Yields all images in order, uint8 `(k, height, width, channels)` with k at most `PART`."""
        return (self[start : start + PART] for start in range(0, len(self), PART))


def create(path: Path, shape: tuple[int, ...]) -> BinaryIO:
    """Returns a new `.npy` file of uint8 `shape`, open for writing where its first image begins."""
    file = open(path, "wb")
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(map(int, shape))}
    np.lib.format.write_array_header_1_0(file, header)
    return file


def rows_of(images: np.ndarray | StoredImages, indices: np.ndarray) -> np.ndarray | StoredImages:
    """Returns the images at some indices, integers `(k,)`; those in a file stay there."""
    return images.rows(indices) if isinstance(images, StoredImages) else images[indices]


def parts_of(images: np.ndarray | StoredImages) -> Iterator[np.ndarray]:
    """Yields images `(n, ...)` in order, some at a time; an array is one part."""
    return images.parts() if isinstance(images, StoredImages) else iter([images])


def mean_of(images: np.ndarray | StoredImages) -> np.ndarray:
    """Returns the mean image of uint8 `(n, height, width, channels)`, float64 `(height, width, channels)`."""
    return sum(part.sum(axis=0) for part in parts_of(images)) / len(images)
