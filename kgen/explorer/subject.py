"""What the page explores: codes, the directions in which sliders move them, and the examples of a dataset."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from kgen import data
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.explorer.decoder import Decoder
from kgen.images.files import centre, decode, fit
from kgen.inference import loading
from kgen.inference.autoencoder import TrainedAutoencoder
from kgen.inference.generator import TrainedGenerator
from kgen.runs import build

# The most sliders, the codes from which directions are computed, and the frames of an animation in one direction.
SLIDERS, LOOKED_AT, FRAMES = 16, 512, 24

REACH, CELLS = 3.0, 11  # how far sliders and the map reach, in standard deviations; pictures in a row of the map


class Subject(Decoder):
    """A trained model that the page explores, from a run or an export.

    Args:
        name, source, autoencoder: as in `Decoder`.
        examples: images of the training data with their labels, or None.

    Attributes:
        centre: the code in the middle of all sliders, `(size,)`.
        directions: `(sliders, size)`, at right angles; each is as long as one standard deviation of random codes, or of
            the examples' codes if the model has no prior. A code of up to `SLIDERS` numbers has a slider for each
            number. Otherwise the directions are those of the greatest variance: of the examples' codes, or of the
            pictures of random codes if there are no examples.
        usual: the mean distance of such codes from the centre.
        encoded: the codes of the examples, `(n, size)`; n is 0 without examples.
    """

    def __init__(
        self,
        name: str,
        source: TrainedGenerator | None,
        autoencoder: TrainedAutoencoder | None,
        examples: data.Images | None,
    ) -> None:
        super().__init__(name, source, autoencoder)
        self.examples = examples
        self.encoded = autoencoder.encode(examples.images) if examples else np.empty((0, self.size), np.float32)
        codes = self._usual_codes()
        self.centre = np.zeros(self.size, np.float32) if source else codes.mean(axis=0)  # the mean of kgen's priors
        rows = np.eye(self.size, dtype=np.float32) if self.size <= SLIDERS else self._principal(codes)
        self.directions = (rows * np.maximum((codes @ rows.T).std(axis=0), 1e-6)[:, None]).astype(np.float32)
        self.usual = float(np.linalg.norm(codes - self.centre, axis=1).mean())

    @property
    def names(self) -> list[str]:
        """The names of the sliders."""
        word = "Number" if self.size <= SLIDERS else "Direction"
        return [f"{word} {number}" for number in range(1, len(self.directions) + 1)]

    def random(self, seed: int, label: int = 0) -> np.ndarray:
        """Returns a random code `(size,)`: from the prior of a generator, otherwise normal along the directions."""
        if self.source:
            return self.source.latents(seed, 1, self.of(label))[0]
        steps = np.random.default_rng(seed).standard_normal(len(self.directions)).astype(np.float32)
        return self.centre + steps @ self.directions

    def scaled(self, code: np.ndarray, share: float) -> np.ndarray:
        """Returns a code `(size,)` whose distance from the centre is multiplied by `share`; at 1 it is unchanged."""
        return code if share == 1 else (self.centre + np.float32(share) * (code - self.centre)).astype(np.float32)

    def moved(self, base: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Returns the code `base` moved by `steps`, `(sliders,)`: the standard deviations along each direction."""
        return (base + np.float32(steps) @ self.directions).astype(np.float32)

    def coordinates(self, codes: np.ndarray) -> np.ndarray:
        """Returns where codes `(..., size)` are, `(..., sliders)`: standard deviations from the centre."""
        squares = np.square(self.directions, dtype=np.float64).sum(axis=1)
        return ((codes - self.centre) @ self.directions.T.astype(np.float64) / squares).astype(np.float32)

    def plane(self, base: np.ndarray, across: int, up: int) -> np.ndarray:
        """Returns codes `(CELLS * CELLS, size)`: `base` with other steps along two directions, row by row.

        The steps are those of the middles of `CELLS x CELLS` squares that fill [-REACH, REACH] in both directions.
        The first row is the highest.
        """
        middles = ((np.arange(CELLS) + 0.5) / CELLS * 2 - 1) * REACH
        here = self.coordinates(base)
        steps = np.zeros((CELLS, CELLS, len(here)), np.float32)
        steps[..., up] = (middles[::-1] - here[up])[:, None]
        steps[..., across] = middles - here[across]  # which a code of one number has alone
        return self.moved(base, steps.reshape(-1, len(here)))

    def encode(self, contents: bytes) -> np.ndarray:
        """Returns the code `(size,)` of an image file, after its centre was cut out and scaled.

        Raises:
            UsageError: the file cannot be used.
        """
        shape = self.autoencoder.shape

        def scaled(picture: Image.Image) -> np.ndarray:
            picture = picture.convert("L" if shape[2] == 1 else "RGB")
            return fit(picture, shape[:2], centre(*picture.size, shape[:2]))

        try:
            pixels = decode(contents, then=scaled)
        except ValueError as error:
            raise UsageError(f"This picture cannot be used: {error}.") from None
        return self.autoencoder.encode(pixels[None])[0]

    def walk(self, first: np.ndarray, second: np.ndarray, label: int = 0) -> bytes:
        """Returns an animated GIF of the straight line between two codes `(size,)` and back, as the bytes of a file."""
        steps = np.linspace(0, 1, FRAMES, dtype=np.float32)[:, None]
        frames = self.pictures((1 - steps) * first + steps * second, label)
        shown = [Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame) for frame in [*frames, *frames[::-1]]]
        file = io.BytesIO()
        shown[0].save(file, "GIF", save_all=True, append_images=shown[1:], duration=80, loop=0)
        return file.getvalue()

    def _usual_codes(self) -> np.ndarray:
        """Returns codes `(n, size)` that say how far codes lie apart: random ones, or the examples' without a prior."""
        if self.source:
            return self.source.latents(0, LOOKED_AT)
        return self.encoded if self.examples else np.random.default_rng(0).standard_normal((LOOKED_AT, self.size), "f4")

    def _principal(self, codes: np.ndarray) -> np.ndarray:
        """Returns directions of length 1, `(sliders, size)`, see the class; `codes` are those of `_usual_codes`."""
        if self.examples:
            return np.linalg.svd(self.encoded - self.encoded.mean(axis=0), full_matrices=False)[2][:SLIDERS]
        pictures = self.pictures(codes).reshape(len(codes), -1).astype(np.float32)
        left, _, _ = np.linalg.svd(pictures - pictures.mean(axis=0), full_matrices=False)
        rows = np.linalg.lstsq(left[:, :SLIDERS], codes - codes.mean(axis=0), rcond=None)[0]
        turned, upper = np.linalg.qr(rows.T)  # at right angles, in the order of variance
        return (turned * np.where(np.diag(upper) < 0, -1, 1)).T


def of(path: Path | str, trust: bool = False) -> Subject:
    """Returns the `Subject` of a run directory, a checkpoint or an export; `trust` as in `kgen.load`."""
    model = loading.load(path, trust)
    generator, autoencoder = model.parts()
    return Subject(f"{path}", generator, autoencoder, _examples(model.recipe, autoencoder))


def _examples(recipe: Recipe | None, opened: TrainedAutoencoder | None) -> data.Images | None:
    """Returns up to `LOOKED_AT` images of a recipe's dataset; None if it would be downloaded or has another size."""
    if opened is None or recipe is None or not data.at_hand(recipe.dataset, recipe.data_dir):
        return None
    try:
        found = build.load(recipe)
    except UsageError:
        return None
    chosen = np.unique(np.linspace(0, len(found.images) - 1, LOOKED_AT).astype(int))  # of all classes, if it is sorted
    labels = None if found.labels is None else found.labels[chosen]
    return data.Images(found.images[chosen], labels, found.classes) if found.images.shape[1:] == opened.shape else None
