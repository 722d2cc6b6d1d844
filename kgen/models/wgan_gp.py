"""Improved Training of Wasserstein GANs. Gulrajani et al. 2017, arXiv:1704.00028; code: igul222/improved_wgan_training.

Algorithm 1: weights are not clipped. Instead the critic's loss has the penalty `lambda E[(||grad D(x~)||_2 - 1)^2]`,
with lambda 10. The points x~ lie on straight lines between real and generated images. The critic takes five steps for
each step of the generator (`--discriminator-steps`). Both use Adam. The critic has no batch norm, since the penalty is
on the gradient at each image by itself.

Networks: the generator has one dense layer to 4x4 maps of 4 d channels, then 5x5 transposed convolutions of stride 2 up
to the image (28 pixels: the 8x8 map is cropped to 7x7). The critic has three 5x5 convolutions of stride 2 with d, 2 d
and 4 d channels and LeakyReLU .2, and one dense layer. At 64 pixels each network has one more convolution.

Recipes:
- `wgan-gp` (gan_mnist.py): d = 64, z of 128 numbers, sigmoid pixels, no batch norm at all, Adam 1e-4 (.5, .9),
  batch 50.
- `wgan-gp-cifar` (gan_cifar.py): d = 128, tanh pixels, batch norm in the generator, batch 64; give it
  `--dataset cifar10`.

Initial weights: Glorot uniform in dense layers, He uniform in convolutions. Deviations: Keras's fans count the whole
kernel; the code divides the fan-out of a convolution by the square of its stride, and the fan-in of a transposed one.
Both scripts take 200,000 steps; the recipe `wgan-gp` takes 10,000.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kgen import images, layers, rng
from kgen.backend import Tensor, keras
from kgen.core.adversarial import AdversarialRecipe
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.losses import penalties
from kgen.losses.adversarial import LOSSES
from kgen.models.gan import GAN
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

SIZES = (28, 32, 64)


class WGANGP(GAN):
    """Gulrajani et al. 2017, Algorithm 1.

    Args:
        penalty: lambda, weight of the gradient penalty.
        others: as in `GAN`.
    """

    discriminator_name = "critic"

    def __init__(self, *args: Any, penalty: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.penalty = penalty
        self.reports += ("gradient_penalty",)

    def discriminator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The critic minimises minus the estimate of the distance, plus the penalty. Returns scalars. Lines 4 to 9."""
        real, fake = self.discriminated(real)
        alpha = rng.current().uniform((real.images.shape[0],))
        penalty = penalties.gradient_penalty(self.discriminate, real.images, fake.images, alpha)
        values = {
            "critic": self.loss.discriminator(real.logits, fake.logits) + self.penalty * penalty,
            "gradient_penalty": penalty,
            **self.scores(real.logits, fake.logits),
        }
        return self.regularised(values, real, fake)


def generator(shape: tuple[int, ...], latent_dim: int, width: int, norm: bool, activation: str) -> "keras.Model":
    """Returns z -> images of `shape`; the largest map has `width` channels."""

    def finish(x: Tensor) -> Tensor:
        return keras.layers.ReLU()(layers.BatchNorm()(x) if norm else x)

    z = keras.Input((latent_dim,))
    doublings = math.ceil(math.log2(shape[0] / 4))
    x = keras.layers.Dense(4 * 4 * width * 2 ** (doublings - 1))(z)
    x = keras.layers.Reshape((4, 4, -1))(finish(x))
    for i in reversed(range(doublings - 1)):
        x = keras.layers.Conv2DTranspose(width * 2**i, 5, strides=2, padding="same", kernel_initializer=he())(x)
        x = finish(x)
        if shape[0] == 28 and x.shape[1] == 8:
            x = keras.layers.Cropping2D(((0, 1), (0, 1)))(x)
    x = keras.layers.Conv2DTranspose(shape[-1], 5, strides=2, padding="same", kernel_initializer=he())(x)
    return keras.Model(z, keras.layers.Activation(activation, dtype="float32")(x), name="generator")


def critic(shape: tuple[int, ...], width: int) -> "keras.Model":
    """Returns images -> one number each, `(batch, 1)`; the first map has `width` channels. No normalisation."""
    image = x = keras.Input(shape)
    for i in range(math.ceil(math.log2(shape[0] / 4))):
        x = keras.layers.Conv2D(width * 2**i, 5, strides=2, padding="same", kernel_initializer=he())(x)
        x = keras.layers.LeakyReLU(0.2)(x)
    return keras.Model(image, keras.layers.Dense(1, dtype="float32")(keras.layers.Flatten()(x)), name="critic")


def he() -> "keras.initializers.Initializer":
    """Returns a new initializer, uniform with variance `4 / (fan_in + fan_out)`: the code's `he_init`."""
    return keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform")


@dataclass(frozen=True, kw_only=True)
class WGANGPRecipe(AdversarialRecipe):
    """Wasserstein GAN with gradient penalty, Gulrajani et al. 2017."""

    latent_dim: int = 128  # Size of z ~ N(0, I).
    width: int = 64  # Channels of the largest map, DIM in the code.
    norm: bool = False  # Batch norm in the generator (gan_cifar.py).
    pixels: Literal["sigmoid", "tanh"] = "sigmoid"  # Of the generator: sigmoid in gan_mnist.py, tanh in gan_cifar.py.
    penalty: float = 10.0  # Weight of the gradient penalty, lambda.
    learning_rate: float = 1e-4  # Adam's, of both players.
    beta1: float = 0.5  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.penalty >= 0, "penalty", "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        self.demand(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")
        self.demand(not self.balance, "balance", "0, since a critic's losses have no common scale")

    def game(self, data: "Images") -> "Game":
        """Returns the `WGANGP` for images of this shape."""
        shape = checked(data.images.shape[1:], SIZES)
        return WGANGP(
            generator=Player(generator(shape, self.latent_dim, self.width, self.norm, self.pixels), self.adam()),
            discriminator=Player(critic(shape, self.width), self.adam()),
            loss=LOSSES["wasserstein"],
            prior=Normal(self.latent_dim),
            image_range={"sigmoid": images.UNIT, "tanh": images.SYMMETRIC}[self.pixels],
            penalty=self.penalty,
            **self.rules(),
        )

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=self.beta1, beta_2=0.9, epsilon=1e-8)


RECIPES = {
    "wgan-gp": WGANGPRecipe(discriminator_steps=5, batch_size=50, steps=10_000),
    "wgan-gp-cifar": WGANGPRecipe(discriminator_steps=5, width=128, norm=True, pixels="tanh", steps=200_000),
}
