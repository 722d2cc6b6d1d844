"""InfoGAN: Interpretable Representation Learning. Chen et al. 2016, arXiv:1606.03657; code: openai/InfoGAN.

The generator gets noise z and a code c. The game is Goodfellow's with one more term: c must be told from the image. The
mutual information I(c; G(z, c)) has the lower bound (equations 4 and 5)

    L_I(G, Q) = E[log Q(c | G(z, c))] + H(c),   c ~ P(c)

and the players solve min over G, Q and max over D of V(D, G) - lambda L_I(G, Q) (equation 6). Q is a second head of the
discriminator's network, so it costs almost nothing. No label is seen.

The code has a discrete part, Cat(10), and two continuous ones, U(-1, 1). Q gives the discrete part a softmax. It gives
each continuous part a normal distribution of variance 1, as in the authors' code: -log Q is then half the squared error
and a constant. z has 62 numbers from U(-1, 1). V is the non-saturating game.

The discrete code is the class of kgen's class-conditional models: `kgen sample --class 3`, and the signatures take it
as `label`. The last two numbers of a latent are the continuous codes; `walk` moves one of them. The export also has the
signatures of a classifier, which answer Q(c | x) of the discrete code.

Recipe `infogan`: the MNIST networks of table 1. Generator: dense layers of 1024 and 7x7x128, then two 4x4 transposed
convolutions of stride 2. Discriminator: two 4x4 convolutions of stride 2 with 64 and 128 channels, a dense layer of
1024, LeakyReLU .1; Q has a dense layer of 128 more. Batch norm everywhere but at the outputs and behind the
discriminator's first layer. Adam (beta1 .5) with a rate of 1e-3 for the generator and 2e-4 for the discriminator, batch
128, 5,000 steps, lambda 1, weights N(0, .02), pixels by a sigmoid.

Deviations: layers with batch norm have no bias, since batch norm takes it away. At 32 pixels the maps start from 8x8.

The discrete code finds digits without labels: on MNIST's test images with 5 % of errors in the paper (section 7.2).
After 5,000 steps of `--dataset mnist --width 32 --units 256 --batch-size 64 --precision mixed_bfloat16`, on two cores,
66.4 % are right under the best assignment (2,500 steps: 58.1 %): 0 and 5 share codes, so do 4 and 9, and 2 has two.
That is half as many images as the recipe's, on narrower networks, from one seed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images, layers
from kgen.backend import Tensor, keras, tf
from kgen.core import requests, signatures
from kgen.core.adversarial import AdversarialRecipe, ClassConditionalGame
from kgen.core.game import Player
from kgen.core.priors import Uniform
from kgen.core.regularisation import Discriminated
from kgen.losses.adversarial import LOSSES
from kgen.losses.classification import class_cross_entropy
from kgen.models.gan import GAN
from kgen.networks.dcgan import WEIGHTS
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

SIZES = (28, 32)


class InfoGAN(ClassConditionalGame, GAN):
    """Chen et al. 2016, section 5. Batches have no labels; the classes are the values of the discrete code.

    The discriminator's network returns `[logits (batch, 1), code_logits (batch, values), means (batch, continuous)]`.

    Args:
        discrete_weight, continuous_weight: lambda of the two parts of the code.
        others: as in `ClassConditionalGame`.
    """

    labelled = False
    exported = ("generator", "discriminator")  # the second for Q(c | x)

    def __init__(self, *args: Any, discrete_weight: float, continuous_weight: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.discrete_weight, self.continuous_weight = discrete_weight, continuous_weight
        self.reports += ("information", "continuous_error")

    def logit(self, batch: Tensor, training: bool = True) -> Tensor:
        """Returns the logits `(batch, 1)` of images being real."""
        return self.discriminate(batch, training=training)[0]

    def discriminator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The discriminator tells real from generated images, and Q learns the codes of the latter. Returns scalars."""
        real_logits, *_ = self.discriminate(real)
        fake, fake_logits, told = self.discriminated_sample(real.shape[0])
        values = {
            "discriminator": self.loss.discriminator(real_logits, fake_logits) + self.weighted(told),
            **self.scores(real_logits, fake_logits),
            "information": math.log(len(self.classes)) - told[0],
            "continuous_error": told[1],
        }
        return self.regularised(values, Discriminated(real, real_logits), Discriminated(fake, fake_logits))

    def generator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The generator learns to make images that look real and tell their code. Returns its loss, a scalar."""
        _, fake_logits, told = self.discriminated_sample(real.shape[0])
        return {"generator": self.loss.generator(fake_logits) + self.weighted(told)}

    def discriminated_sample(self, count: int) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Returns new images `(count, ...)`, their logits `(count, 1)`, and what is missing of their codes.

        That is two scalars: -E[log Q(c | x)] of the discrete code in nats, and the mean squared error of a continuous
        code.
        """
        codes, latents = self.some_labels(count), self.prior.draw(count)
        fake = self.generator([latents, codes], training=True)
        logits, code_logits, means = self.discriminate(fake)
        continuous = latents[:, latents.shape[1] - means.shape[1] :]
        error = keras.ops.mean(keras.ops.square(keras.ops.cast(means, "float32") - continuous))
        return fake, logits, (class_cross_entropy(codes, code_logits), error)

    def weighted(self, told: tuple[Tensor, Tensor]) -> Tensor:
        """Returns -lambda E[log Q(c | x)], a scalar, but for the constant of the normal distributions."""
        continuous = self.discriminator.outputs[2].shape[1]
        return self.discrete_weight * told[0] + self.continuous_weight * continuous * told[1] / 2

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns the signatures of a class-conditional generator, and those of Q as a classifier of images."""
        _, drawing = super().signatures()
        recognition = keras.Model(self.discriminator.inputs[0], self.discriminator.outputs[1])
        _, reading = signatures.classifier(recognition, self.range)
        variables = [*self.generator.variables, *recognition.variables]
        return requests.module_of(variables, *drawing.values(), reading["probabilities"], reading["classify"])


def walk(latent: np.ndarray, continuous: int, steps: int = 10, limit: float = 2.0) -> np.ndarray:
    """Returns latents `(steps, size)` that differ in one continuous code, which goes from -limit to limit (figure 2).

    Args:
        latent: the others' numbers, `(size,)`.
        continuous: which code, from the end: -1 is the last.
        steps: number of latents.
        limit: in training the codes lie in [-1, 1]; the paper's figures go beyond.
    """
    latents = np.repeat(np.float32(latent)[None], steps, axis=0)
    latents[:, continuous] = np.linspace(-limit, limit, steps)
    return latents


def generator(shape: tuple[int, ...], latent_dim: int, codes: int, width: int, units: int) -> "keras.Model":
    """Returns `[z and continuous codes, discrete code]` -> images in [0, 1] of `shape`. Table 1, right."""
    z, label = keras.Input((latent_dim,)), keras.Input((), dtype="int32")
    first = (shape[0] // 4, shape[1] // 4, 2 * width)
    x = keras.layers.Concatenate()([z, keras.ops.one_hot(label, codes)])
    x = rectified(dense(units)(x))
    x = keras.layers.Reshape(first)(rectified(dense(math.prod(first))(x)))
    x = rectified(layers.transposed(x, width, 4, use_bias=False, kernel_initializer=weights()))
    x = layers.transposed(x, shape[-1], 4, kernel_initializer=weights())
    return keras.Model([z, label], keras.layers.Activation("sigmoid", dtype="float32")(x), name="generator")


def discriminator(shape: tuple[int, ...], codes: int, continuous: int, width: int, units: int) -> "keras.Model":
    """Returns images -> `[logits (batch, 1), code_logits (batch, codes), means (batch, continuous)]`. Table 1, left."""
    image = keras.Input(shape)
    x = keras.layers.Conv2D(width, 4, 2, "same", kernel_initializer=weights())(image)
    x = keras.layers.LeakyReLU(0.1)(x)
    x = keras.layers.Conv2D(2 * width, 4, 2, "same", use_bias=False, kernel_initializer=weights())(x)
    x = rectified(x, 0.1)
    x = rectified(dense(units)(keras.layers.Flatten()(x)), 0.1)
    q = rectified(dense(2 * width)(x), 0.1)
    heads = [output(1)(x), output(codes)(q), output(continuous)(q)]
    return keras.Model(image, heads, name="discriminator")


def rectified(x: Tensor, slope: float = 0.0) -> Tensor:
    """Returns x `(batch, ..., channels)` after batch norm and LeakyReLU."""
    return keras.layers.LeakyReLU(slope)(layers.BatchNorm()(x))


def dense(units: int) -> "keras.layers.Dense":
    """Returns a dense layer that batch norm follows."""
    return keras.layers.Dense(units, use_bias=False, kernel_initializer=weights())


def output(units: int) -> "keras.layers.Dense":
    """Returns an output layer of a head."""
    return keras.layers.Dense(units, kernel_initializer=weights(), dtype="float32")


def weights() -> "keras.initializers.Initializer":
    """Returns a new initializer N(0, .02)."""
    return WEIGHTS["normal"]("fan_in")


@dataclass(frozen=True, kw_only=True)
class InfoGANRecipe(AdversarialRecipe):
    """InfoGAN, Chen et al. 2016."""

    noise_dim: int = 62  # Size of z ~ U(-1, 1).
    codes: int = 10  # Values of the discrete code, 2 to 256.
    continuous: int = 2  # How many continuous codes there are.
    discrete_weight: float = 1.0  # Lambda of the discrete code.
    continuous_weight: float = 1.0  # Lambda of the continuous codes.
    width: int = 64  # Channels of the largest map; twice as many at the smallest.
    units: int = 1024  # Units of the dense layer of both networks.
    generator_learning_rate: float = 1e-3  # Adam's, of the generator.
    discriminator_learning_rate: float = 2e-4  # Adam's, of the discriminator and Q.
    beta1: float = 0.5  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("noise_dim", "continuous", "width", "units"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(2 <= self.codes <= requests.LIMIT, "codes", f"from 2 to {requests.LIMIT}")
        for name in ("discrete_weight", "continuous_weight"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        for name in ("generator_learning_rate", "discriminator_learning_rate"):
            self.demand(getattr(self, name) > 0, name, "above 0")
        self.demand(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")

    def game(self, data: "Images") -> "Game":
        """Returns the `InfoGAN` for images of this shape."""
        shape, latent_dim = checked(data.images.shape[1:], SIZES), self.noise_dim + self.continuous
        made = generator(shape, latent_dim, self.codes, self.width, self.units)
        judge = discriminator(shape, self.codes, self.continuous, self.width, self.units)
        return InfoGAN(
            Player(made, keras.optimizers.Adam(self.generator_learning_rate, self.beta1, epsilon=1e-8)),
            Player(judge, keras.optimizers.Adam(self.discriminator_learning_rate, self.beta1, epsilon=1e-8)),
            loss=LOSSES["non_saturating"],
            prior=Uniform(latent_dim),
            image_range=images.UNIT,
            classes=tuple(f"code {number}" for number in range(self.codes)),
            discrete_weight=self.discrete_weight,
            continuous_weight=self.continuous_weight,
            **self.rules(),
        )


RECIPES = {
    "infogan": InfoGANRecipe(batch_size=128, steps=5_000),
}
