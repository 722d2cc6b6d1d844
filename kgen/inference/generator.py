"""A trained generator, from a run or an export. It draws images."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kgen.backend import tf
from kgen.backend.spread import spread
from kgen.core import requests
from kgen.core.game import sheet
from kgen.data import class_number
from kgen.errors import UsageError


class TrainedGenerator:
    """A trained generator. It draws in parts of at most `LIMIT` images; part i has the seed `seed + i 2^32`.

    Args:
        sample: the signature that draws, see `kgen.core.signatures`.
        decode: the signature from latents to images.
        classes: names of the classes of a class-conditional generator, otherwise empty.
        keep: an object that must live as long as the signatures.

    Attributes:
        others: functions like `part`, each on another device; `stream` has them draw other parts at the same time.
    """

    def __init__(self, sample: Callable, decode: Callable, classes: tuple[str, ...] = (), keep: Any = None) -> None:
        self._sample, self._decode, self.classes, self._keep = sample, decode, tuple(classes), keep
        self.others: list[Callable] = []

    def draw(self, seed: int, count: int, label: int | None = None) -> np.ndarray:
        """Returns images generated from noise, float32 `(count, height, width, channels)` in [0, 1].

        Args:
            seed: integer from 0; equal seeds give equal images, from a run and from its export.
            count: number of images.
            label: index of their class; None draws equal parts of all classes, in order.
        """
        return self._drawn(seed, count, label)["images"]

    def stream(self, seed: int, count: int, label: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields the images of `draw` in parts, for more than memory holds.

        Yields:
            `(images, labels)`: float32 `(n, height, width, channels)`, n at most `LIMIT`, and int64 `(n,)`, the indices
            of their classes; without classes these are 0.
        """
        labels = self._labels(count, label)
        asked = ((seed, i, labels[part]) for i, part in enumerate(parts(count)))
        for (drawn, _), part in zip(spread([self.part, *self.others], asked), parts(count), strict=True):
            yield drawn, labels[part]

    def latents(self, seed: int, count: int, label: int | None = None) -> np.ndarray:
        """Returns the latents that `draw` uses, float32 `(count, size)`."""
        return self._drawn(seed, count, label)["latent"]

    def decode(self, latent: np.ndarray, label: int | None = None) -> np.ndarray:
        """Returns the images generated from latents `(count, size)`."""
        labels = self._labels(len(latent), label)
        return np.concatenate(
            [
                self._decode(
                    latent=tf.constant(latent[part], tf.float32),
                    **({"label": tf.constant(labels[part], tf.int64)} if self.classes else {}),
                )["images"].numpy()
                for part in parts(len(latent))
            ]
        )

    def labels(self, count: int) -> np.ndarray:
        """Returns the indices of the classes of the images of `draw(seed, count)`, int64 `(count,)`."""
        return self._labels(count, None)

    def index(self, name: str) -> int:
        """Returns the index of the class called `name`, or with that number.

        Raises:
            UsageError: there is no such class, or the generator has no classes.
        """
        if not self.classes:
            raise UsageError("--class needs a class-conditional generator, such as acgan; this one has no classes.")
        return class_number(name, self.classes, "--class")

    def sheet(self, count: int | None = None, label: int | None = None) -> tuple[int, int]:
        """Returns `(count, columns)` of a picture. If `count` and `label` are None, each row shows one class."""
        if self.classes and label is None and count is None:
            return sheet(self.classes)
        count = count or 64
        return count, math.ceil(math.sqrt(count))

    def _labels(self, count: int, label: int | None) -> np.ndarray:
        every = np.arange(count) * len(self.classes) // count
        return every if label is None else np.full(count, label)

    def _drawn(self, seed: int, count: int, label: int | None) -> dict[str, np.ndarray]:
        labels = self._labels(count, label)
        answers = [self.part((seed, i, labels[part])) for i, part in enumerate(parts(count))]
        images, latent = (np.concatenate(each) for each in zip(*answers, strict=True))
        return {"images": images, "latent": latent}

    def part(self, asked: tuple[int, int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Returns a part of a draw: images float32 `(n, height, width, channels)` in [0, 1], latents `(n, size)`.

        Args:
            asked: the seed of the draw, the number of the part, and the labels of its images, `(n,)`.
        """
        seed, number, labels = asked
        given = (
            {"label": tf.constant(labels, tf.int64)} if self.classes else {"count": tf.constant(len(labels), tf.int64)}
        )
        answer = self._sample(seed=tf.constant(seed + (number << 32), tf.int64), **given)
        return answer["images"].numpy(), answer["latent"].numpy()


def parts(count: int) -> list[slice]:
    """Returns slices of at most `LIMIT` elements that together cover `count` elements."""
    return [slice(start, min(start + requests.LIMIT, count)) for start in range(0, count, requests.LIMIT)]
