"""A classifier: an encoder and a linear layer on its code. Fine-tuning: Hinton and Salakhutdinov 2006.

The network minimises the cross-entropy of the softmax of its logits, `-log p(label | image)`. With `--start-from RUN`
the encoder is that of a trained run, such as an autoencoder. `--unfreeze n` says how many of the encoder's layers learn
along with the linear layer, counted from the code: 0 is a linear probe, all of them (the default) is fine-tuning. In
this way student report 002 measured what its autoencoder had learnt (`scripts/finetune.py` prints its table). Dropout
in the encoder stays active in training. This is why the report's training loss may lie above its validation loss.

Without `--start-from` the encoder is a new convolutional network: 3x3 convolutions with batch norm, which halve the
maps twice, and 128 features. Metrics use these features of generated images.

Sources: Hinton and Salakhutdinov 2006, Science 313; Salimans et al. 2016, arXiv:1606.03498, whose Inception Score
needs a classifier; batch norm, arXiv:1502.03167.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import images, layers, optimizers
from kgen.augmentation.affine import STRONG, distorted
from kgen.backend import Tensor, keras, tf
from kgen.core import recipe as recipes
from kgen.core import signatures
from kgen.core.adversarial import named_classes
from kgen.core.game import Game, Player, copy_weights
from kgen.core.held_out import HeldOutRecipe
from kgen.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from kgen.data import Images

EXAMPLES = 10  # images of each class on the sheet


class Classifier(Game):
    """One player, the classifier; its layer `encoder` is a network of its own.

    Args:
        player: images in [0, 1] -> logits `(batch, classes)`.
        classes: names of the classes.
        distort: whether images are rotated, zoomed and shifted in training.
    """

    labelled = True
    range = images.UNIT
    exported = ("classifier",)
    reports = ("accuracy",)

    def __init__(self, player: Player, classes: tuple[str, ...], distort: bool = False) -> None:
        self.fixed_images_shape = (EXAMPLES * len(classes), *player.network.input_shape[1:])
        super().__init__(classifier=player)
        self.classes, self.distort = classes, distort

    @property
    def encoder(self) -> "keras.Model":
        """Images in [0, 1] -> codes `(batch, size)`."""
        return self.classifier.get_layer("encoder")

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The classifier moves."""
        yield self.turn, batches[0]

    def turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Returns the mean cross-entropy of a batch in nats and the share of right classes, scalars."""
        pictures, labels = batch
        pictures = distorted(pictures, STRONG) if self.distort else pictures
        loss, right = judged(self.classifier(pictures, training=True), labels)
        return {"classifier": keras.ops.mean(loss), "accuracy": keras.ops.mean(right)}

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the probabilities `(batch, classes)` of images in [0, 1]."""
        return keras.ops.softmax(self.classifier(inputs, training=False))

    def measures(self, batch: "tuple[Tensor | np.ndarray, ...]") -> dict[str, Tensor]:
        """Returns `{name: (batch,)}` of `(images, labels)`: cross-entropy in nats, and 1 where the class is right."""
        pictures, labels = batch
        loss, right = judged(self.classifier(pictures, training=False), labels)
        return {"cross_entropy": loss, "accuracy": right}

    def start_from(self, other: Game) -> None:
        """Takes the whole network of another classifier of this shape, or the encoder of any other game."""
        if isinstance(other, Classifier):
            return super().start_from(other)
        return copy_weights(getattr(other, "encoder", None), self.encoder)

    def pictures(self, count: int) -> Tensor:
        """Returns the example images, float32 `(count, ...)`, ordered by their predicted class."""
        module, _ = self.served
        pictures = images.from_bytes(tf.convert_to_tensor(self.examples), self.range)[:256]
        order = tf.argsort(module.classify(pictures)["label"], stable=True)
        return tf.gather(pictures, tf.gather(order, tf.range(count) % len(order)))

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.classifier` of the network."""
        return signatures.classifier(self.classifier, self.range)


def judged(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the cross-entropy of each image in nats, and 1 where its label is the most probable class; `(batch,)`."""
    logits = keras.ops.cast(logits, "float32")
    loss = keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return loss, keras.ops.cast(keras.ops.equal(keras.ops.argmax(logits, axis=-1), labels), "float32")


def convolutional(shape: tuple[int, ...], width: int, features: int, dropout: float) -> "keras.Model":
    """Returns images of `shape` -> features `(batch, features)`, after ReLU. Each pair of convolutions halves maps."""
    image = x = keras.Input(shape)
    for channels, stride in ((width, 1), (width, 2), (2 * width, 1), (2 * width, 2)):
        x = keras.layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(layers.BatchNorm()(x))
    x = layers.Dropout(dropout)(keras.layers.Flatten()(x))
    return keras.Model(image, keras.layers.Dense(features, "relu")(x), name="encoder")


def weighted_layers(network: "keras.Model") -> list:
    """Returns the layers of a network that have weights, from its input to its output."""
    return [layer for layer in network.layers if layer.weights]


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(HeldOutRecipe):
    """Classifier: a convolutional one, or a linear layer on the encoder of another run (--start-from)."""

    unfreeze: int | None = None  # How many layers of the encoder learn too, counted from its code; all when not given.
    encoder_dropout: float | None = None  # Dropout rate in the encoder of --start-from; as in that run if not given.
    width: int = 32  # Channels of the first convolutions of a new encoder (without --start-from).
    features: int = 128  # Size of a new encoder's code.
    dropout: float = 0.4  # Dropout rate before the layer that makes a new encoder's code.
    distort: bool = False  # Whether all images are rotated, zoomed and shifted in training.
    learning_rate: float = 1e-3  # Adam's.
    anneal: bool = False  # Whether the learning rate falls linearly to 0 over the steps.
    l2: float = 0.0  # Weight decay added to the gradient.

    def __post_init__(self) -> None:
        super().__post_init__()
        known = self.unfreeze is None or (self.unfreeze >= 0 and self.start_from is not None)
        self.demand(known, "unfreeze", "0 or more, and only given with --start-from")
        rate = self.encoder_dropout
        known = rate is None or (0 <= rate < 1 and self.start_from is not None)
        self.demand(known, "encoder_dropout", "at least 0 and below 1, and only given with --start-from")
        for name in ("width", "features"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(0 <= self.dropout < 1, "dropout", "at least 0 and below 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        self.demand(self.l2 >= 0, "l2", "0 or more")

    def game(self, data: "Images") -> Game:
        """Returns the `Classifier` on the encoder of a run, or on a new one, for labelled images."""
        names, encoder = named_classes(data), self.encoder(data)
        found = weighted_layers(encoder)
        if self.unfreeze is not None:
            self.demand(self.unfreeze <= len(found), "unfreeze", f"at most {len(found)}, the encoder's layers")
        for number, layer in enumerate(reversed(found)):  # set for each layer: another classifier may have frozen it
            layer.trainable = self.unfreeze is None or number < self.unfreeze
        image = keras.Input(data.images.shape[1:])
        network = keras.Model(
            image, keras.layers.Dense(len(names), name="head", dtype="float32")(encoder(image)), name="classifier"
        )
        return Classifier(Player(network, self.optimizer(), self.l2), names, self.distort)

    def optimizer(self) -> "keras.optimizers.Optimizer":
        """Returns a new Adam."""
        rate = optimizers.LinearDecay(self.learning_rate, self.steps) if self.anneal else self.learning_rate
        return keras.optimizers.Adam(rate, epsilon=1e-8)

    def encoder(self, data: "Images") -> "keras.Model":
        """Returns an untrained encoder, with the layers of the run of --start-from or a new one."""
        if self.start_from is None:
            return convolutional(data.images.shape[1:], self.width, self.features, self.dropout)
        file = self.start_from / "recipe.json"
        if not file.is_file():
            raise UsageError(f"--start-from {self.start_from}: there is no recipe.json, so it is not a run directory.")
        other = recipes.from_json(file.read_text(errors="replace"), file)
        if self.encoder_dropout is not None:
            drops = getattr(other, "encoder_dropout", None) is not None
            self.demand(drops, "encoder_dropout", "left out, since the recipe of --start-from has none")
            other = dataclasses.replace(other, encoder_dropout=self.encoder_dropout)
        encoder = getattr(other.game(data), "encoder", None)
        if encoder is None:
            raise UsageError(f"--start-from {self.start_from}: its model has no encoder.")
        return encoder


RECIPES = {"classifier": ClassifierRecipe(steps=10_000, patience=10)}
