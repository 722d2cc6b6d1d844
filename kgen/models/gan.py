"""Generative Adversarial Nets. Goodfellow et al. 2014, arXiv:1406.2661; code: goodfeli/adversarial (mnist.yaml).

Algorithm 1 alternates k discriminator steps and one generator step: `GAN`. The authors' code updates both players at
once, from one forward pass: `SimultaneousGAN`. The recipe `gan` is the code's MNIST run:

- generator 100 -> 1200 -> 1200 rectifiers -> sigmoid pixels; the output bias starts at the logit of the mean training
  image, so that it begins as that image;
- discriminator of two maxout layers, 240 units of 5 pieces, behind dropout (inputs kept .8, hidden units .5), which is
  active in the generator's move too;
- plain gradient descent, momentum .5 -> .7 over 250 epochs, learning rate .1 divided by 1.000004 at every update;
- the non-saturating generator loss.

The paper's own data are `--dataset mnist --split train[:50000]`, 200 epochs are 100,000 rounds.

Deviations: momentum grows with every update, the code's once an epoch; pixel means are clipped to [.001, .999] before
the logit (the code's clip differs, at always-black pixels both are black); TensorFlow's random numbers.
"""

import math
from dataclasses import dataclass

import numpy as np

from kgen import images, layers, optimizers, signatures
from kgen.backend import keras
from kgen.game import Game, Player
from kgen.losses import OBJECTIVES
from kgen.priors import Uniform
from kgen.recipe import Recipe


class GAN(Game):
    """Goodfellow et al. 2014, Algorithm 1.

    Args:
        generator, discriminator: players; the discriminator's network returns logits `(batch, 1)`.
        objective: pair of losses, see `kgen.losses`.
        prior: distribution of z, see `kgen.priors`.
        image_range: values of the generator's images.
    """

    def __init__(self, generator, discriminator, objective, prior, image_range):
        super().__init__(generator=generator, discriminator=discriminator)
        self.objective, self.prior, self.range = objective, prior, image_range

    def play(self, batches):
        for batch in batches:  # "for k steps do"
            yield self.discriminator_turn, batch
        yield self.generator_turn, batches[-1]

    def discriminator_turn(self, real):
        return {"discriminator": self.objective.discriminator(self.judge(real), self.judge(self.sample(real.shape[0])))}

    def generator_turn(self, real):
        return {"generator": self.objective.generator(self.judge(self.sample(real.shape[0])))}

    def sample(self, count):
        """Returns generated images with the generator in training mode."""
        return self.generator(self.prior.draw(count), training=True)

    def judge(self, batch):
        """Returns the discriminator's logits, in training mode."""
        return self.discriminator(batch, training=True)

    def pictures(self, count):
        module, _ = self.served
        return module.serving_default(self.prior.draw(count))["images"]

    def signatures(self):
        return signatures.generator(self.generator, self.prior, self.range)


class SimultaneousGAN(GAN):
    """Both players move from one forward pass (adversary.AdversaryCost2); D's loss is the mean over real and fake."""

    def play(self, batches):
        yield self.turn, batches[-1]

    def turn(self, real):
        fake_logits = self.judge(self.sample(real.shape[0]))
        return {
            "discriminator": 0.5 * self.objective.discriminator(self.judge(real), fake_logits),
            "generator": self.objective.generator(fake_logits),
        }


def generator(latent_dim, width, mean_image):
    """Returns z -> 1200 -> 1200 -> pixels of mnist.yaml; weights U(+-.05), output bias at the mean image."""
    mean = mean_image.clip(0.001, 0.999)
    logits = keras.initializers.Constant(np.log(mean / (1 - mean)).ravel())
    z = x = keras.Input((latent_dim,))
    for _ in range(2):
        x = keras.layers.Dense(width, "relu", kernel_initializer=uniform(0.05))(x)
    x = keras.layers.Dense(mean.size, kernel_initializer=uniform(0.05), bias_initializer=logits)(x)
    x = keras.layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model(z, keras.layers.Reshape(mean.shape)(x), name="generator")


def discriminator(shape, units, pieces):
    """Returns the maxout network of mnist.yaml, image -> logit; weights U(+-.005), dropout before every layer."""
    image = keras.Input(shape)
    x = layers.Dropout(0.2)(keras.layers.Flatten()(image))
    for _ in range(2):
        x = keras.layers.Dense(units * pieces, kernel_initializer=uniform(0.005))(x)
        x = layers.Dropout(0.5)(layers.Maxout(pieces)(x))
    return keras.Model(image, keras.layers.Dense(1, kernel_initializer=uniform(0.005))(x), name="discriminator")


def uniform(limit):
    """Returns a new initializer U(-limit, limit); one that is used twice would give the same numbers twice."""
    return keras.initializers.RandomUniform(-limit, limit)


@dataclass(frozen=True, kw_only=True)
class GANRecipe(Recipe):
    """Generative Adversarial Nets, Goodfellow et al. 2014: dense maxout networks."""

    latent_dim: int = 100  # Size of z, uniform with unit variance (mnist.yaml).
    generator_width: int = 1200  # Rectifiers in each of the generator's two hidden layers.
    discriminator_units: int = 240  # Maxout units in each of the discriminator's two hidden layers.
    pieces: int = 5  # Linear pieces of a maxout unit.
    learning_rate: float = 0.1  # Of both players, at the start.

    def __post_init__(self):
        super().__post_init__()
        for name in ("latent_dim", "generator_width", "discriminator_units", "pieces"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data):
        mean_image = data.images.mean(axis=0) / 255
        networks = {
            "generator": generator(self.latent_dim, self.generator_width, mean_image),
            "discriminator": discriminator(mean_image.shape, self.discriminator_units, self.pieces),
        }
        end = 250 * max(1, len(data.images) // self.batch_size)  # "saturate: 250" epochs
        return SimultaneousGAN(
            **{
                name: Player(net, optimizers.AnnealedSGD(self.learning_rate, end=end)) for name, net in networks.items()
            },
            objective=OBJECTIVES["non_saturating"],
            prior=Uniform(self.latent_dim, limit=math.sqrt(3)),
            image_range=images.UNIT,
        )


RECIPES = {
    "gan": GANRecipe(batch_size=100, steps=100_000, sample_every=500),
}
