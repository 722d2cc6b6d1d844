"""cGANs with Projection Discriminator. Miyato and Koyama 2018, arXiv:1802.05637; code: pfnet-research/sngan_projection.

The best discriminator of images x with classes y is a sum of two log likelihood ratios (equation 2):

    f*(x, y) = log q(y | x) / p(y | x) + log q(x) / p(x),   q of the data, p of the generator

If log p(y | x) and log q(y | x) are linear in features phi(x), the discriminator has the form (equation 3)

    f(x, y) = y^T V phi(x) + psi(phi(x))

The row of V for the class is projected on the features; psi is a dense layer. The generator knows the class by
conditional batch norm: gains and biases are those of the class (`layers.ConditionalBatchNorm`). The losses are the
hinge losses of Miyato et al. 2018, and spectral norm keeps the discriminator Lipschitz, V too.

Recipe `sngan-projection`: the residual networks of `sngan-resnet` with these two changes, at 28, 32 and 64 pixels; at
64 pixels those of the code. Five discriminator steps for each generator step, batch 64, twice as many images in the
generator's turn, Adam 2e-4 (0, .9) whose rate falls linearly to 0. Give it `--dataset cifar10`; the appendix has FID
17.5 and an inception score of 8.62 there.

z ~ N(0, I). phi is the sum over all positions of the last maps. Classes of generated images are uniform. The gain of a
class starts at 1, its bias at 0; V is Glorot uniform. The generator's last batch norm does not depend on the class.

After `--dataset mnist --width 32 --discriminator-steps 1 --generator-batch 1 --learning-rate 1e-3 --steps 2500
--precision mixed_bfloat16`, stopped at step 2,060 (132,000 images, two cores), a classifier gives 98.7 % of 2,000
samples the class that was asked for. The paper has no such figure.

Deviations: those of `sngan-resnet`. Batch norm keeps .9 of its moving averages, as in all of kgen's networks.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import images, layers, optimizers
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AnyLossRecipe, ClassConditionalGame, LossName, named_classes
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.regularisation import Discriminated
from kgen.models.gan import GAN
from kgen.models.sngan import RESNETS, down_block, glorot, logit_layer
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images


class ProjectionGAN(ClassConditionalGame, GAN):
    """A `GAN` whose two networks are told the class. The discriminator takes `[images, labels]`.

    Args:
        generator_batch: images in the generator's turn, as a multiple of a batch.
        others: as in `ClassConditionalGame`.
    """

    def __init__(self, *args: Any, generator_batch: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.generator_batch = generator_batch

    def discriminate(self, batch: Tensor, labels: Tensor, training: bool = True) -> Tensor:
        """Returns the logits f(x, y), `(batch, 1)`, of images of these labels; images are first augmented."""
        return self.discriminator([self.seen(batch), labels], training=training)

    def discriminator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The discriminator compares images of their classes with generated ones of random classes. Returns scalars."""
        real, labels = batch
        wanted = self.some_labels(labels.shape[0])
        real_logits = self.discriminate(real, labels)
        fake = self.sample(wanted)
        fake_logits = self.discriminate(fake, wanted)
        loss = self.loss.discriminator(real_logits, fake_logits)
        values = {"discriminator": loss, **self.scores(real_logits, fake_logits)}
        return self.regularised(
            values, Discriminated(real, real_logits, (labels,)), Discriminated(fake, fake_logits, (wanted,))
        )

    def generator_turn(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """The generator makes `generator_batch` times as many images as the batch has. Returns its loss, a scalar."""
        real, labels = batch
        wanted = self.some_labels(self.generator_batch * labels.shape[0])
        fake_logits = self.discriminate(self.sample(wanted), wanted)
        real_logits = self.discriminate(real, labels) if self.loss.paired else None
        return {"generator": self.loss.generator_loss(real_logits, fake_logits)}


def generator(shape: tuple[int, ...], classes: int, latent_dim: int, width: int) -> "keras.Model":
    """Returns `[z, label]` -> images in [-1, 1] of `shape`."""
    start, multiples, _, _ = RESNETS[shape[0]]
    first, *others = [int(width * multiple) for multiple in multiples]
    z, label = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    x = keras.layers.Dense(start * start * first, kernel_initializer=glorot())(z)
    x = keras.layers.Reshape((start, start, first))(x)
    for channels in others:
        x = up_block(x, label, classes, channels)
    x = keras.layers.ReLU()(layers.BatchNorm()(x))
    x = keras.layers.Conv2D(shape[-1], 3, padding="same", kernel_initializer=glorot())(x)
    return keras.Model([z, label], keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def up_block(x: Tensor, label: Tensor, classes: int, channels: int) -> Tensor:
    """Returns `conv(relu(bn(conv(up(relu(bn(x))))))) + conv(up(x))`, with conditional batch norm; maps double."""
    y = keras.layers.ReLU()(conditional_norm(x, label, classes))
    y = layers.nearest(y, channels, 3, kernel_initializer=glorot(2.0))
    y = keras.layers.ReLU()(conditional_norm(y, label, classes))
    y = keras.layers.Conv2D(channels, 3, padding="same", kernel_initializer=glorot(2.0))(y)
    shortcut = keras.layers.Conv2D(channels, 1, kernel_initializer=glorot())(x)
    return keras.layers.Add()([y, layers.repeated(shortcut)])


def conditional_norm(x: Tensor, label: Tensor, classes: int) -> Tensor:
    """Returns x `(batch, height, width, channels)` after batch norm with the gains and biases of the labels."""
    gain = keras.layers.Embedding(classes, x.shape[-1], embeddings_initializer="ones")(label)
    bias = keras.layers.Embedding(classes, x.shape[-1], embeddings_initializer="zeros")(label)
    return layers.ConditionalBatchNorm()(x, gain, bias)


def discriminator(shape: tuple[int, ...], classes: int, width: int) -> "keras.Model":
    """Returns `[images, labels]` -> logits f(x, y), `(batch, 1)`. Figure 14 has a larger one."""
    _, _, multiples, halvings = RESNETS[shape[0]]
    image, label = keras.Input(shape), keras.Input((), dtype="int32")
    x = image
    for i, multiple in enumerate(multiples):
        x = down_block(x, int(width * multiple), halve=i < halvings, first=i == 0)
    features = keras.ops.sum(keras.layers.ReLU()(x), axis=(1, 2))
    return keras.Model([image, label], projected(features, label, classes), name="discriminator")


def projected(features: Tensor, label: Tensor, classes: int) -> Tensor:
    """Returns the logits `y^T V phi + psi(phi)`, `(batch, 1)`, of features phi `(batch, n)`. Equation 3."""
    embedding = keras.layers.Dense(features.shape[-1], use_bias=False, kernel_initializer=glorot(), dtype="float32")
    embedded = layers.SpectralNorm(embedding)(keras.ops.one_hot(label, classes))
    projection = keras.layers.Dot(1, dtype="float32")([embedded, features])
    return keras.layers.Add(dtype="float32")([projection, logit_layer(features, glorot())])


@dataclass(frozen=True, kw_only=True)
class ProjectionGANRecipe(AnyLossRecipe):
    """Projection discriminator and conditional batch norm, Miyato and Koyama 2018."""

    loss: LossName = "hinge"  # What the two players minimise.
    latent_dim: int = 128  # Size of z ~ N(0, I).
    width: int = 256  # Channels of the generator at 32 pixels, a multiple of 4.
    learning_rate: float = 2e-4  # Adam's, of both players, at the start; it falls linearly to 0 at --steps.
    beta1: float = 0.0  # Adam's.
    beta2: float = 0.9  # Adam's.
    generator_batch: int = 2  # Images in the generator's turn, as a multiple of --batch-size.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "generator_batch"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.width >= 4 and self.width % 4 == 0, "width", "a multiple of 4")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        for name in ("beta1", "beta2"):
            self.demand(0 <= getattr(self, name) < 1, name, "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `ProjectionGAN` for labelled images of this shape."""
        shape, names = checked(data.images.shape[1:], tuple(RESNETS)), named_classes(data)
        return ProjectionGAN(
            Player(generator(shape, len(names), self.latent_dim, self.width), self.adam(self.generator_steps)),
            Player(discriminator(shape, len(names), self.width), self.adam(self.discriminator_steps)),
            loss=self.adversarial_loss(),
            prior=Normal(self.latent_dim),
            image_range=images.SYMMETRIC,
            classes=names,
            generator_batch=self.generator_batch,
            **self.rules(),
        )

    def adam(self, moves: int) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer for a player that moves `moves` times in a training step."""
        rate = optimizers.LinearDecay(self.learning_rate, end=self.steps * moves)
        return keras.optimizers.Adam(rate, self.beta1, self.beta2, epsilon=1e-8)


RECIPES = {
    "sngan-projection": ProjectionGANRecipe(discriminator_steps=5, steps=50_000),
}
