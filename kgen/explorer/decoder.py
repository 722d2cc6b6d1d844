"""What makes pictures of codes: the generator, or the decoder of an autoencoder, of a run or an export."""

from pathlib import Path

import numpy as np

from kgen import images
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.inference.autoencoder import TrainedAutoencoder
from kgen.inference.generator import TrainedGenerator


class Decoder:
    """A trained model that makes a picture of a code.

    Args:
        name: what messages and the page call it.
        source: the model's generator, or None.
        autoencoder: the model's autoencoder, or None. Only one of the two may be None.

    Attributes:
        classes: the names of the classes of a class-conditional generator, otherwise empty.
        size: how many numbers a code has.

    Raises:
        UsageError: there is neither a generator nor an autoencoder.
    """

    def __init__(self, name: str, source: TrainedGenerator | None, autoencoder: TrainedAutoencoder | None) -> None:
        if source is None and autoencoder is None:
            raise UsageError(f"{name} cannot be explored: it has neither a generator nor an encoder and a decoder.")
        self.name, self.source, self.autoencoder = name, source, autoencoder
        self.classes = source.classes if source else ()
        self.size = source.latents(0, 1, self.of(0)).shape[1] if source else autoencoder.size

    def picture(self, code: np.ndarray, label: int = 0) -> np.ndarray:
        """Returns the picture of a code `(size,)`, uint8 `(height, width, channels)`; `label` is its class."""
        return self.pictures(code[None], label)[0]

    def pictures(self, codes: np.ndarray, label: int = 0) -> np.ndarray:
        """Returns the pictures of codes `(n, size)`, uint8 `(n, height, width, channels)`."""
        decode = self.source or self.autoencoder
        return images.to_bytes(decode.decode(codes, self.of(label)) if self.classes else decode.decode(codes))

    def in_each_class(self, code: np.ndarray) -> np.ndarray:
        """Returns the pictures of one code `(size,)` in all classes, uint8 `(classes, height, width, channels)`."""
        codes = np.repeat(code[None], len(self.classes), axis=0)
        return images.to_bytes(self.source.decode(codes))  # of no given class it makes equal parts of all, in order

    def of(self, label: int) -> int | None:
        """Returns the class that the generator is told: `label`, or None if it is told no class."""
        return label if self.classes else None

    def checked(self, label: int) -> int:
        """Returns the number of a class; raises UsageError if there is no such class."""
        if not 0 <= label < max(len(self.classes), 1):
            known = f"from 0 to {len(self.classes) - 1}" if self.classes else "0, since this model has no classes"
            raise UsageError(f"label must be {known}.")
        return label


def beside(path: Path | str, first: Decoder, trust: bool = False) -> Decoder:
    """Returns the `Decoder` of a run, a checkpoint or an export that is shown beside `first`, of the same codes.

    Args:
        path: as in `kgen.load`.
        first: the model that is explored.
        trust: as in `kgen.load`.

    Raises:
        UsageError: a code or a class of `first` means nothing to the other model.
    """
    found = Decoder(f"{path}", *loading.load(path, trust).parts())
    if found.size != first.size:
        raise UsageError(
            f"--beside {path} has codes of {found.size} numbers and {first.name} of {first.size}: give a model whose "
            "codes are as long."
        )
    if found.classes != first.classes:
        raise UsageError(f"--beside {path} and {first.name} have different classes: give a model with the same ones.")
    return found
