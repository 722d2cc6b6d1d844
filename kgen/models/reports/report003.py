"""The GANs of student report 003, an implementation of Goodfellow et al. 2014, arXiv:1406.2661, in TensorFlow.

The recipes follow the report's code. Both players move from one forward pass, with RMSprop 1e-3, weights Glorot-uniform
and biases 0, z ~ U(-1, 1), images in [0, 1], batches of 128. Recipes:

- `gan-report003-mnist`: the widths of mnist.yaml, ReLU units and sigmoid pixels;
- `gan-report003-dense`: 8000 units and maxout of 1600 units for CIFAR-10; `--pieces 2` gives the maxout units of the
  report's second script;
- `gan-report003-conv`: the generator has 8000 ReLU units, 8000 sigmoid units as 80 maps of 10x10, and a transposed
  convolution to linear pixels. The discriminator has convolutional maxout without biases, and ordinary max pooling;
- `gan-report003-transposed`: networks of the report's second script. The generator has two transposed convolutions,
  LeakyReLU and dropout. The discriminator has strided convolutions and LeakyReLU. The report's numbers of channels are
  lost, so those here were chosen.

The report trained for up to 500 epochs. The recipes take 50 epochs, of 60,000 images (`--dataset mnist`) or 50,000
(`cifar10`). On MNIST all generated images are alike for the first 1,000 steps or more, then they become digits. This is
not an error.

The report's text differs from its code, as far as training is concerned:
- equation 3 is the saturating generator loss. The code minimises E[1 - log D(G(z))], which is the non-saturating loss
  plus 1 and has the same gradient. It is logged here without the 1;
- the text says that RMSprop is used because TensorFlow did not support learning-rate decay. TensorFlow has schedules
  for it;
- the text says that it follows the source "as closely as possible". The code leaves out dropout, momentum, the mean
  image as first bias, contrast normalisation and the unit variance of z.

The second script sums its losses over the batch, and the first averages. RMSprop's step does not depend on such a
factor, so all recipes average. Deviation: float32, where the report computed in float64.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgen import images, layers, optimizers
from kgen.backend import keras
from kgen.core.adversarial import AnyLossRecipe
from kgen.core.game import Player
from kgen.core.priors import Uniform
from kgen.models.gan_convolutional import SIZES, ConvolutionalMaxoutRecipe
from kgen.models.gan_maxout import GANRecipe, SimultaneousGAN
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.recipe import Recipe
    from kgen.data import Images


class SummedGAN(SimultaneousGAN):
    """D's loss is the sum `-E[log D(x) + log(1 - D(G(z)))]`: the report's equation 2 and its code."""

    weight, share = 1.0, 0.5


def convolutional_generator(channels: int, latent_dim: int, width: int, maps: int) -> "keras.Model":
    """Returns z -> 32x32 images, linear pixels, through `width` ReLU units and `maps` maps of 10x10 sigmoids."""
    z = keras.Input((latent_dim,))
    x = keras.layers.Dense(10 * 10 * maps, "sigmoid")(keras.layers.Dense(width, "relu")(z))
    x = keras.layers.Conv2DTranspose(channels, 5, strides=3)(keras.layers.Reshape((10, 10, maps))(x))
    return keras.Model(z, keras.layers.Activation("linear", dtype="float32")(x), name="generator")


def convolutional_discriminator(shape: tuple[int, ...], channels: int, units: int, pieces: int) -> "keras.Model":
    """Returns 32x32 images -> logit, through maps of `channels`, `channels` and six times as many channels."""
    image = x = keras.Input(shape)
    for filters, kernel in ((channels, 8), (channels, 8), (6 * channels, 5)):
        x = layers.Maxout(2)(keras.layers.Conv2D(2 * filters, kernel, padding="same", use_bias=False)(x))
        x = keras.layers.MaxPooling2D(2)(x)
    x = layers.Maxout(pieces)(keras.layers.Dense(units * pieces)(keras.layers.Flatten()(x)))
    return keras.Model(image, keras.layers.Dense(1, dtype="float32")(x), name="discriminator")


def transposed_generator(channels: int, latent_dim: int, width: int, dropout: float) -> "keras.Model":
    """Returns z -> 32x32 images: 8x8 maps of `4 width` channels, doubled twice by transposed convolutions of 5x5."""
    z = keras.Input((latent_dim,))
    x = keras.layers.LeakyReLU(0.3)(keras.layers.Dense(8 * 8 * 4 * width)(z))
    x = layers.Dropout(dropout)(keras.layers.Reshape((8, 8, 4 * width))(x))
    x = keras.layers.Conv2DTranspose(2 * width, 5, strides=2, padding="same")(x)
    x = layers.Dropout(dropout)(keras.layers.LeakyReLU(0.3)(x))
    x = keras.layers.Conv2DTranspose(channels, 5, strides=2, padding="same")(x)
    return keras.Model(z, keras.layers.Activation("sigmoid", dtype="float32")(x), name="generator")


def strided_discriminator(shape: tuple[int, ...], width: int, dropout: float) -> "keras.Model":
    """Returns 32x32 images -> logit: convolutions of 5x5, stride 2, with `width`, `2 width`, `4 width` channels."""
    image = x = keras.Input(shape)
    for i in range(3):
        x = keras.layers.Conv2D(width * 2**i, 5, strides=2, padding="same")(x)
        x = layers.Dropout(dropout)(keras.layers.LeakyReLU(0.2)(x))
    return keras.Model(image, keras.layers.Dense(1, dtype="float32")(keras.layers.Flatten()(x)), name="discriminator")


def rmsprop(network: "keras.Model | None", learning_rate: float) -> Player:
    """Returns a player moved by RMSprop: rho .9, epsilon 1e-7, which TensorFlow 2.0 added outside of the root.

    Keras 3 adds epsilon inside. There 1e-7 would hide gradients below 3e-4, and most gradients here are smaller.
    """
    return Player(network, optimizers.RMSprop(learning_rate, rho=0.9, epsilon=1e-7))


def summed_game(recipe: "Recipe", generator: "keras.Model", discriminator: "keras.Model") -> "Game":
    """Returns the game between a generator and a discriminator."""
    return SummedGAN(
        generator=rmsprop(generator, recipe.learning_rate),
        discriminator=rmsprop(discriminator, recipe.learning_rate),
        loss=recipe.adversarial_loss(),
        prior=Uniform(recipe.latent_dim),
        image_range=images.UNIT,
        **recipe.rules(),
    )


@dataclass(frozen=True, kw_only=True)
class DenseRecipe(GANRecipe):
    """Dense maxout networks of student report 003, after Goodfellow et al. 2014."""

    learning_rate: float = 1e-3  # RMSprop's, of both players.

    def game(self, data: "Images") -> "Game":
        """Returns the `SimultaneousGAN` of the report's dense networks."""
        glorot, no_dropout = keras.initializers.GlorotUniform, (0.0, 0.0)
        weights = [glorot() for _ in range(3)]
        activations = "relu", "relu", "sigmoid"
        return summed_game(self, *self.networks(data.images.shape[1:], activations, weights, glorot, no_dropout))


@dataclass(frozen=True, kw_only=True)
class ConvolutionalRecipe(ConvolutionalMaxoutRecipe):
    """Convolutional maxout networks of student report 003, after Goodfellow et al. 2014."""

    learning_rate: float = 1e-3  # RMSprop's, of both players.

    def game(self, data: "Images") -> "Game":
        """Returns the game of the report's convolutional networks."""
        shape = checked(data.images.shape[1:], SIZES)
        generator = convolutional_generator(shape[-1], self.latent_dim, self.generator_width, self.generator_maps)
        discriminator = convolutional_discriminator(
            shape, self.discriminator_channels, self.discriminator_units, self.pieces
        )
        return summed_game(self, generator, discriminator)


@dataclass(frozen=True, kw_only=True)
class TransposedRecipe(AnyLossRecipe):
    """Networks of the second script of student report 003: transposed and strided convolutions, LeakyReLU, dropout."""

    latent_dim: int = 100  # Size of z.
    width: int = 64  # Channels of the discriminator's first map; doubled as maps halve.
    dropout: float = 0.3  # Rate behind every hidden layer of both players.
    learning_rate: float = 1e-3  # RMSprop's, of both players.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(0 <= self.dropout < 1, "dropout", "at least 0 and below 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the game of the report's transposed convolutions."""
        shape = checked(data.images.shape[1:], SIZES)
        generator = transposed_generator(shape[-1], self.latent_dim, self.width, self.dropout)
        return summed_game(self, generator, strided_discriminator(shape, self.width, self.dropout))


RECIPES = {
    "gan-report003-mnist": DenseRecipe(batch_size=128, steps=23_400),
    "gan-report003-dense": DenseRecipe(
        generator_width=8000, discriminator_units=1600, batch_size=128, steps=19_500, sample_every=500
    ),
    "gan-report003-conv": ConvolutionalRecipe(image_size=32, batch_size=128, steps=19_500, sample_every=500),
    "gan-report003-transposed": TransposedRecipe(image_size=32, batch_size=128, steps=19_500),
}
