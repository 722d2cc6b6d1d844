"""The convolutional generator and discriminator of DCGAN, which many papers use, and their flags.

Source: Radford et al. 2016, arXiv:1511.06434, sections 3 and 4, figure 1; the authors' code.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kgen import layers
from kgen.backend import keras
from kgen.core.adversarial import AdversarialRecipe
from kgen.networks.sizes import divisible

if TYPE_CHECKING:
    from kgen.data import Images

UNITS = {28: 4, 32: 8, 64: 16, 128: 32}  # the shorter side, and what divides both: 2 to the power of the doublings
# Functions that make new initializers, since one that is used twice gives the same numbers twice.
WEIGHTS = {
    "normal": lambda fan: keras.initializers.RandomNormal(0.0, 0.02),
    "uniform": lambda fan: keras.initializers.VarianceScaling(1 / 3, fan, "uniform"),  # PyTorch's U(+-1/sqrt(fan))
}
GAINS = {"normal": lambda: keras.initializers.RandomNormal(1.0, 0.02), "uniform": lambda: "ones"}


def doublings(shape: tuple[int, ...]) -> tuple[tuple[int, int], int]:
    """Returns `(start, n)`: maps of `start`, `(height, width)`, that are doubled n times have the height and width of
    `shape`. The shorter side starts from 4 pixels, or from 7 if it has 28.
    """
    n = UNITS[min(shape[:2])].bit_length() - 1
    return (shape[0] >> n, shape[1] >> n), n


def generator(
    shape: tuple[int, ...], latent_dim: int, width: int, kernel_size: int, upsampling: str, initial: str
) -> "keras.Model":
    """Returns the network z -> images of `shape` in [-1, 1]; the last hidden map has `width` channels."""
    start, n = doublings(shape)
    grow, weights, gain = layers.UPSAMPLINGS[upsampling], WEIGHTS[initial], GAINS[initial]
    first = (*start, width * 2 ** (n - 1))
    z = keras.Input((latent_dim,))
    # In PyTorch the projection is a transposed convolution, whose fan is that of the output.
    x = keras.layers.Dense(math.prod(first), use_bias=False, kernel_initializer=weights("fan_out"))(z)
    x = keras.layers.Reshape(first)(x)
    for i in reversed(range(n - 1)):
        x = keras.layers.ReLU()(layers.BatchNorm(gamma_initializer=gain())(x))
        x = grow(x, width * 2**i, kernel_size, use_bias=False, kernel_initializer=weights("fan_in"))
    x = keras.layers.ReLU()(layers.BatchNorm(gamma_initializer=gain())(x))
    x = grow(x, shape[-1], kernel_size, use_bias=False, kernel_initializer=weights("fan_in"))
    return keras.Model(z, keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def discriminator(
    shape: tuple[int, ...], width: int, kernel_size: int, first_norm: bool, initial: str
) -> "keras.Model":
    """Returns the network images -> logits `(batch, 1)`; the first map has `width` channels."""
    _, n = doublings(shape)
    weights, gain = WEIGHTS[initial], GAINS[initial]
    image = x = keras.Input(shape)
    for i in range(n):
        normed = i > 0 or first_norm
        x = keras.layers.Conv2D(
            width * 2**i, kernel_size, strides=2, padding="same", use_bias=False, kernel_initializer=weights("fan_in")
        )(x)
        x = layers.BatchNorm(gamma_initializer=gain())(x) if normed else x
        x = keras.layers.LeakyReLU(0.2)(x)
    logit = keras.layers.Dense(1, use_bias=False, kernel_initializer=weights("fan_in"), dtype="float32")
    return keras.Model(image, logit(keras.layers.Flatten()(x)), name="discriminator")


@dataclass(frozen=True, kw_only=True)
class ConvolutionalRecipe(AdversarialRecipe):
    """Flags of every recipe on the networks of DCGAN."""

    latent_dim: int = 100  # Size of z (section 4).
    width: int = 64  # Channels of the largest map; they double when maps halve (figure 1: 128).
    kernel_size: int = 5  # Kernel size of every convolution (figure 1).
    upsampling: Literal["transposed", "nearest", "bilinear"] = "transposed"  # How the generator doubles its maps.
    learning_rate: float = 2e-4  # Learning rate of both players (section 4).

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width", "kernel_size"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def networks(
        self, data: "Images", first_norm: bool = False, initial: str = "normal"
    ) -> "tuple[keras.Model, keras.Model]":
        """Returns `(generator, discriminator)` for the images of `data`.

        Raises:
            UsageError: they are of a size that the networks cannot make.
        """
        shape = divisible(data.images.shape[1:], UNITS)
        return (
            generator(shape, self.latent_dim, self.width, self.kernel_size, self.upsampling, initial),
            discriminator(shape, self.width, self.kernel_size, first_norm, initial),
        )
