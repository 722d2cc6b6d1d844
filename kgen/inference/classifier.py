"""A trained classifier: its probabilities, and its features and logits for metrics."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kgen import images
from kgen.backend import tf
from kgen.errors import UsageError
from kgen.inference.generator import parts
from kgen.metrics.features import Network
from kgen.models.classifier import ClassifierRecipe
from kgen.runs import build, directory


class TrainedClassifier:
    """A classifier for arrays of any number of images.

    Args:
        probabilities: signature, see `kgen.core.signatures.classifier`.
        classes: names of the classes, in the order of the probabilities.
        keep: an object that must live as long as the signature.
    """

    def __init__(self, probabilities: Callable, classes: tuple[str, ...], keep: Any = None) -> None:
        self._probabilities, self.classes, self._keep = probabilities, classes, keep

    def probabilities(self, pictures: np.ndarray) -> np.ndarray:
        """Returns the probabilities of images, uint8 `(n, height, width, channels)`, as float32 `(n, classes)`."""
        unit = np.asarray(pictures, np.float32) / 255
        values = [tf.constant(unit[part]) for part in parts(len(unit))]
        return np.concatenate([self._probabilities(images=value)["probabilities"].numpy() for value in values])

    def classify(self, pictures: np.ndarray) -> np.ndarray:
        """Returns the most probable class of each image, an index, int64 `(n,)`."""
        return self.probabilities(pictures).argmax(axis=1)


def network(run: Path | str, shape: tuple[int, ...], classes: tuple[str, ...] | None = None) -> Network:
    """Returns the `kgen.metrics.features.Network` of a classifier's run.

    Args:
        run: directory of a run of the model `classifier`; its best weights are used.
        shape: `(height, width, channels)` of the images to be classified.
        classes: names of the classes, in the order that logits should have; None keeps the order of the run.

    Raises:
        UsageError: the run is of another model, or its images have another size or other classes. A classifier that
            lacks a class would assign the images of this class to its own classes.
    """
    recipe = directory.read_recipe(run)
    if not isinstance(recipe, ClassifierRecipe):
        raise UsageError(
            f"--classifier {run} is a run of {recipe.name}: give one of classifier, trained on the same dataset."
        )
    known_shape, known = directory.read_data(run)
    if known_shape[1:] != tuple(shape) or (classes is not None and set(known) != set(classes)):
        its = f"{'x'.join(map(str, known_shape[1:]))} of {', '.join(sorted(known))}"
        ours = "x".join(map(str, shape)) + (f" of {', '.join(sorted(classes))}" if classes is not None else "")
        raise UsageError(f"--classifier {run} knows images {its}, but these are {ours}: train one on the same dataset.")
    trainer, step = build.reopen(recipe, run)
    game = trainer.best_game()
    order = [game.classes.index(name) for name in classes or game.classes]
    head = game.classifier.get_layer("head")

    def look(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = game.encoder(images.from_bytes(pixels, game.range), training=False)
        return features.numpy(), head(features).numpy()[:, order]

    def of_unit(pictures: np.ndarray) -> np.ndarray:
        return game.encoder(images.from_unit(pictures, game.range), training=False).numpy()

    name = f"{recipe.dataset.partition(':')[0]}-classifier"
    weights = hashlib.sha256(b"".join(weight.tobytes() for weight in game.classifier.get_weights())).hexdigest()
    about = {"network": name, "run": str(run), "split": recipe.split, "step": step, "weights_sha256": weights}
    depends = ("encoder", tuple(game.range), tuple(order))
    return Network(name, look, about, of_unit=of_unit, depends=depends)
