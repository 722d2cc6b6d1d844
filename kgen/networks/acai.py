"""The convolutional encoder and decoder of Berthelot et al. 2019, and their flags.

The encoder halves feature maps, and the decoder doubles them.

Source: arXiv:1807.07543, appendix B; the authors' code, lib/layers.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kgen import layers
from kgen.backend import Tensor, keras
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.networks.conv_autoencoder import initial

SLOPE = 0.2


def leaky() -> "keras.layers.LeakyReLU":
    """Returns a new layer, the activation of the paper."""
    return keras.layers.LeakyReLU(SLOPE)


class Pyramid(NamedTuple):
    """Sizes of the networks.

    Args:
        depth: channels of the largest maps.
        scales: how many times the encoder halves the maps.
        latent_channels: channels of the code's maps.
        initial: name of the initial weights, in `WEIGHTS`.
        activation: function that returns a new activation layer.
        border: zeros around the encoder's images, in pixels.
    """

    depth: int
    scales: int
    latent_channels: int
    initial: str
    activation: Callable = leaky
    border: int = 0


WEIGHTS = {  # functions from the fan-in of a layer to its arguments
    "paper": lambda fan: {
        "kernel_initializer": keras.initializers.RandomNormal(0, 1 / math.sqrt((1 + SLOPE**2) * fan))
    },
    "uniform": initial,  # as in PyTorch
}


def convolution(
    x: Tensor, channels: int, size: int, plan: Pyramid, activated: bool = True, normed: bool = False
) -> Tensor:
    """Returns a convolution of x `(batch, height, width, channels)`.

    With `activated` the plan's activation follows; with `normed` the kernel is spectrally normalised.
    """
    layer = keras.layers.Conv2D(channels, size, padding="same", **WEIGHTS[plan.initial](size**2 * x.shape[-1]))
    x = layers.SpectralNorm(layer)(x) if normed else layer(x)
    return plan.activation()(x) if activated else x


def encoder(shape: tuple[int, ...], plan: Pyramid, normed: bool = False) -> "keras.Model":
    """Returns the network images of `shape` -> codes `(batch, size)`, which are flattened maps."""
    image = x = keras.Input(shape)
    x = keras.layers.ZeroPadding2D(plan.border)(x) if plan.border else x
    x = convolution(x, plan.depth, 1, plan, activated=False, normed=normed)
    for scale in range(plan.scales):
        for _ in range(2):
            x = convolution(x, plan.depth << scale, 3, plan, normed=normed)
        x = keras.layers.AveragePooling2D(2)(x)
    x = convolution(x, plan.depth << plan.scales, 3, plan, normed=normed)
    x = convolution(x, plan.latent_channels, 3, plan, activated=False, normed=normed)
    return keras.Model(image, keras.layers.Flatten(dtype="float32")(x), name="encoder")


def decoder(shape: tuple[int, ...], plan: Pyramid, dropout: float = 0.0) -> "keras.Model":
    """Returns the network codes `(batch, size)` -> outputs of `shape`; `dropout` acts on the codes in training."""
    first = (shape[0] >> plan.scales, shape[1] >> plan.scales, plan.latent_channels)
    code = keras.Input((math.prod(first),))
    x = layers.Dropout(dropout)(code) if dropout else code
    x = keras.layers.Reshape(first)(x)
    for scale in reversed(range(plan.scales)):
        for _ in range(2):
            x = convolution(x, plan.depth << scale, 3, plan)
        x = layers.repeated(x)
    x = convolution(x, plan.depth, 3, plan)
    x = convolution(x, shape[-1], 3, plan, activated=False)
    return keras.Model(code, keras.layers.Activation("linear", dtype="float32")(x), name="decoder")


@dataclass(frozen=True, kw_only=True)
class ACAINetworksRecipe(Recipe):
    """Flags of every recipe on the networks of Berthelot et al. 2019."""

    depth: int = 16  # Channels of the largest maps; they double when maps halve.
    latent_width: int = 2  # Shorter side of the code's maps, both sides for square images.
    latent_channels: int = 16  # Channels of the code's maps.
    learning_rate: float = 1e-4  # Learning rate of every player's Adam.
    initial: Literal["paper", "uniform"] = "paper"  # Weights N(0, 1 / (1.04 fan)), or PyTorch's U(+-1/sqrt(fan)).

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("depth", "latent_width", "latent_channels"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def pyramid(self, shape: tuple[int, ...]) -> Pyramid:
        """Returns the `Pyramid` for images of `shape`; raises UsageError if halving never gives the code's maps."""
        short, long = sorted(shape[:2])
        scales = round(math.log2(max(short / self.latent_width, 1)))
        if short != self.latent_width << scales or long % 2**scales or not scales:
            size, nearest = "x".join(map(str, shape[:2])), self.latent_width << max(scales, 1)
            raise UsageError(
                f"Maps of --latent-width {self.latent_width} cannot be halved from {size} pixels: give --image-size "
                f"{nearest}, or another --latent-width."
            )
        return Pyramid(self.depth, scales, self.latent_channels, self.initial)

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer, since every player needs its own."""
        return keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)
