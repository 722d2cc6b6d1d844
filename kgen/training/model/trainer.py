"""The Keras model of a game: what users of Keras do with a model works with it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import Tensor, keras, tf
from kgen.callbacks.images_per_second import ImagesPerSecond
from kgen.errors import UsageError
from kgen.images import to_range
from kgen.inference import loading
from kgen.training.model import batches, checks, feed, monitors, players
from kgen.training.model.measures import Measures, as_bytes
from kgen.training.model.saved import SavedTrainer

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.training.model.origin import Origin

KERAS_BATCH = 32  # Keras's own default


@keras.saving.register_keras_serializable("kgen")
class Trainer(SavedTrainer):
    """A game as a `keras.Model`: `compile`, `fit`, `evaluate`, `predict`, `save`, `export` and Keras's callbacks.

    `kgen.create` makes one of a recipe. Images that it takes are uint8, or floating point in the range of the networks'
    images, `image_range`. `fit` logs each player's loss, and `loss`, their sum.

    Args:
        game, seed, ema, keep_best: as in `kgen.core.base_trainer.BaseTrainer`.
        origin: the recipe and the networks that it was made of, which `save` writes; None for a game made by hand.
    """

    def __init__(
        self,
        game: "Game",
        seed: int = 0,
        ema: float = 0.0,
        keep_best: bool = False,
        origin: "Origin | None" = None,
    ) -> None:
        super().__init__(game, seed, ema, keep_best)
        self.origin, self.measures, self.given_optimizers, self._spec = origin, Measures([]), {}, None

    @property
    def image_range(self) -> tuple[float, float]:
        """The least and the greatest value of floating-point images."""
        return tuple(self.game.range)

    def compile(
        self,
        optimizer: Any = None,
        loss: str | None = None,
        metrics: list | None = None,
        *,
        jit_compile: bool | None = None,
        steps_per_execution: int | None = None,
        run_eagerly: bool = False,
        inception: str | None = None,
        classifier: str | None = None,
        **optimizers: Any,
    ) -> None:
        """Prepares `fit`. What is left out stays as it is: players keep their optimizers.

        Args:
            optimizer: for every player that has no other; each gets one of its own.
            loss: name of a pair of adversarial losses, see `kgen.losses.adversarial.LOSSES`.
            metrics: for `evaluate` and `validation_data`: names of kgen's metrics such as `"kid"`, and metrics of
                Keras, which get real images and images of the model, both in [0, 1].
            jit_compile, steps_per_execution, run_eagerly: as in `keras.Model.compile`.
            inception: file of Inception's weights, for metrics of features.
            classifier: run directory of a classifier, for metrics of features.
            optimizers: of single players, such as `generator_optimizer`, or `g_optimizer` where one player begins so.

        Raises:
            UsageError: there is no such player, loss or metric.
        """
        given = jit_compile, steps_per_execution
        chosen = players.named(self.game, optimizer, optimizers)
        self.given_optimizers |= {name: keras.saving.serialize_keras_object(each) for name, each in chosen.items()}
        players.hand_out(self, chosen)
        if loss is not None:
            players.choose_loss(self.game, loss)
        if metrics is not None:
            self.measures = Measures(metrics, inception, classifier)
        before = (bool(self.jit_compile), int(self.steps_per_execution)) if self.compiled else (False, 1)
        jit, execution = (kept if new is None else new for new, kept in zip(given, before, strict=True))
        super().compile(jit, execution, run_eagerly)
        self.optimizer = players.PlayersOptimizers(self.game)

    def train_step(self, data: Tensor | tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Plays a step; also logs `loss`, the sum of the players' losses, which Keras's callbacks look for."""
        logs = super().train_step(data)
        return {"loss": tf.add_n([logs[f"{name}_loss"] for name in self.game.players]), **logs}

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: "int | str" = "auto",
        callbacks: list | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: None = None,
        sample_weight: None = None,
        **others: Any,
    ) -> "keras.callbacks.History":
        """Trains as `keras.Model.fit` does. A step takes `game.batches` batches.

        Args:
            x: images `(n, height, width, channels)`; or a `tf.data.Dataset`, a generator or a `PyDataset` of images, of
                batches, or of these with labels. A last step that they do not fill is filled with the first images.
            y: integer labels `(n,)` of an array.
            batch_size: images in a batch; None is the recipe's, or that of the dataset.
            shuffle: of arrays. The order is a function of the seed and the step. So training that goes on after
                loading equals training that never stopped.
            validation_data: images, `(images, labels)` or a dataset, for `evaluate` after epochs.
            others: as in `keras.Model.fit`.

        Raises:
            UsageError: images, labels or their range do not fit the model.
        """
        if class_weight is not None or sample_weight is not None:
            raise UsageError("A game has no weights of classes or images: leave class_weight and sample_weight out.")
        if self.best:
            raise UsageError("This trainer keeps the best weights of its run: go on with kgen.train(resume=...).")
        players.demand_same_weights(self.game)
        if validation_split and validation_data is None:
            (x, y), validation_data = feed.split_off(x, y, validation_split)
        held = feed.validation(self, validation_data, others.pop("validation_steps", None))
        size = batch_size or (self.origin.recipe.batch_size if self.origin else KERAS_BATCH)
        found = feed.feed(self, x, y, batch_size, size, shuffle, others.pop("steps_per_epoch", None))
        if self.game.fixed_images_shape and int(self.step.numpy()) == 0:
            self.show(as_bytes(self, found.first))
        if found.steps.element_spec != self._spec:  # TensorFlow would trace other batches with sizes that are not known
            self.train_function, self._turns, self._spec = None, {}, found.steps.element_spec
        between = [feed.BetweenEpochs()] if self.game.acts_between_epochs() else []
        history = super().fit(
            found.steps,
            epochs=epochs,
            verbose=verbose,
            callbacks=[found.begun, ImagesPerSecond(found.images_a_step), *between, *monitors.with_modes(callbacks)],
            validation_data=held,
            shuffle=False,
            steps_per_epoch=found.steps_per_epoch,
            **others,
        )
        players.finish(self.game)
        return history

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        verbose: "int | str" = "auto",
        sample_weight: None = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        _use_cached_eval_dataset: bool = False,
    ) -> "dict[str, float] | list[float] | float":
        """Measures the model on images that it was not trained on: see `kgen.training.model.measures.Measures`.

        Args:
            x, y: images and labels as in `fit`.
            batch_size, verbose: of Keras; a measurement is of all images, and shows no progress.
            steps: how many batches of a dataset to take; None takes all.
            callbacks: of Keras, told when it begins and ends.
            return_dict: whether to return `{name: value}`; otherwise the values, or the only value.
        """
        if sample_weight is not None:
            raise UsageError("Images have no weights here: leave sample_weight out.")
        watching = callbacks
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            watching = keras.callbacks.CallbackList(callbacks, model=self)
        watching.on_test_begin()
        found = self.measures(self, batches.all_of(self, x, y, steps))
        watching.on_test_end(found)
        values = list(found.values())
        return found if return_dict else values[0] if len(values) == 1 else values

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns `call` of many inputs, an array. Images are checked as in `fit`."""
        if self.game.fixed_images_shape is not None and batches.is_array(x):
            batches.demand_images(self, np.asarray(x))
        elif batches.is_array(x) and hasattr(x, "shape"):
            checks.demand_codes(x, self.game.prior.size)
        return super().predict(x, *args, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> None:
        """Raises UsageError: a step takes whole batches in an order, which `fit` gives it."""
        raise UsageError("A step of a game is played by fit(): fit(images, steps_per_epoch=1) plays one.")

    def call(self, inputs: Tensor) -> Tensor:
        """Returns what the exported networks make of their inputs at inference, in `image_range`; `predict` calls it.

        Args:
            inputs: latents `(batch, size)` of a generator, `[latents, labels]` of a class-conditional one; images of an
                autoencoder or a classifier. With `ema` the networks are the averaged ones.
        """
        images = self.game.fixed_images_shape is not None
        return self.best_game().call(to_range(inputs, self.game.range) if images else inputs)

    def sample(self, count: int = 64, seed: int = 0, label: int | None = None) -> np.ndarray:
        """Returns generated images, float32 `(count, height, width, channels)` in [0, 1]; equal seeds give equal ones.

        Args:
            count: number of images.
            seed: an integer from 0.
            label: index of their class; None draws equal parts of all classes, in order.

        Raises:
            UsageError: there is no such class, or no image is asked for.
        """
        if count < 1 or label not in (None, *range(len(self.game.classes))):
            raise UsageError(
                f"There is no image to draw: count {count}, label {label} of {len(self.game.classes)} classes."
            )
        return loading.of_game(self.best_game()).generator.draw(seed, count, label)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes of images as in `fit`, float32 `(n, size)`; of a variational encoder, their means."""
        return loading.of_game(self.best_game()).autoencoder.encode(self._bytes(images))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Returns the images of codes `(n, size)`, float32 `(n, height, width, channels)` in [0, 1]."""
        found = loading.of_game(self.best_game()).autoencoder
        checks.demand_codes(codes, found.size)
        return found.decode(codes)

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Returns `decode(encode(images))`, float32 `(n, height, width, channels)` in [0, 1]."""
        return loading.of_game(self.best_game()).autoencoder.reconstruct(self._bytes(images))

    def _bytes(self, images: np.ndarray) -> np.ndarray:
        found = np.asarray(images)
        batches.demand_images(self, found[..., None] if found.ndim == 3 else found)
        return as_bytes(self, found[..., None] if found.ndim == 3 else found)
