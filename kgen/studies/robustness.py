"""The losses of autoencoders on noises that they were, or were not, trained against: table 1 of report 002."""

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgen import images
from kgen.augmentation import noise
from kgen.backend import tf
from kgen.core.validation import Measure
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.models.autoencoder import Autoencoder
from kgen.rng import Rng
from kgen.runs import build
from kgen.studies import cross_validation

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe
    from kgen.data import Images

SHOWN = 12  # images in a row of the picture


def opened(run: Path) -> "tuple[Autoencoder, Recipe]":
    """Returns `(game, recipe)` of a run's newest checkpoint; raises UsageError unless it is an autoencoder's."""
    model = loading.load(run)
    if not isinstance(model.game, Autoencoder):
        raise UsageError(f"{run} is no autoencoder that can see noise: give runs of autoencoder or denoising.")
    return model.game, model.recipe


def seeing(game: Autoencoder, text: str) -> Autoencoder:
    """Returns a game whose encoder sees other noise, a text that `kgen.augmentation.noise.parse` reads or `clean`."""
    other = copy.copy(game)
    other.noises = [] if text == "clean" else noise.parse(text)
    return other


def test_losses(games: tuple[Autoencoder, ...], texts: tuple[str, ...], test: "Images", seed: int = 0) -> np.ndarray:
    """Returns the mean loss of every game on images under every noise, `(games, noises)`.

    Args:
        games: autoencoders; all are measured by what the first one was trained to minimise.
        texts: noises, and `clean`.
        test: `kgen.data.Images`, the clean ones, which reconstructions are compared with.
        seed: of the noise, the same for all games.
    """
    name = games[0].loss
    return np.array([[Measure(seeing(game, text), test, seed)()[name] for text in texts] for game in games])


def table(losses: np.ndarray, recipes: "tuple[Recipe, ...]", names: list[str], texts: tuple[str, ...]) -> str:
    """Returns losses `(runs, noises)` as a Markdown table, a row for each run with what it was trained against."""
    rows = [
        [name, recipe.noise or "-", *map(float, row)] for name, recipe, row in zip(names, recipes, losses, strict=True)
    ]
    return cross_validation.table(["run", "trained against", *texts], rows)


def picture(games: Sequence[Autoencoder], texts: Sequence[str], test: "Images", seed: int = 0) -> np.ndarray:
    """Returns a picture, uint8 `(height, width, channels)`: for each noise a row that is seen, then one for each game.

    The rows below what is seen are the reconstructions, in the order of the games.
    """
    clean = tf.constant(test.images[:SHOWN])
    rows = []
    for text in texts:
        with Rng(seed):
            seen = noise.add(images.from_bytes(clean, games[0].range), seeing(games[0], text).noises)
        rows += [seen, *(game.served[0].reconstruct(seen)["images"] for game in games)]
    return images.grid(images.to_bytes(np.concatenate([row.numpy() for row in rows])), len(clean))


def test_images(recipe: "Recipe", split: str) -> "Images":
    """Returns the images of a split of what a run was trained on."""
    return build.load(dataclasses.replace(recipe, split=split))
