"""Losses of autoencoders under noises, whether they were trained with these or not: table 1 of report 002."""

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """Returns a game whose encoder sees other noise: `clean`, or a text for `kgen.augmentation.noise.parse`."""
    other = copy.copy(game)
    other.noises = [] if text == "clean" else noise.parse(text)
    return other


def test_losses(games: tuple[Autoencoder, ...], texts: tuple[str, ...], test: "Images", seed: int = 0) -> np.ndarray:
    """Returns the mean loss of every game on images with every noise, `(games, noises)`.

    Args:
        games: autoencoders; all are measured by the loss that the first one was trained with.
        texts: noises or `clean`, see `seeing`.
        test: `kgen.data.Images` without noise, which reconstructions are compared with.
        seed: of the noise, the same for all games.
    """
    name = games[0].loss
    return np.array([[Measure(seeing(game, text), test, seed)()[name] for text in texts] for game in games])


def table(losses: np.ndarray, recipes: "tuple[Recipe, ...]", names: list[str], texts: tuple[str, ...]) -> str:
    """Returns losses `(runs, noises)` as a Markdown table; the row of a run also has the noise it was trained with."""
    rows = [
        [name, recipe.noise or "-", *map(float, row)] for name, recipe, row in zip(names, recipes, losses, strict=True)
    ]
    return cross_validation.table(["run", "trained against", *texts], rows)


def figures(losses: np.ndarray, runs: list[Path], texts: tuple[str, ...], loss: str) -> list[dict[str, Any]]:
    """Returns losses `(runs, noises)` for JSON: for each run `run`, the name of the `loss`, and `losses` by noise."""
    return [
        {"run": str(run), "loss": loss, "losses": dict(zip(texts, map(float, row), strict=True))}
        for run, row in zip(runs, losses, strict=True)
    ]


def picture(games: Sequence[Autoencoder], texts: Sequence[str], test: "Images", seed: int = 0) -> np.ndarray:
    """Returns a picture, uint8 `(height, width, channels)`: for each noise a row of noisy images.

    Below it each game has a row of its reconstructions, in the order of the games.
    """
    clean = tf.constant(test.images[:SHOWN])
    rows = []
    for text in texts:
        with Rng(seed):
            seen = noise.add(images.from_bytes(clean, games[0].range), seeing(games[0], text).noises)
        rows += [seen, *(game.served[0].reconstruct(seen)["images"] for game in games)]
    return images.grid(images.to_bytes(np.concatenate([row.numpy() for row in rows])), len(clean))


def test_images(recipe: "Recipe", split: str) -> "Images":
    """Returns the images of a split of the dataset that a run was trained on."""
    return build.load(dataclasses.replace(recipe, split=split))
