"""Unsupervised Representation Learning with Deep Convolutional GANs. Radford, Metz, Chintala 2016, arXiv:1511.06434.

The game is Goodfellow's (alternating, k = 1, non-saturating); new are the networks (section 3) and their training
(section 4): strided convolutions instead of pooling, batch norm except at the generator's output and the
discriminator's input, no hidden dense layers, ReLU in the generator and LeakyReLU .2 in the discriminator, tanh images,
weights N(0, .02), Adam 2e-4 with beta1 .5.

The generator starts from a dense projection to 4x4 maps (7x7 for 28 pixels) and doubles them up to the image, halving
the channels; the discriminator mirrors it. `--upsampling` chooses how the maps double: `transposed` convolution as in
the paper, or `nearest` / `bilinear` enlargement and a convolution, which leave no checkerboard (Odena et al. 2016).

Recipes:
- `dcgan`: the scale of the authors' MNIST script, 64 channels at the largest map.
- `dcgan-faces`: figure 1, 128 channels, 64 pixels; give it `--dataset celeba`.
- `dcgan-report004`: the code of student report 004: kernels of 4, batch norm also behind the discriminator's first
  layer, Adam with beta1 .9, PyTorch's default initial weights since its N(0, .02) was never applied, whole frames
  squashed.

As in the authors' code no layer has a bias but batch norm's, and batch-norm gains start at N(1, .02). Deviation: z is
N(0, I) as in every later use of DCGAN; `--prior uniform` gives the paper's U(-1, 1).
"""

import math
from dataclasses import dataclass
from typing import Literal

from kgen import images, layers
from kgen.backend import keras
from kgen.core.adversarial import AdversarialRecipe
from kgen.core.game import Player
from kgen.core.priors import Normal, Uniform
from kgen.errors import UsageError
from kgen.losses.adversarial import OBJECTIVES
from kgen.models.gan import GAN

SIZES = (28, 32, 64, 128)
PRIORS = {"normal": Normal, "uniform": Uniform}
# Makers of initializers, new ones each time: one that is used twice gives the same numbers twice.
WEIGHTS = {
    "normal": lambda fan: keras.initializers.RandomNormal(0.0, 0.02),
    "uniform": lambda fan: keras.initializers.VarianceScaling(1 / 3, fan, "uniform"),  # U(+-1/sqrt(fan)), PyTorch's
}
GAINS = {"normal": lambda: keras.initializers.RandomNormal(1.0, 0.02), "uniform": lambda: "ones"}


def doublings(size):
    """Returns `(start, n)`: a map of `start` pixels doubled n times gives `size`."""
    start = 7 if size == 28 else 4
    return start, int(math.log2(size // start))


def generator(shape, latent_dim, width, kernel_size, upsampling, initial):
    """Returns z -> images in [-1, 1] of `shape`; the map before the image has `width` channels."""
    start, n = doublings(shape[0])
    grow, weights, gain = layers.UPSAMPLINGS[upsampling], WEIGHTS[initial], GAINS[initial]
    first = (start, start, width * 2 ** (n - 1))
    z = keras.Input((latent_dim,))
    # PyTorch codes the projection as a transposed convolution, whose fan is counted at the output.
    x = keras.layers.Dense(math.prod(first), use_bias=False, kernel_initializer=weights("fan_out"))(z)
    x = keras.layers.Reshape(first)(x)
    for i in reversed(range(n - 1)):
        x = keras.layers.ReLU()(layers.BatchNorm(gamma_initializer=gain())(x))
        x = grow(x, width * 2**i, kernel_size, use_bias=False, kernel_initializer=weights("fan_in"))
    x = keras.layers.ReLU()(layers.BatchNorm(gamma_initializer=gain())(x))
    x = grow(x, shape[-1], kernel_size, use_bias=False, kernel_initializer=weights("fan_in"))
    return keras.Model(z, keras.layers.Activation("tanh", dtype="float32")(x), name="generator")


def discriminator(shape, width, kernel_size, first_norm, initial):
    """Returns images -> logits `(batch, 1)`; the first map has `width` channels."""
    _, n = doublings(shape[0])
    weights, gain = WEIGHTS[initial], GAINS[initial]
    image = x = keras.Input(shape)
    for i in range(n):
        normed = i > 0 or first_norm
        x = keras.layers.Conv2D(
            width * 2**i, kernel_size, strides=2, padding="same", use_bias=False, kernel_initializer=weights("fan_in")
        )(x)
        x = layers.BatchNorm(gamma_initializer=gain())(x) if normed else x
        x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Dense(1, use_bias=False, kernel_initializer=weights("fan_in"))(keras.layers.Flatten()(x))
    return keras.Model(image, x, name="discriminator")


@dataclass(frozen=True, kw_only=True)
class ConvolutionalRecipe(AdversarialRecipe):
    """What recipes on DCGAN's networks share."""

    latent_dim: int = 100  # Size of z (section 4).
    width: int = 64  # Channels of the largest map; doubled as maps halve (figure 1: 128).
    kernel_size: int = 5  # Of every convolution (figure 1).
    upsampling: Literal["transposed", "nearest", "bilinear"] = "transposed"  # How the generator doubles its maps.
    learning_rate: float = 2e-4  # Of both players (section 4).

    def __post_init__(self):
        super().__post_init__()
        for name in ("latent_dim", "width", "kernel_size"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def networks(self, data, first_norm=False, initial="normal"):
        """Returns `(generator, discriminator)` for the images of `data`.

        Raises:
            UsageError: they are not square, or of a size that the networks cannot make.
        """
        shape = checked(data.images.shape[1:], SIZES)
        return (
            generator(shape, self.latent_dim, self.width, self.kernel_size, self.upsampling, initial),
            discriminator(shape, self.width, self.kernel_size, first_norm, initial),
        )


def checked(shape, sizes):
    """Returns the shape of images, `(height, width, channels)`; raises UsageError unless it is square, one of sizes."""
    if shape[0] not in sizes or shape[0] != shape[1]:
        size = "x".join(map(str, shape[:2]))
        choice, nearest = ", ".join(map(str, sizes)), min(sizes, key=lambda known: (abs(known - shape[0]), -known))
        raise UsageError(f"This model makes images of {choice} pixels, not {size}: give --image-size {nearest}.")
    return shape


@dataclass(frozen=True, kw_only=True)
class DCGANRecipe(ConvolutionalRecipe):
    """Deep convolutional GAN, Radford et al. 2016."""

    prior: Literal["normal", "uniform"] = "normal"  # Distribution of z: N(0, I), or U(-1, 1) as in section 4.
    first_norm: bool = False  # Batch norm behind the discriminator's first layer too; section 3 advises against it.
    initial: Literal["normal", "uniform"] = "normal"  # Weights N(0, .02) (section 4) or PyTorch's U(+-1/sqrt(fan)).
    beta1: float = 0.5  # Adam's (section 4).
    l2: float = 2.5e-5  # Weight decay added to the gradient (the authors' code).

    def __post_init__(self):
        super().__post_init__()
        self.demand(self.l2 >= 0, "l2", "0 or more")
        self.demand(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")

    def objective(self):
        """Returns the game's pair of losses."""
        return OBJECTIVES["non_saturating"]

    def game(self, data):
        make, judge = self.networks(data, self.first_norm, self.initial)
        return GAN(
            generator=Player(make, self.adam(), self.l2),
            opponent=Player(judge, self.adam(), self.l2),
            objective=self.objective(),
            prior=PRIORS[self.prior](self.latent_dim),
            image_range=images.SYMMETRIC,
            **self.rules(),
        )

    def adam(self):
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=self.beta1, epsilon=1e-8)


RECIPES = {
    "dcgan": DCGANRecipe(steps=4_000),
    "dcgan-faces": DCGANRecipe(width=128, batch_size=128, image_size=64, steps=40_000, sample_every=500),
    "dcgan-report004": DCGANRecipe(
        width=128,
        kernel_size=4,
        first_norm=True,
        initial="uniform",
        beta1=0.9,
        l2=0.0,
        batch_size=128,
        image_size=64,
        crop="squash",
        steps=4_000,  # 50 epochs of 10,000 images
    ),
}
