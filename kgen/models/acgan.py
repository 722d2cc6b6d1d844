"""Conditional Image Synthesis With Auxiliary Classifier GANs. Odena, Olah, Shlens 2017, arXiv:1610.09585.

The discriminator has two heads. One says whether the image is real (log-likelihood L_S), the other says which class it
shows (log-likelihood L_C). The discriminator maximises L_S + L_C. The generator is given the class and maximises
L_C - L_S (section 3). So the generator is rewarded for images whose class can be recognised.

Recipe `acgan` has the networks and numbers of the well-known MNIST script of Keras (mnist_acgan), which follow the
paper's CIFAR-10 networks (table 2):
- generator: z has 100 numbers from U(-1, 1) and is multiplied by an embedding of the class; maps of 384, 192 and 96
  channels, kernels of 5, batch norm;
- discriminator: four 3x3 convolutions with dropout .3; the target of real images is .95 (one-sided label smoothing);
- Adam 2e-4 with beta1 .5, batch 100.

As in that script, the discriminator's class head learns from real images only, with weight 2. It would otherwise learn
to recognise the generator's mistakes. `--classify-generated` gives the paper's L_C, on real and generated images alike.

The labels of generated images are uniform.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kgen import images, layers
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AdversarialRecipe, ClassConditionalGame, named_classes
from kgen.core.game import Player
from kgen.core.priors import Uniform
from kgen.core.regularisation import Discriminated
from kgen.losses.adversarial import LOSSES, AdversarialLoss, smoothed_discriminator
from kgen.losses.classification import class_cross_entropy
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

SIZES = (28, 32, 64)


class ACGAN(ClassConditionalGame):
    """Odena et al. 2017, section 3. The discriminator's network returns `[logits, class_logits]`.

    Args:
        classify_generated: whether the discriminator's class head learns from generated images too.
        others: as in `ClassConditionalGame`.
    """

    def __init__(self, *args: Any, classify_generated: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.classify_generated = classify_generated
        self.reports += ("class_loss",)

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Yields `discriminator_steps` turns of the discriminator, then `generator_steps` turns of the generator."""
        for batch in batches[: self.discriminator_steps]:
            yield self.discriminator_turn, batch
        for batch in batches[-self.generator_steps :]:
            yield self.generator_turn, batch

    def logit(self, batch: Tensor, training: bool = True) -> Tensor:
        """Returns the logits `(batch, 1)` of images being real."""
        return self.discriminate(batch, training=training)[0]

    def discriminator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The discriminator tells real from generated images, and learns the classes. Returns scalars."""
        real, labels = batch
        wanted = self.some_labels(labels.shape[0])
        real_logits, real_classes = self.discriminate(real)
        fake = self.sample(wanted)
        fake_logits, fake_classes = self.discriminate(fake)
        classes = 2.0 * class_cross_entropy(labels, real_classes)
        if self.classify_generated:
            classes = class_cross_entropy(labels, real_classes) + class_cross_entropy(wanted, fake_classes)
        loss = self.loss.discriminator(real_logits, fake_logits) + classes
        values = {"discriminator": loss, "class_loss": classes, **self.scores(real_logits, fake_logits)}
        return self.regularised(values, Discriminated(real, real_logits), Discriminated(fake, fake_logits))

    def generator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The generator learns to make images that look real and show their class. Returns its loss, a scalar."""
        wanted = self.some_labels(batch[1].shape[0])
        logits, classes = self.discriminate(self.sample(wanted))
        return {"generator": self.loss.generator(logits) + class_cross_entropy(wanted, classes)}


def generator(shape: tuple[int, ...], classes: int, latent_dim: int, width: int) -> "keras.Model":
    """Returns `[z, label]` -> images in [-1, 1] of `shape`; the largest map has `width` channels."""
    z, label = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(classes, latent_dim, embeddings_initializer="glorot_normal")(label)
    start, maps = {28: (3, 3), 32: (4, 3), 64: (4, 4)}[shape[0]]
    widths = [width * 2**i for i in reversed(range(maps))]
    x = keras.layers.Dense(start * start * widths[0], activation="relu")(keras.layers.Multiply()([z, embedded]))
    x = keras.layers.Reshape((start, start, widths[0]))(x)
    for channels in widths[1:]:
        first = x.shape[1] == 3  # 3x3 becomes 7x7 without padding
        x = grown(x, channels, "relu", **({"strides": 1, "padding": "valid"} if first else {}))
        x = layers.BatchNorm(momentum=0.99, epsilon=1e-3)(x)
    x = grown(x, shape[-1], None)
    return keras.Model([z, label], keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def grown(x: Tensor, channels: int, activation: str | None, strides: int = 2, padding: str = "same") -> Tensor:
    """Returns a transposed convolution of 5x5 of x `(batch, height, width, channels)`."""
    return keras.layers.Conv2DTranspose(
        channels, 5, strides, padding, activation=activation, kernel_initializer="glorot_normal"
    )(x)


def discriminator(shape: tuple[int, ...], classes: int, width: int, dropout: float) -> "keras.Model":
    """Returns images -> `[logits (batch, 1), class_logits (batch, classes)]`; the first map has `width` channels."""
    image = x = keras.Input(shape)
    for i in range({28: 4, 32: 4, 64: 6}[shape[0]]):
        x = keras.layers.Conv2D(width * 2**i, 3, strides=1 + (i + 1) % 2, padding="same")(x)
        x = layers.Dropout(dropout)(keras.layers.LeakyReLU(0.2)(x))
    x = keras.layers.Flatten()(x)
    heads = [keras.layers.Dense(count, dtype="float32")(x) for count in (1, classes)]
    return keras.Model(image, heads, name="discriminator")


@dataclass(frozen=True, kw_only=True)
class ACGANRecipe(AdversarialRecipe):
    """Auxiliary Classifier GAN, Odena et al. 2017."""

    latent_dim: int = 100  # Size of z ~ U(-1, 1), and of the embedding of the class.
    width: int = 96  # Channels of the generator's largest map; doubled as maps halve.
    discriminator_width: int = 32  # Channels of the discriminator's first map; doubled in each of its convolutions.
    dropout: float = 0.3  # Dropout rate behind each convolution of the discriminator.
    real_target: float = 0.95  # Target of D(x) on real images, one-sided label smoothing; 1 is the paper's.
    classify_generated: bool = False  # Train the discriminator's class head on generated images too, as in the paper.
    learning_rate: float = 2e-4  # Adam's, of both players.
    beta1: float = 0.5  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "discriminator_width"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(0 <= self.dropout < 1, "dropout", "at least 0 and below 1")
        self.demand(0.5 < self.real_target <= 1, "real_target", "above 0.5 and at most 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        self.demand(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `ACGAN` for labelled images of this shape."""
        shape = checked(data.images.shape[1:], SIZES)
        names = named_classes(data)
        base = LOSSES["non_saturating"]
        return ACGAN(
            Player(generator(shape, len(names), self.latent_dim, self.width), self.adam()),
            Player(discriminator(shape, len(names), self.discriminator_width, self.dropout), self.adam()),
            loss=AdversarialLoss(partial(smoothed_discriminator, target=self.real_target), base.generator, base.score),
            prior=Uniform(self.latent_dim),
            image_range=images.SYMMETRIC,
            classes=names,
            classify_generated=self.classify_generated,
            **self.rules(),
        )

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=self.beta1, epsilon=1e-8)


RECIPES = {
    "acgan": ACGANRecipe(batch_size=100, steps=10_000),
}
