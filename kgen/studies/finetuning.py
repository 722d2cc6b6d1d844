"""Supervised fine-tuning of a trained encoder to different depths."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgen import data
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.models.classifier import weighted_layers
from kgen.runs import directory
from kgen.studies import cross_validation

if TYPE_CHECKING:
    from kgen.backend import keras
    from kgen.core.recipe import Recipe
    from kgen.data import Images

# The autoencoder's values in student report 002, section 2.4: "again the best hyperparameters (without pruning)".
REPORT = {"learning_rate": 2.8927e-3, "l2": 6.5057e-7, "batch_size": 383, "patience": 13, "steps": 12_500}
SAME = ("dataset", "split", "data_dir", "image_size", "crop", "classes", "seed")  # as in the encoder's run


def recipe_for(run: Path) -> "Recipe":
    """Returns the recipe of a classifier on the encoder of a run; it trains on the same images as the run."""
    own = directory.read_recipe(run)
    taken = {name: getattr(own, name) for name in SAME}
    return dataclasses.replace(recipes.find("classifier"), **REPORT, **taken, start_from=run)


def layers_of(recipe: "Recipe") -> list[str]:
    """Returns the descriptions of the encoder's layers, from the code to the image, such as `dense 57`."""
    shape, classes = directory.read_data(recipe.start_from)
    encoder = recipe.encoder(data.Images(np.zeros((1, *shape[1:]), np.uint8), None, classes))
    return [described(layer) for layer in reversed(weighted_layers(encoder))]


def described(layer: "keras.Layer") -> str:
    """Returns a layer's kind and number of outputs, such as `dense 57` or `convolution 17`."""
    kind = {2: "dense", 4: "convolution"}.get(len(layer.output.shape), layer.name)
    return f"{kind} {layer.output.shape[-1]}"


def fine_tune(
    recipe: "Recipe", depths: tuple[int, ...], folder: Path, test: "Images"
) -> dict[int, list[dict[str, float]]]:
    """Trains every depth in every fold, in `folder/depth-<n>/fold-<i>`. Complete runs are not trained again.

    Args:
        recipe: of a classifier, with `start_from`.
        depths: numbers of the encoder's layers that are trained too, counted from the code; 0 trains none.
        folder: where the run directories are made.
        test: `kgen.data.Images`.

    Returns:
        `{depth: [result of each fold]}`, see `kgen.studies.cross_validation.train_fold`; None if interrupted.

    Source: student report 002, section 2.4 and table 2.
    """
    found = {}
    for depth in depths:
        own = dataclasses.replace(recipe, unfreeze=depth)
        found[depth] = []
        for fold in range(recipe.folds):
            result = cross_validation.train_fold(own, fold, folder / f"depth-{depth}" / f"fold-{fold}", test)
            if result is None:
                return None
            found[depth].append(result)
    return found


def table(found: dict[int, list[dict[str, float]]], names: list[str]) -> str:
    """Returns the report's table as Markdown: means over folds, and the standard deviation of the test accuracy."""
    rows = []
    for depth, results in found.items():
        deepest = names[depth - 1] if depth else "head"
        train, validation = (cross_validation.column(results, name)[0] for name in ("loss", "validation_cross_entropy"))
        rows.append([deepest, train, validation, *cross_validation.column(results, "test_accuracy")])
    return cross_validation.table(
        ["deepest layer that learns", "train loss", "validation loss", "test accuracy", "+-"], rows
    )


def check(depths: tuple[int, ...], names: list[str]) -> None:
    """Raises UsageError unless the encoder has at least as many layers as the greatest depth."""
    wrong = [depth for depth in depths if not 0 <= depth <= len(names)]
    if wrong:
        listed = ", ".join(names)
        raise UsageError(f"--depths must be from 0 to {len(names)} (from the code: {listed}), not {wrong[0]}.")
