"""Makes the evaluator for the flags of a recipe, or of `kgen evaluate`."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.backend import tf
from kgen.backend.spread import on
from kgen.data import cache
from kgen.errors import UsageError
from kgen.images.order import shared
from kgen.inference import classifier as classifiers
from kgen.metrics import evaluator, reference
from kgen.metrics.inception_network import inception
from kgen.runs import build

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe
    from kgen.data import Images
    from kgen.metrics.evaluator import Evaluator
    from kgen.metrics.evidence import Real
    from kgen.metrics.features import Network


def evaluator_of(recipe: "Recipe", seen: "Images", held: "Images | None") -> "Evaluator | None":
    """Returns the `kgen.metrics.evaluator.Evaluator` of a recipe, for use in training; None without `--evaluate`.

    Args:
        recipe: with `--evaluate-on` the evaluator compares with that split, otherwise with the images held out.
        seen: the training images.
        held: the images held out, or None.

    Raises:
        UsageError: a metric, a split, a classifier or a file of weights does not exist.
    """
    if not recipe.metrics:
        return None
    evaluator.known(recipe.metrics, "--evaluate")
    if recipe.best_by and not evaluator.all_metrics()[recipe.best_by].ranks:
        raise UsageError(f"--best-by cannot be {recipe.best_by}: neither a higher nor a lower number is better.")
    if recipe.evaluate_on:
        real = real_images(recipe, recipe.evaluate_on, recipe.metrics, lambda: seen)
        warn_of_training_images(real, seen)
    else:
        real = reference.of_held_out(held, recipe.dataset, recipe.split, recipe.metrics, seen)
    network = network_of(recipe.classifier, recipe.inception, real.images.shape[1:])
    kept = cache.directory()  # else every measurement would look at the real images again
    return evaluator.Evaluator(recipe.metrics, real, network, recipe.evaluate_count, recipe.seed, cache_dir=kept)


def warn_of_training_images(real: "Real", seen: "Images") -> None:
    """Warns if images `(n, ...)` to compare with, or to choose sigma by, are also training images."""
    for what, pictures in (("to compare with", real.images), ("to choose sigma by", real.validation)):
        count = 0 if pictures is None else shared(pictures, seen.images)
        if count:
            warnings.warn(
                f"{count} of {len(pictures)} real images {what} are training images: a model that repeats them scores "
                "too well.",
                stacklevel=2,
            )


def real_images(recipe: "Recipe", split: str, metrics: list[str], trained_on: Callable) -> "Real":
    """Returns the `kgen.metrics.evidence.Real` of a split of a recipe's dataset.

    Args:
        recipe: with the dataset.
        split: of the images to compare with.
        metrics: names of metrics.
        trained_on: function to the training images, `kgen.data.Images`; called if a metric needs them.
    """
    return reference.real(lambda part: images_of(recipe, part), recipe.dataset, split, metrics, trained_on)


def images_of(recipe: "Recipe", split: str) -> "Images":
    """Returns the images of a split of a recipe's dataset, `kgen.data.Images`, perhaps in a file."""
    return build.load(dataclasses.replace(recipe, split=split), in_memory=False)


def network_on(
    others: list[str], classifier: Path | None, weights: Path | None, shape: tuple[int, ...]
) -> "Network | None":
    """Returns what `network_of` does; it also looks on other devices, named such as `GPU:1`, at the same time."""
    found, looks = network_of(classifier, weights, shape), []
    for device in others if found else ():
        with tf.device(device):
            looks.append(on(device, network_of(classifier, weights, shape).look))
    return found and found._replace(others=tuple(looks))


def training_images(recipe: "Recipe") -> "Images":
    """Returns the `kgen.data.Images` that a recipe trains on, without those that it holds out."""
    return recipe.divide(images_of(recipe, recipe.split))[0]


def network_of(classifier: Path | None, weights: Path | None, shape: tuple[int, ...]) -> "Network | None":
    """Returns the `kgen.metrics.features.Network` whose features metrics take; None if both paths are None.

    Args:
        classifier: run directory of a classifier, or None.
        weights: `.npz` of the 2015 Inception, or None.
        shape: `(height, width, channels)` of the images.
    """
    if classifier:
        return classifiers.network(classifier, shape)
    return inception(weights) if weights else None
