"""Images told apart by their contents: an order that depends on nothing else, and what two sets share."""

import collections
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kgen.images.stored import StoredImages


def order_by_content(images: "np.ndarray | StoredImages", salt: str) -> np.ndarray:
    """Returns indices that put images into a random order which depends on nothing but the images themselves.

    Folders are sorted by class, and conditional generators draw class after class. A slice of such images is one class,
    and neighbours are not independent. The order is that of the SHA-256 of `salt`, the image, and the number of equal
    images before it. So it does not change when files are renamed, and equal images do not become neighbours.

    Args:
        images: `(n, ...)` of any type.
        salt: text; sets of different salts are in unrelated orders.

    Returns:
        int64 `(n,)`.
    """
    return order_of_contents(contents(images), salt)


def order_of_contents(found: Iterable[bytes], salt: str) -> np.ndarray:
    """Returns what `order_by_content` does of images whose `content` is found, int64 `(n,)`."""
    seen, keys = collections.Counter(), []
    for content in found:
        keys.append(hashlib.sha256(f"{salt} {seen[content]} ".encode() + content).digest())
        seen[content] += 1
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def shared(images: "np.ndarray | StoredImages", others: "np.ndarray | StoredImages") -> int:
    """Returns how many of the images `(n, ...)` are among others `(m, ...)` too, of the same type and shape."""
    known = set(contents(others))
    return sum(content in known for content in contents(images))


def contents(images: "np.ndarray | StoredImages") -> Iterator[bytes]:
    """Yields the SHA-256 of each image of `(n, ...)`. Those in a file know theirs."""
    if isinstance(images, np.ndarray):
        return (content(image) for image in images)
    return images.contents()


def content(image: np.ndarray) -> bytes:
    """Returns the SHA-256 of an image, an array of any type and shape."""
    return hashlib.sha256(np.ascontiguousarray(image).data).digest()
