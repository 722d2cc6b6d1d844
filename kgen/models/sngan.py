"""Spectral Normalization for GANs. Miyato et al. 2018, arXiv:1802.05957; code: pfnet-research/sngan_projection.

Each layer of the discriminator divides its kernel by the kernel's largest singular value (`layers.SpectralNorm`), so
the discriminator is Lipschitz. The players alternate as in Goodfellow 2014, with the hinge losses of equations 16, 17.

Recipes:
- `sngan`: the convolutional networks of table 3, Adam 2e-4 (.5, .999), one discriminator step for each generator step,
  batch 64: setting C of table 1. The generator starts from maps of an eighth of the image's size. For 28 pixels it
  starts from 7x7 and doubles once less. The authors' CIFAR-10 runs are `--dataset cifar10 --steps 100000`.
- `sngan-resnet`: the residual networks of table 4, at 64 pixels those of the code (`resnet_64`, `snresnet_64`). Five
  discriminator steps for each generator step (`--discriminator-steps`), batch 64, twice as many images in the
  generator's turn, Adam 2e-4 (0, .9) whose rate falls linearly to 0. Give it `--dataset cifar10`, or `--dataset celeba
  --image-size 64 --steps 100000`.

With `--decay` the rate is 0 at `--steps`. If a run is resumed with more steps, the rate jumps up to the new line.

z ~ N(0, I). The slope of LeakyReLU is .1 as in table 3 (the code's .2 is Chainer's default). Initial weights are those
of the authors' two codes: N(0, .02) in the convolutional networks (chainer-gan-lib); Glorot uniform in the residual
networks, with gain sqrt 2 in the 3x3 convolutions of the blocks.

Deviations: where the convolutional discriminator halves the maps, it has the code's 128, 256, 512 channels; table 3 has
64, 128, 256. The convolutional generator has batch norm after the dense layer too, for each unit, as in the code. The
last dense layer has a bias at all sizes; in the code it has none at 32 pixels. The 1x1 convolutions of the blocks come
before upsampling and after pooling, where maps are small. This changes nothing, since they commute with both.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from kgen import images, layers, optimizers
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AnyLossRecipe, LossName
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.data import Images
from kgen.models.gan import GAN
from kgen.networks.sizes import checked

CNN_SIZES = (28, 32, 48, 64)


class ResNet(NamedTuple):
    """Residual networks for one size of images; channels in units of the recipe's `width`.

    Args:
        start: height and width of the generator's first map.
        generator: channels of that map, then of each block, which doubles the map.
        discriminator: channels of each block.
        halvings: how many of the discriminator's first blocks halve the map.
    """

    start: int
    generator: tuple
    discriminator: tuple
    halvings: int


RESNETS = {
    28: ResNet(start=7, generator=(1, 1, 1), discriminator=(1 / 2,) * 4, halvings=2),
    32: ResNet(start=4, generator=(1, 1, 1, 1), discriminator=(1 / 2,) * 4, halvings=2),
    64: ResNet(start=4, generator=(4, 2, 1, 1 / 2, 1 / 4), discriminator=(1 / 4, 1 / 2, 1, 2, 4), halvings=5),
}


class SNGAN(GAN):
    """Miyato et al. 2018: a `GAN` whose generator's turn has `generator_batch` times as many images as a batch."""

    def __init__(self, *args: Any, generator_batch: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.generator_batch = generator_batch

    def generator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The generator makes `generator_batch` times as many images as `real` has. Returns its loss, a scalar."""
        fake_logits = self.discriminate(self.sample(self.generator_batch * real.shape[0]))
        real_logits = self.discriminate(real) if self.loss.paired else None
        return {"generator": self.loss.generator_loss(real_logits, fake_logits)}


def cnn_generator(shape: tuple[int, ...], latent_dim: int, width: int) -> "keras.Model":
    """Returns z -> images in [-1, 1] of `shape`; the largest map has `width` channels. Table 3a."""
    start, doublings = cnn_scales(shape[0])
    channels = width * 2**doublings
    z = keras.Input((latent_dim,))
    x = keras.layers.Dense(start * start * channels, kernel_initializer=normal())(z)
    x = keras.layers.Reshape((start, start, channels))(keras.layers.ReLU()(layers.BatchNorm()(x)))
    for i in reversed(range(doublings)):
        x = layers.transposed(x, width * 2**i, 4, kernel_initializer=normal())
        x = keras.layers.ReLU()(layers.BatchNorm()(x))
    x = keras.layers.Conv2D(shape[-1], 3, padding="same", kernel_initializer=normal())(x)
    return keras.Model(z, keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def cnn_discriminator(shape: tuple[int, ...], width: int) -> "keras.Model":
    """Returns images -> logits `(batch, 1)`; the first map has `width` channels. Table 3b, channels of the code."""
    _, halvings = cnn_scales(shape[0])
    image = keras.Input(shape)
    x = keras.layers.LeakyReLU(0.1)(convolution(image, width, 3, normal()))
    for i in range(1, halvings + 1):
        x = keras.layers.LeakyReLU(0.1)(convolution(x, width * 2**i, 4, normal(), strides=2))
        x = keras.layers.LeakyReLU(0.1)(convolution(x, width * 2**i, 3, normal()))
    return keras.Model(image, logit_layer(keras.layers.Flatten()(x), normal()), name="discriminator")


def cnn_scales(size: int) -> tuple[int, int]:
    """Returns `(start, n)`: a map of `start` pixels doubled n times gives `size`."""
    return (7, 2) if size == 28 else (size // 8, 3)


def resnet_generator(shape: tuple[int, ...], latent_dim: int, width: int) -> "keras.Model":
    """Returns z -> images in [-1, 1] of `shape`. Table 4a; at 64 pixels as in the code."""
    start, multiples, _, _ = RESNETS[shape[0]]
    first, *others = [int(width * multiple) for multiple in multiples]
    z = keras.Input((latent_dim,))
    x = keras.layers.Dense(start * start * first, kernel_initializer=glorot())(z)
    x = keras.layers.Reshape((start, start, first))(x)
    for channels in others:
        x = up_block(x, channels)
    x = keras.layers.ReLU()(layers.BatchNorm()(x))
    x = keras.layers.Conv2D(shape[-1], 3, padding="same", kernel_initializer=glorot())(x)
    return keras.Model(z, keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def resnet_discriminator(shape: tuple[int, ...], width: int) -> "keras.Model":
    """Returns images -> logits `(batch, 1)`: blocks, ReLU, the sum over all positions, dense. Table 4b."""
    _, _, multiples, halvings = RESNETS[shape[0]]
    image = x = keras.Input(shape)
    for i, multiple in enumerate(multiples):
        x = down_block(x, int(width * multiple), halve=i < halvings, first=i == 0)
    x = keras.ops.sum(keras.layers.ReLU()(x), axis=(1, 2))
    return keras.Model(image, logit_layer(x, glorot()), name="discriminator")


def up_block(x: Tensor, channels: int) -> Tensor:
    """Returns `conv(relu(bn(conv(up(relu(bn(x))))))) + conv(up(x))`; maps `(height, width)` double."""
    y = keras.layers.ReLU()(layers.BatchNorm()(x))
    y = layers.nearest(y, channels, 3, kernel_initializer=glorot(2.0))
    y = keras.layers.ReLU()(layers.BatchNorm()(y))
    y = keras.layers.Conv2D(channels, 3, padding="same", kernel_initializer=glorot(2.0))(y)
    shortcut = keras.layers.Conv2D(channels, 1, kernel_initializer=glorot())(x)
    return keras.layers.Add()([y, layers.repeated(shortcut)])


def down_block(x: Tensor, channels: int, halve: bool, first: bool = False) -> Tensor:
    """Returns `pool(conv(relu(conv(relu(x))))) + conv(pool(x))`; pooling halves maps `(height, width)`.

    Args:
        x: symbolic maps.
        channels: of the output; the first convolution keeps those of `x`.
        halve: whether the maps are pooled. If not, `channels` must be those of `x`, and the shortcut is `x` itself.
        first: whether the block sees the image (`OptimizedBlock` in the code). It begins without ReLU, since pixels may
            be negative, and both convolutions have `channels` channels.
    """
    y = x if first else keras.layers.ReLU()(x)
    y = keras.layers.ReLU()(convolution(y, channels if first else x.shape[-1], 3, glorot(2.0)))
    y = convolution(y, channels, 3, glorot(2.0))
    if halve:
        y = keras.layers.AveragePooling2D(2)(y)
        x = convolution(keras.layers.AveragePooling2D(2)(x), channels, 1, glorot())
    return keras.layers.Add()([y, x])


def convolution(
    x: Tensor, channels: int, kernel_size: int, initializer: "keras.initializers.Initializer", strides: int = 1
) -> Tensor:
    """Returns a spectrally normalised convolution of x `(batch, height, width, channels)`, with a bias."""
    return layers.SpectralNorm(
        keras.layers.Conv2D(channels, kernel_size, strides, padding="same", kernel_initializer=initializer)
    )(x)


def logit_layer(x: Tensor, initializer: "keras.initializers.Initializer") -> Tensor:
    """Returns the logit `(batch, 1)`, by a spectrally normalised dense layer."""
    return layers.SpectralNorm(keras.layers.Dense(1, kernel_initializer=initializer, dtype="float32"))(x)


def normal() -> "keras.initializers.Initializer":
    """Returns a new initializer N(0, .02), as every user of an initializer needs its own."""
    return keras.initializers.RandomNormal(0.0, 0.02)


def glorot(scale: float = 1.0) -> "keras.initializers.Initializer":
    """Returns a new initializer, uniform with variance `2 scale / (fan_in + fan_out)`; its gain is sqrt(scale)."""
    return keras.initializers.VarianceScaling(scale, "fan_avg", "uniform")


@dataclass(frozen=True, kw_only=True)
class SNGANRecipe(AnyLossRecipe):
    """Spectrally normalised GAN, Miyato et al. 2018."""

    loss: LossName = "hinge"  # What the two players minimise; equations 16 and 17.
    network: Literal["cnn", "resnet"] = "cnn"  # Convolutional networks (table 3) or residual ones (table 4).
    latent_dim: int = 128  # Size of z ~ N(0, I).
    width: int = 64  # Channels: of the largest map (cnn), of the generator at 32 pixels (resnet, a multiple of 4).
    learning_rate: float = 2e-4  # Adam's, of both players, at the start.
    beta1: float = 0.5  # Adam's.
    beta2: float = 0.999  # Adam's.
    decay: bool = False  # Let the learning rate fall linearly, to 0 at --steps.
    generator_batch: int = 1  # Images in the generator's turn, as a multiple of --batch-size.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "generator_batch"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        whole = self.network == "cnn" or self.width % 4 == 0
        self.demand(whole, "width", "a multiple of 4 with --network resnet")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        for name in ("beta1", "beta2"):
            self.demand(0 <= getattr(self, name) < 1, name, "at least 0 and below 1")

    def game(self, data: Images) -> SNGAN:
        """Returns the `SNGAN` of the chosen networks."""
        resnet = self.network == "resnet"
        shape = checked(data.images.shape[1:], tuple(RESNETS) if resnet else CNN_SIZES)
        generator = resnet_generator if resnet else cnn_generator
        discriminator = resnet_discriminator if resnet else cnn_discriminator
        return SNGAN(
            generator=Player(generator(shape, self.latent_dim, self.width), self.adam(self.generator_steps)),
            discriminator=Player(discriminator(shape, self.width), self.adam(self.discriminator_steps)),
            loss=self.adversarial_loss(),
            prior=Normal(self.latent_dim),
            image_range=images.SYMMETRIC,
            generator_batch=self.generator_batch,
            **self.rules(),
        )

    def adam(self, moves: int) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer for a player that moves `moves` times in a training step."""
        rate = self.learning_rate
        if self.decay:
            rate = optimizers.LinearDecay(rate, end=self.steps * moves)
        return keras.optimizers.Adam(rate, self.beta1, self.beta2, epsilon=1e-8)


RECIPES = {
    "sngan": SNGANRecipe(steps=4_000),
    "sngan-resnet": SNGANRecipe(
        network="resnet",
        width=256,
        beta1=0.0,
        beta2=0.9,
        decay=True,
        generator_batch=2,
        discriminator_steps=5,
        steps=50_000,
    ),
}
