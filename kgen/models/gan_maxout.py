"""Generative Adversarial Nets. Goodfellow et al. 2014, arXiv:1406.2661; code: goodfeli/adversarial. Dense networks.

This is the authors' code, with maxout networks. It updates both players at once, from one forward pass
(`SimultaneousGAN`). In Algorithm 1 of the paper (`kgen.models.gan`) the players alternate.

Recipes of the authors' code:
- `gan` (mnist.yaml): generator 100 -> 1200 -> 1200 ReLU units -> sigmoid pixels, whose bias starts at the logit of the
  mean training image; discriminator of two maxout layers, 240 units of 5 pieces; learning rate .1. The paper's data are
  `--dataset mnist --split train[:50000]`; 200 epochs are 100,000 steps.
- `gan-cifar-dense` (cifar10_fully_connected.yaml): images of normalised contrast (`ContrastNormalisedGAN`); generator
  of 8000 ReLU units, 8000 sigmoid units and linear pixels, z ~ N(0, I); discriminator of two maxout layers of 1600
  units; learning rate .025. The paper's data are `--dataset cifar10 --split train[:40000]`. Training takes 250 epochs,
  at the end of which the momentum is at its maximum.

Both recipes have dropout in the discriminator (inputs are kept with probability .8, hidden units with .5), which is
active in the generator's update too. The generator's loss is non-saturating. The optimizer is gradient descent: its
momentum grows from .5 to .7 over 250 epochs, and its learning rate is divided by 1.000004 at every update.

Deviations: momentum grows with every update, in the code once an epoch. Pixel means are clipped to [.001, .999] before
the logit; the code clips them differently, but pixels that are always black are black in both. Random numbers are
TensorFlow's.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images, layers, optimizers
from kgen.augmentation import contrast
from kgen.backend import Tensor, keras
from kgen.core import signatures
from kgen.core.adversarial import AnyLossRecipe
from kgen.core.game import Player
from kgen.core.priors import Normal, Uniform
from kgen.data import demand_any
from kgen.images.stored import mean_of, parts_of
from kgen.models.gan import GAN

if TYPE_CHECKING:
    from kgen.backend import tf
    from kgen.core.game import Game
    from kgen.core.recipe import Recipe
    from kgen.data import Images
    from kgen.images import Range


class SimultaneousGAN(GAN):
    """Both players move from one forward pass (adversary.AdversaryCost2).

    Class attributes:
        weight: factor on D's loss. With the default, the loss is the mean over real and generated images, not the sum.
    """

    weight = 0.5
    share = 1.0

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """If one player has more steps, it moves alone first. Then both move from one forward pass."""
        alone = self.discriminator_turn if self.discriminator_steps > self.generator_steps else self.generator_turn
        together = min(self.discriminator_steps, self.generator_steps)
        for batch in batches[:-together]:
            yield alone, batch
        for batch in batches[-together:]:
            yield self.turn, batch

    def discriminator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The discriminator moves alone. Returns scalars."""
        return {name: value for name, value in self.turn(real).items() if name != "generator"}

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Both players move, from one forward pass of images `(batch, height, width, channels)`. Returns scalars."""
        real, fake = self.discriminated(real)
        values = {
            self.discriminator_name: self.weight * self.loss.discriminator(real.logits, fake.logits),
            "generator": self.loss.generator_loss(real.logits, fake.logits),
            **self.scores(real.logits, fake.logits),
        }
        return self.regularised(values, real, fake)


class ContrastNormalisedGAN(SimultaneousGAN):
    """The game of the CIFAR-10 runs (`gcn: 55.`): both players see images of mean 0 and norm 55.

    See `kgen.augmentation.contrast`. A generated image has no known brightness and contrast that could be restored. So
    samples and exports are shown by one affine map, that of a training image of average brightness and contrast, and
    clipped. The generator keeps the map in its last layer, so that a run can be opened without its training images.
    """

    def receive(self, data: Tensor) -> list[Tensor]:
        """Returns batches of images `(batch, height, width, channels)` after contrast normalisation."""
        unit = [images.from_bytes(data[i], images.UNIT) for i in range(data.shape[0])]
        return [contrast.normalise(batch)[0] for batch in unit]

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.generator`, with the range that the generator's last layer keeps."""
        return signatures.generator(self.generator, self.prior, self.generator.layers[-1].range())


def generator(
    shape: tuple[int, ...],
    latent_dim: int,
    width: int,
    activations: tuple[str, ...],
    weights: "Sequence[keras.initializers.Initializer]",
    bias: "keras.initializers.Initializer | str" = "zeros",
) -> "keras.Model":
    """Returns z -> images of `shape`, through two layers of `width` units.

    Args:
        activations: of the three layers.
        weights: their initializers.
        bias: initializer of the last layer's bias.
    """
    z = x = keras.Input((latent_dim,))
    for activation, initial in zip(activations[:2], weights[:2], strict=True):
        x = keras.layers.Dense(width, activation, kernel_initializer=initial)(x)
    x = keras.layers.Dense(math.prod(shape), kernel_initializer=weights[2], bias_initializer=bias)(x)
    x = keras.layers.Activation(activations[2], dtype="float32")(x)
    return keras.Model(z, keras.layers.Reshape(shape, dtype="float32")(x), name="generator")


def discriminator(
    shape: tuple[int, ...], units: int, pieces: int, weights: Callable, dropout: tuple[float, ...]
) -> "keras.Model":
    """Returns image -> logit, through two maxout layers.

    Args:
        weights: function that returns a new initializer.
        dropout: rates before the first layer and before the others.
    """
    image = keras.Input(shape)
    x = layers.Dropout(dropout[0])(keras.layers.Flatten()(image))
    for _ in range(2):
        x = layers.Maxout(pieces)(keras.layers.Dense(units * pieces, kernel_initializer=weights())(x))
        x = layers.Dropout(dropout[1])(x)
    return keras.Model(
        image, keras.layers.Dense(1, kernel_initializer=weights(), dtype="float32")(x), name="discriminator"
    )


def remembering(network: "keras.Model", shown: "Range") -> "keras.Model":
    """Returns a generator with a last layer that keeps the `kgen.images.Range` in which its images are shown."""
    return keras.Model(network.input, layers.DisplayRange(*shown)(network.output), name=network.name)


def visible_range(pixels: np.ndarray) -> "Range":
    """Returns the `kgen.augmentation.contrast.display_range` of uint8 images `(n, height, width, channels)`."""
    varied = any(np.ptp(part) for part in parts_of(pixels))  # if not, a run is reopened, whose checkpoint has the range
    return contrast.display_range(pixels) if varied else images.UNIT


def uniform(limit: float) -> "keras.initializers.Initializer":
    """Returns a new initializer U(-limit, limit); one that is used twice would give the same numbers twice."""
    return keras.initializers.RandomUniform(-limit, limit)


def small() -> "keras.initializers.Initializer":
    """Returns a new initializer U(-.005, .005), that of the authors' discriminators."""
    return uniform(0.005)


def annealed(network: "keras.Model", recipe: "Recipe", data: "Images") -> Player:
    """Returns a player of the authors' code: the rate falls, the momentum rises for 250 epochs ("saturate: 250")."""
    end = 250 * max(1, len(data.images) // recipe.batch_size)
    rate = optimizers.ExponentialDecay(recipe.learning_rate, decay=1.000004, floor=1e-6)
    return Player(network, optimizers.MomentumRampSGD(rate, momentum=0.5, final_momentum=0.7, end=end))


@dataclass(frozen=True, kw_only=True)
class GANRecipe(AnyLossRecipe):
    """Generative Adversarial Nets, Goodfellow et al. 2014: dense maxout networks."""

    latent_dim: int = 100  # Size of z.
    generator_width: int = 1200  # Units in each of the generator's two hidden layers.
    discriminator_units: int = 240  # Maxout units in each of the discriminator's two hidden layers.
    pieces: int = 5  # Linear pieces of a maxout unit.
    learning_rate: float = 0.1  # Learning rate of both players at the start.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "generator_width", "discriminator_units", "pieces"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def networks(
        self,
        shape: tuple[int, ...],
        activations: tuple[str, ...],
        weights: "Sequence[keras.initializers.Initializer]",
        discriminator_weights: Callable = small,
        dropout: tuple[float, ...] = (0.2, 0.5),
        bias: "keras.initializers.Initializer | str" = "zeros",
    ) -> "tuple[keras.Model, keras.Model]":
        """Returns `(generator, discriminator)`, see the functions of these names."""
        return (
            generator(shape, self.latent_dim, self.generator_width, activations, weights, bias),
            discriminator(shape, self.discriminator_units, self.pieces, discriminator_weights, dropout),
        )

    def game(self, data: "Images") -> "Game":
        """Returns the `SimultaneousGAN` of dense networks for images of this shape."""
        mean = (mean_of(demand_any(data).images) / 255).clip(0.001, 0.999)
        logits = keras.initializers.Constant(np.log(mean / (1 - mean)).ravel())
        weights = [uniform(0.05) for _ in range(3)]
        networks = self.networks(mean.shape, ("relu", "relu", "sigmoid"), weights, bias=logits)
        return SimultaneousGAN(
            generator=annealed(networks[0], self, data),
            discriminator=annealed(networks[1], self, data),
            loss=self.adversarial_loss(),
            prior=Uniform(self.latent_dim, limit=math.sqrt(3)),
            image_range=images.UNIT,
            **self.rules(),
        )


def normalised_game(recipe: "Recipe", data: "Images", generator: "keras.Model", discriminator: "keras.Model") -> "Game":
    """Returns the game of the authors' CIFAR-10 runs between a generator and a discriminator."""
    shown = visible_range(demand_any(data).images)
    return ContrastNormalisedGAN(
        generator=annealed(remembering(generator, shown), recipe, data),
        discriminator=annealed(discriminator, recipe, data),
        loss=recipe.adversarial_loss(),
        prior=Normal(recipe.latent_dim),
        image_range=shown,
        **recipe.rules(),
    )


@dataclass(frozen=True, kw_only=True)
class ContrastNormalisedRecipe(GANRecipe):
    """Generative Adversarial Nets, Goodfellow et al. 2014: dense maxout networks, images of normalised contrast."""

    generator_width: int = 8000  # Units in each of the generator's two hidden layers.
    discriminator_units: int = 1600  # Maxout units in each of the discriminator's two hidden layers.
    learning_rate: float = 0.025  # Learning rate of both players at the start.

    def game(self, data: "Images") -> "Game":
        """Returns the `ContrastNormalisedGAN` of dense networks for images of this shape."""
        weights = uniform(0.05), uniform(0.05), uniform(0.5)
        networks = self.networks(data.images.shape[1:], ("relu", "sigmoid", "linear"), weights)
        return normalised_game(self, data, *networks)


RECIPES = {
    "gan": GANRecipe(batch_size=100, steps=100_000, sample_every=500),
    "gan-cifar-dense": ContrastNormalisedRecipe(batch_size=100, steps=100_000, sample_every=500),
}
