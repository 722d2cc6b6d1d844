"""What metrics ask of models; the classes of `kgen.inference` have it."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np


class DrawsImages(Protocol):
    """The method of a generator that metrics call; a `TrainedGenerator` has it."""

    def stream(self, seed: int, count: int) -> Iterator[tuple[np.ndarray, Any]]:
        """Yields `(images, labels)` in parts: images float32 `(n, height, width, channels)` in [0, 1].

        Metrics do not look at the labels.
        """


class DrawsClasses(DrawsImages, Protocol):
    """What metrics ask of a class-conditional generator beside; a `TrainedGenerator` has it."""

    classes: tuple[str, ...]

    def labels(self, count: int) -> np.ndarray:
        """Returns the indices of the classes of the images of `draw(seed, count)`, integers `(count,)`."""


class DrawsLatents(DrawsImages, Protocol):
    """What metrics ask of a generator of latents beside; a `TrainedGenerator` has it."""

    def latents(self, seed: int, count: int) -> np.ndarray:
        """Returns the latents of `draw(seed, count)`, float32 `(count, size)`."""

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """Returns the images of latents, float32 `(n, height, width, channels)` in [0, 1]."""


class Encodes(Protocol):
    """The methods of an autoencoder that metrics call; a `TrainedAutoencoder` has them."""

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes `(n, size)` of uint8 images `(n, height, width, channels)`."""

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """Returns the images of codes, float32 `(n, height, width, channels)` in [0, 1]."""
