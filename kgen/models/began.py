"""BEGAN: Boundary Equilibrium Generative Adversarial Networks. Berthelot, Schumm and Metz 2017, arXiv:1703.10717.

The discriminator D is an autoencoder. It does not judge images; it reconstructs them, with the error of an image v

    L(v) = mean over pixels of |v - D(v)|

It learns to reconstruct real images x well and generated ones badly; the generator G wants the latter reconstructed:

    L_D = L(x) - k L(G(z)),   L_G = L(G(z)),   k <- k + lambda (gamma L(x) - L(G(z))), clipped to [0, 1]

So control theory keeps the equilibrium E[L(G(z))] = gamma E[L(x)]. k starts at 0. A small gamma, the diversity ratio,
makes D attend to real images; images are then better and less diverse. Training is followed by one number,

    M = L(x) + |gamma L(x) - L(G(z))|,   logged as `convergence`; lower is better

Networks: 3x3 convolutions with ELU, no batch norm and no dropout. The encoder has two convolutions at each size of the
maps, and one of stride 2 between sizes. The channels are n, 2n, 3n, ...; a dense layer gives the code. The decoder has
a dense layer to 8x8 maps, two convolutions of n channels at each size, and repeats pixels between sizes. The generator
is a decoder of its own. Pixels are in [-1, 1], without tanh. z ~ U(-1, 1).

Recipe `began`: n = 128, codes and z of 64 numbers, gamma .5, lambda .001, batch 16, Adam 1e-4. `--width 16` is small
enough for a CPU.

Deviations: D and G see the same generated images in a step; the paper draws twice. The paper halves the learning rate
when M stalls; here it is constant. The paper's optional skip connections and vanishing residuals are left out. At 28
pixels maps start from 7x7.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import images, layers
from kgen.backend import Tensor, keras, replicas
from kgen.core.adversarial import AdversarialGame
from kgen.core.game import Player
from kgen.core.priors import Uniform
from kgen.core.recipe import Recipe
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

SCALES = {28: 3, 32: 3, 64: 4, 128: 5}  # sizes of maps, of which each is half the one before; the last is 7 or 8


class BEGAN(AdversarialGame):
    """Berthelot et al. 2017. The discriminator's network has a layer `control`, which keeps k.

    Args:
        generator, discriminator: players; the latter maps images to their reconstructions.
        prior: of z.
        gamma: diversity ratio, in [0, 1].
    """

    def __init__(self, generator: Player, discriminator: Player, prior: Uniform, gamma: float) -> None:
        super().__init__(generator, discriminator, None, prior, images.SYMMETRIC)
        self.gamma = gamma
        self.reports = ("real_error", "fake_error", "k", "convergence")

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Both players move, from one forward pass."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the losses of both players and the reports, scalars, and moves k. k is the one that the loss had."""
        ops, control = keras.ops, self.discriminator.get_layer("control")
        seen = ops.concatenate([real, self.sample(real.shape[0])])
        errors = ops.abs(seen - self.discriminator(seen, training=True))
        real_error, fake_error = map(ops.mean, ops.split(errors, 2))
        k = ops.copy(control.k)  # before it moves
        whole_real, whole_fake = replicas.mean([real_error, fake_error])  # since |.| and clipping are not linear
        behind = self.gamma * whole_real - whole_fake
        control.move(behind)
        return {
            "discriminator": real_error - k * fake_error,
            "generator": fake_error,
            "real_error": real_error,
            "fake_error": fake_error,
            "k": k,
            "convergence": whole_real + ops.abs(behind),
        }


def generator(shape: tuple[int, ...], latent_dim: int, width: int) -> "keras.Model":
    """Returns z -> images of `shape` in [-1, 1], or a little beyond."""
    z = keras.Input((latent_dim,))
    return keras.Model(z, decoded(z, shape, width), name="generator")


def discriminator(shape: tuple[int, ...], latent_dim: int, width: int, gain: float) -> "keras.Model":
    """Returns images of `shape` -> their reconstructions, with a layer `control` of this gain."""
    image = keras.Input(shape)
    made = decoded(encoded(image, latent_dim, width), shape, width)
    control = layers.ProportionalControl(gain, name="control", dtype="float32")
    return keras.Model(image, control(made), name="discriminator")


def encoded(x: Tensor, size: int, width: int) -> Tensor:
    """Returns the codes `(batch, size)` of images `(batch, height, width, channels)`."""
    scales = SCALES[x.shape[1]]
    x = convolution(x, width)
    for i in range(1, scales + 1):
        x = convolution(convolution(x, i * width), i * width)
        x = convolution(x, (i + 1) * width, strides=2) if i < scales else x
    return keras.layers.Dense(size)(keras.layers.Flatten()(x))


def decoded(code: Tensor, shape: tuple[int, ...], width: int) -> Tensor:
    """Returns the images `(batch, *shape)` of codes `(batch, size)`."""
    scales = SCALES[shape[0]]
    start = shape[0] >> scales - 1
    x = keras.layers.Reshape((start, start, width))(keras.layers.Dense(start * start * width)(code))
    for i in range(scales):
        x = convolution(convolution(layers.repeated(x) if i else x, width), width)
    x = keras.layers.Conv2D(shape[-1], 3, padding="same")(x)
    return keras.layers.Activation("linear", dtype="float32")(x)


def convolution(x: Tensor, channels: int, strides: int = 1) -> Tensor:
    """Returns a 3x3 convolution of x `(batch, height, width, channels)` and ELU."""
    return keras.layers.Conv2D(channels, 3, strides, padding="same", activation="elu")(x)


@dataclass(frozen=True, kw_only=True)
class BEGANRecipe(Recipe):
    """Boundary equilibrium GAN, Berthelot et al. 2017."""

    latent_dim: int = 64  # Numbers of z ~ U(-1, 1), and of the discriminator's code.
    width: int = 128  # Channels of the largest map, n.
    gamma: float = 0.5  # Diversity ratio: the error of generated images as a share of that of real ones, at most 1.
    gain: float = 0.001  # By how much k moves in a step, lambda.
    learning_rate: float = 1e-4  # Adam's, of both players.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(0 < self.gamma <= 1, "gamma", "above 0 and at most 1")
        for name in ("gain", "learning_rate"):
            self.demand(getattr(self, name) > 0, name, "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `BEGAN` for images of this shape."""
        shape, sizes = checked(data.images.shape[1:], SCALES), (self.latent_dim, self.width)
        return BEGAN(
            Player(generator(shape, *sizes), keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)),
            Player(discriminator(shape, *sizes, self.gain), keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)),
            Uniform(self.latent_dim),
            self.gamma,
        )


RECIPES = {"began": BEGANRecipe(batch_size=16, steps=50_000)}
