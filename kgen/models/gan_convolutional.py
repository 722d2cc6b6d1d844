"""Generative Adversarial Nets. Goodfellow et al. 2014, arXiv:1406.2661; code: goodfeli/adversarial. Convolutions.

Recipe `gan-cifar-conv` (cifar10_convolutional.yaml, figure 2d of the paper) is for 32x32 images of normalised contrast.
The paper's data are `--dataset cifar10 --split train[:40000]`. Game, dropout and annealing are those of
`kgen.models.gan_maxout`. The rest is:

- generator: z ~ N(0, I) of 100 numbers -> 8000 ReLU units -> 8000 sigmoid units, reshaped to 80 maps of 10x10 -> 5x5
  transposed convolution, stride 3, no padding -> 32x32 linear pixels, each with its own bias. All weights U(-.05, .05);
- discriminator: three convolutions with maxout of 2 pieces and max pooling, which change the maps' size 32 -> 33 -> 16,
  16 -> 15 -> 7 and 7 -> 9 -> 5, then 500 maxout units of 5 pieces and the logit. All weights U(-.005, .005);
- learning rate .004, batches of 128. 78,000 steps are 250 epochs, at the end of which the momentum is at its maximum.

Deviations: those of `kgen.models.gan_maxout`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgen import layers
from kgen.backend import keras
from kgen.core.adversarial import AnyLossRecipe
from kgen.models.gan_maxout import normalised_game, small, uniform
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

SIZES = (32,)
# For each convolution of the discriminator: multiple of `channels`, kernel, padding, pooling window.
CONVOLUTIONS = ((1, 8, 4, 4), (1, 8, 3, 4), (6, 5, 3, 2))


def generator(channels: int, latent_dim: int, width: int, maps: int) -> "keras.Model":
    """Returns z -> 32x32 normalised images, through `width` ReLU units and `maps` maps of 10x10 sigmoids."""
    z = keras.Input((latent_dim,))
    x = keras.layers.Dense(width, "relu", kernel_initializer=uniform(0.05))(z)
    x = keras.layers.Dense(10 * 10 * maps, "sigmoid", kernel_initializer=uniform(0.05))(x)
    x = keras.layers.Reshape((10, 10, maps))(x)
    x = keras.layers.Conv2DTranspose(channels, 5, strides=3, use_bias=False, kernel_initializer=uniform(0.05))(x)
    return keras.Model(z, layers.UntiedBias(dtype="float32")(x), name="generator")


def discriminator(shape: tuple[int, ...], channels: int, units: int, pieces: int) -> "keras.Model":
    """Returns 32x32 images -> logit; the first two maps have `channels` channels, the third six times as many."""
    image = keras.Input(shape)
    x = layers.Dropout(0.2)(image)
    for share, kernel, padding, pool in CONVOLUTIONS:
        x = keras.layers.ZeroPadding2D(padding)(x)
        x = keras.layers.Conv2D(share * channels * 2, kernel, kernel_initializer=small())(x)
        x = layers.CoveringMaxPool(pool, 2)(layers.Maxout(2)(x))
        x = layers.Dropout(0.5)(x)
    x = keras.layers.Dense(units * pieces, kernel_initializer=small())(keras.layers.Flatten()(x))
    x = layers.Dropout(0.5)(layers.Maxout(pieces)(x))
    return keras.Model(
        image, keras.layers.Dense(1, kernel_initializer=small(), dtype="float32")(x), name="discriminator"
    )


@dataclass(frozen=True, kw_only=True)
class ConvolutionalMaxoutRecipe(AnyLossRecipe):
    """Generative Adversarial Nets, Goodfellow et al. 2014: convolutional maxout networks, normalised contrast."""

    latent_dim: int = 100  # Size of z.
    generator_width: int = 8000  # ReLU units in the generator's first layer.
    generator_maps: int = 80  # Maps of 10x10 sigmoids in the generator's second layer.
    discriminator_channels: int = 32  # Channels of the discriminator's first two maps; the third has six times as many.
    discriminator_units: int = 500  # Maxout units of the discriminator's dense layer.
    pieces: int = 5  # Linear pieces of each maxout unit of the dense layer; the convolutions have 2.
    learning_rate: float = 0.004  # Learning rate of both players at the start.

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = "latent_dim", "generator_width", "generator_maps", "discriminator_channels", "discriminator_units"
        for name in (*counts, "pieces"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the game of the 2014 code on convolutional maxout networks."""
        shape = checked(data.images.shape[1:], SIZES)
        return normalised_game(
            self,
            data,
            generator(shape[-1], self.latent_dim, self.generator_width, self.generator_maps),
            discriminator(shape, self.discriminator_channels, self.discriminator_units, self.pieces),
        )


RECIPES = {
    "gan-cifar-conv": ConvolutionalMaxoutRecipe(image_size=32, batch_size=128, steps=78_000, sample_every=500),
}
