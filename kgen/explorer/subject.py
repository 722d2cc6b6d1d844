"""What the page explores: codes, the directions in which sliders move them, and the pictures of codes."""

import base64
import binascii
import io
from pathlib import Path

import numpy as np
from PIL import Image

from kgen import data, images
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.images.files import centre, decode, fit
from kgen.inference import loading
from kgen.inference.autoencoder import TrainedAutoencoder
from kgen.inference.generator import TrainedGenerator
from kgen.runs import build

# The most sliders, the codes from which directions are computed, and the frames of an animation in one direction.
SLIDERS, LOOKED_AT, FRAMES = 16, 512, 24


class Subject:
    """A trained model that the page explores, from a run or an export.

    Args:
        name: the title of the page.
        source: the model's generator, or None.
        autoencoder: the model's autoencoder, or None. Only one of the two may be None.
        examples: uint8 images `(n, height, width, channels)` of the training data, or an empty sequence.

    Attributes:
        size: how many numbers a code has.
        centre: the code in the middle of all sliders, `(size,)`.
        directions: `(sliders, size)`; each is as long as one standard deviation. A code of up to `SLIDERS` numbers has
            a slider for each number. Otherwise the directions are those of the greatest variance: of the codes if
            there is an encoder, of the generated pictures if there is none.

    Raises:
        UsageError: there is neither a generator nor an autoencoder.
    """

    def __init__(
        self,
        name: str,
        source: TrainedGenerator | None,
        autoencoder: TrainedAutoencoder | None,
        examples: np.ndarray | tuple[()],
    ) -> None:
        if source is None and autoencoder is None:
            raise UsageError(f"{name} cannot be explored: it has neither a generator nor an encoder and a decoder.")
        self.name, self.source, self.autoencoder, self.examples = name, source, autoencoder, examples
        self.classes = source.classes if source else ()
        codes = self.codes()
        self.size, self.centre = codes.shape[1], codes.mean(axis=0)
        if self.source:
            self.centre = np.zeros_like(self.centre)  # the mean of all priors that generators of kgen have
        self.directions = self._directions(codes)

    def codes(self) -> np.ndarray:
        """Returns the codes `(n, size)` that directions are computed from: of the examples, or random ones."""
        if self.autoencoder and len(self.examples):
            return self.autoencoder.encode(self.examples)
        if self.source:
            return self.source.latents(0, LOOKED_AT)
        return np.random.default_rng(0).standard_normal((LOOKED_AT, self.autoencoder.size), np.float32)

    def picture(self, code: np.ndarray, label: int = 0) -> np.ndarray:
        """Returns the picture of a code `(size,)`, uint8 `(height, width, channels)`; `label` is its class."""
        return self.pictures(code[None], label)[0]

    def pictures(self, codes: np.ndarray, label: int = 0) -> np.ndarray:
        """Returns the pictures of codes `(n, size)`, uint8 `(n, height, width, channels)`."""
        decoded = (
            self.source.decode(codes, label if self.classes else None)
            if self.source
            else self.autoencoder.decode(codes)
        )
        return images.to_bytes(decoded)

    def random(self, seed: int, label: int = 0) -> np.ndarray:
        """Returns a random code `(size,)`: from the prior of a generator, otherwise normal along the directions."""
        if self.source:
            return self.source.latents(seed, 1, label if self.classes else None)[0]
        steps = np.random.default_rng(seed).standard_normal(len(self.directions)).astype(np.float32)
        return self.centre + steps @ self.directions

    def moved(self, base: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Returns the code `base` moved by `steps`, `(sliders,)`: the standard deviations along each direction."""
        return (base + np.float32(steps) @ self.directions).astype(np.float32)

    def encode(self, contents: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Returns `(code, pixels)` of an image file: its code `(size,)`, and the image as it was cropped and scaled.

        Raises:
            UsageError: the file cannot be used.
        """
        shape = self.autoencoder.shape
        try:
            picture = decode(contents)
        except ValueError as error:
            raise UsageError(f"This picture cannot be used: {error}.") from None
        picture = picture.convert("L" if shape[2] == 1 else "RGB")
        pixels = fit(picture, shape[:2], centre(*picture.size, shape[:2]))
        return self.autoencoder.encode(pixels[None])[0], pixels

    def walk(self, first: np.ndarray, second: np.ndarray, label: int = 0) -> bytes:
        """Returns an animated GIF of the straight line between two codes `(size,)` and back, as the bytes of a file."""
        steps = np.linspace(0, 1, FRAMES, dtype=np.float32)[:, None]
        frames = self.pictures((1 - steps) * first + steps * second, label)
        shown = [Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame) for frame in [*frames, *frames[::-1]]]
        file = io.BytesIO()
        shown[0].save(file, "GIF", save_all=True, append_images=shown[1:], duration=80, loop=0)
        return file.getvalue()

    def _directions(self, codes: np.ndarray) -> np.ndarray:
        """Returns the directions of the sliders, see the class, from codes `(n, size)`."""
        if self.size <= SLIDERS:
            return np.diag(np.maximum(codes.std(axis=0), 1e-6)).astype(np.float32)
        centred = codes - codes.mean(axis=0)
        if self.source is None or self.autoencoder:
            return _principal(centred)
        labels = 0 if self.classes else None
        pictures = self.source.decode(codes, labels).reshape(len(codes), -1)
        left, _, _ = np.linalg.svd(pictures - pictures.mean(axis=0), full_matrices=False)
        coordinates = left[:, :SLIDERS] * np.sqrt(len(codes))  # principal, of the pictures; of unit variance
        return np.linalg.lstsq(coordinates, centred, rcond=None)[0].astype(np.float32)


def _principal(centred: np.ndarray) -> np.ndarray:
    """Returns the first `SLIDERS` principal directions of centred codes, each as long as its standard deviation."""
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    return (values[:SLIDERS, None] / np.sqrt(len(centred)) * rows[:SLIDERS]).astype(np.float32)


def of(path: Path | str, trust: bool = False) -> Subject:
    """Returns the `Subject` of a run directory or an export; `trust` as in `kgen.load`."""
    model = loading.load(path, trust)
    generator = model.generator if model.draws else None
    autoencoder = model.autoencoder if model.encodes else None
    return Subject(f"{path}", generator, autoencoder, _examples(model.recipe, autoencoder))


def _examples(recipe: Recipe | None, opened: TrainedAutoencoder | None) -> np.ndarray | tuple[()]:
    """Returns up to `LOOKED_AT` images of a recipe's dataset; none if it would be downloaded or has another size."""
    if opened is None or recipe is None or not data.at_hand(recipe.dataset, recipe.data_dir):
        return ()
    try:
        found = build.load(recipe).images[:LOOKED_AT]
    except UsageError:
        return ()
    return found if found.shape[1:] == opened.shape else ()


def to_text(code: np.ndarray) -> str:
    """Returns a code `(size,)` as text for a URL: base64 of its float32 numbers."""
    return base64.urlsafe_b64encode(np.asarray(code, "<f4").tobytes()).decode().rstrip("=")


def from_text(text: str, size: int) -> np.ndarray:
    """Returns the code `(size,)` of a text from `to_text`; raises UsageError if it is not such a text."""
    try:
        code = np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "<f4")
    except (binascii.Error, ValueError):
        code = np.empty(0)
    if code.shape != (size,) or not np.isfinite(code).all():
        raise UsageError(f"The code of this address is not one of {size} numbers.")
    return code.astype(np.float32)
