"""Self-Attention Generative Adversarial Networks. Zhang et al. 2019, arXiv:1805.08318.

A convolution sees a neighbourhood. A layer of self-attention lets each position of a map take features from all others
(equations 1 to 3, `layers.SelfAttention`); it starts as the identity. Both networks have one. Two techniques make the
training stable (section 4): spectral norm in the generator too, and two time scales. The discriminator learns at 4e-4
and the generator at 1e-4, so one discriminator step for each generator step is enough.

The rest is that of `kgen.models.sngan_projection`: residual blocks, conditional batch norm in the generator, a
projection of the class in the discriminator, and the hinge losses (equation 4).

Recipe `sagan`: at 28, 32 and 64 pixels; give it `--dataset cifar10`. Attention is at the map of half the image's size;
the paper's best is at 32x32 of 128. Adam (0, .9), z ~ N(0, I) of 128 numbers.

Deviations: the paper has ImageNet at 128 pixels, batch 256, and larger networks. Its code halves the maps of f and h by
max pooling; here they are whole, as in the paper's equations. Gains and biases of classes have no spectral norm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgen import images, layers
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AnyLossRecipe, LossName, named_classes
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.models.sngan import RESNETS, convolution, down_block, glorot
from kgen.models.sngan_projection import ProjectionGAN, conditional_norm, projected
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images


def generator(shape: tuple[int, ...], classes: int, latent_dim: int, width: int) -> "keras.Model":
    """Returns `[z, label]` -> images in [-1, 1] of `shape`, with attention before the last block."""
    start, multiples, _, _ = RESNETS[shape[0]]
    first, *others = [int(width * multiple) for multiple in multiples]
    z, label = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    x = layers.SpectralNorm(keras.layers.Dense(start * start * first, kernel_initializer=glorot()))(z)
    x = keras.layers.Reshape((start, start, first))(x)
    for channels in others:
        x = layers.SelfAttention()(x) if x.shape[1] == shape[0] // 2 else x
        x = up_block(x, channels, lambda maps: conditional_norm(maps, label, classes))
    x = convolution(keras.layers.ReLU()(layers.BatchNorm()(x)), shape[-1], 3, glorot())
    return keras.Model([z, label], keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def up_block(x: Tensor, channels: int, norm: Callable) -> Tensor:
    """Returns `conv(relu(norm(conv(up(relu(norm(x))))))) + conv(up(x))`, with spectral norm; maps double."""
    y = convolution(layers.repeated(keras.layers.ReLU()(norm(x))), channels, 3, glorot(2.0))
    y = convolution(keras.layers.ReLU()(norm(y)), channels, 3, glorot(2.0))
    return keras.layers.Add()([y, layers.repeated(convolution(x, channels, 1, glorot()))])


def discriminator(shape: tuple[int, ...], classes: int, width: int) -> "keras.Model":
    """Returns `[images, labels]` -> logits `(batch, 1)`, with attention behind the first block."""
    _, _, multiples, halvings = RESNETS[shape[0]]
    image, label = keras.Input(shape), keras.Input((), dtype="int32")
    x = image
    for i, multiple in enumerate(multiples):
        x = down_block(x, int(width * multiple), halve=i < halvings, first=i == 0)
        x = x if i else layers.SelfAttention()(x)
    features = keras.ops.sum(keras.layers.ReLU()(x), axis=(1, 2))
    return keras.Model([image, label], projected(features, label, classes), name="discriminator")


@dataclass(frozen=True, kw_only=True)
class SAGANRecipe(AnyLossRecipe):
    """Self-attention GAN, Zhang et al. 2019."""

    loss: LossName = "hinge"  # What the two players minimise; equation 4.
    latent_dim: int = 128  # Size of z ~ N(0, I).
    width: int = 256  # Channels of the generator at 32 pixels, a multiple of 4.
    generator_learning_rate: float = 1e-4  # Adam's, of the generator.
    discriminator_learning_rate: float = 4e-4  # Adam's, of the discriminator.
    beta1: float = 0.0  # Adam's.
    beta2: float = 0.9  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.latent_dim >= 1, "latent_dim", "at least 1")
        self.demand(self.width >= 4 and self.width % 4 == 0, "width", "a multiple of 4")
        for name in ("generator_learning_rate", "discriminator_learning_rate"):
            self.demand(getattr(self, name) > 0, name, "above 0")
        for name in ("beta1", "beta2"):
            self.demand(0 <= getattr(self, name) < 1, name, "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `ProjectionGAN` of the networks with attention, for labelled images of this shape."""
        shape, names = checked(data.images.shape[1:], tuple(RESNETS)), named_classes(data)
        made = generator(shape, len(names), self.latent_dim, self.width)
        return ProjectionGAN(
            Player(made, self.adam(self.generator_learning_rate)),
            Player(discriminator(shape, len(names), self.width), self.adam(self.discriminator_learning_rate)),
            loss=self.adversarial_loss(),
            prior=Normal(self.latent_dim),
            image_range=images.SYMMETRIC,
            classes=names,
            **self.rules(),
        )

    def adam(self, rate: float) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer of this learning rate."""
        return keras.optimizers.Adam(rate, self.beta1, self.beta2, epsilon=1e-8)


RECIPES = {
    "sagan": SAGANRecipe(steps=50_000),
}
