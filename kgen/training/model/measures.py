"""What `evaluate` measures: the game's own measures, kgen's metrics by name, and metrics of Keras."""

from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import keras, tf
from kgen.core.game import Game
from kgen.core.validation import Measure
from kgen.data import Images
from kgen.errors import UsageError
from kgen.images import to_bytes, to_unit
from kgen.inference import classifier as classifiers
from kgen.inference import loading
from kgen.metrics import evaluator, reference
from kgen.metrics.inception_network import inception

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer

PART = 256  # images at a time


class Measures:
    """What `compile(metrics=...)` asked for.

    Args:
        metrics: names of kgen's metrics, and metrics of Keras. A metric of Keras gets images in [0, 1]: the real ones,
            and as many of the model, which are reconstructions where there is an encoder and drawn ones otherwise. Of a
            classifier it gets labels and probabilities.
        inception: file of the weights of the 2015 Inception, for metrics of features; or None.
        classifier: run directory of a classifier, for metrics of features; or None.

    Raises:
        UsageError: there is no metric of that name.
    """

    def __init__(self, metrics: list, inception: str | None = None, classifier: str | None = None) -> None:
        self.names = [metric for metric in metrics if isinstance(metric, str)]
        self.of_keras = [metric for metric in metrics if not isinstance(metric, str)]
        self.inception, self.classifier = inception, classifier
        if self.names:
            evaluator.known(self.names, "metrics")
        odd = [metric for metric in self.of_keras if not isinstance(metric, keras.metrics.Metric)]
        if odd:
            raise UsageError(f"A metric is a name or a keras.metrics.Metric, not {type(odd[0]).__name__}.")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments as JSON, metrics of Keras as Keras serializes them."""
        kept = [keras.saving.serialize_keras_object(metric) for metric in self.of_keras]
        paths = {"inception": self.inception, "classifier": self.classifier}
        return {"metrics": [*self.names, *kept], **{name: path and str(path) for name, path in paths.items()}}

    @staticmethod
    def from_config(config: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments that `get_config` described."""
        found = [
            each if isinstance(each, str) else keras.saving.deserialize_keras_object(each) for each in config["metrics"]
        ]
        return {**config, "metrics": found}

    def __call__(self, trainer: "BaseTrainer", data: Images) -> dict[str, float]:
        """Returns `{name: value}` of a trainer on images, `loss` first where the game has a loss on images."""
        found = own(trainer, data)
        found |= self._of_keras(trainer, data)
        names = self.names or ([] if found else ["mmd"])
        if names:
            found |= self._of_kgen(trainer, data, names)
        return found

    def _of_kgen(self, trainer: "BaseTrainer", data: Images, names: list[str]) -> dict[str, float]:
        real = reference.of_held_out(
            data._replace(images=as_bytes(trainer, data.images)), "images", "evaluate()", names
        )
        measured = evaluator.Evaluator(names, real, self._network(data), len(data.images), trainer.seed)
        found = measured(*loading.of_game(trainer.best_game()).parts())
        return {each.name: each.value for several in found.values() for each in several}

    def _network(self, data: Images) -> Any:
        if self.classifier:
            return classifiers.network(self.classifier, data.images.shape[1:])
        return inception(self.inception) if self.inception else None

    def _of_keras(self, trainer: "BaseTrainer", data: Images) -> dict[str, float]:
        if not self.of_keras:
            return {}
        real, made = compared(trainer, data)
        found = {}
        for metric in self.of_keras:
            metric.reset_state()
            for start in range(0, len(real), PART):
                part = slice(start, start + PART)
                metric.update_state(tf.constant(real[part]), tf.constant(made[part]))
            found[metric.name] = float(metric.result())
        return found


def compared(trainer: "BaseTrainer", data: Images) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a metric of Keras compares: real and made images `(n, ...)` in [0, 1]; or labels, probabilities."""
    real, model = as_bytes(trainer, data.images), loading.of_game(trainer.best_game())
    if "probabilities" in model.signatures:
        return data.labels, trainer.predict(real, verbose=0)
    made = model.autoencoder.reconstruct(real) if model.encodes else model.generator.draw(trainer.seed, len(real))
    return real / np.float32(255), made


def own(trainer: "BaseTrainer", data: Images) -> dict[str, float]:
    """Returns the game's measures of images, or the error of reconstructions; `loss` is the first. None: no measures.

    The error is the mean squared error of a pixel, in [0, 1].
    """
    game = trainer.best_game()
    if type(game).measures is not Game.measures:
        found = Measure(game, data, trainer.seed)()
        return {"loss": next(iter(found.values())), **{name: each for name, each in found.items() if name != "loss"}}
    model = loading.of_game(game)
    if not model.encodes:
        return {}
    real = as_bytes(trainer, data.images)
    error = np.mean((model.autoencoder.reconstruct(real) - real / np.float32(255)) ** 2, dtype=np.float64)
    return {"loss": float(error), "squared_error": float(error)}


def as_bytes(trainer: "BaseTrainer", images: np.ndarray) -> np.ndarray:
    """Returns images as uint8 of the same shape; floating-point ones, in the trainer's range, are rounded."""
    return images if images.dtype == np.uint8 else to_bytes(to_unit(images, trainer.game.range))
