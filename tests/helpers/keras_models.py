"""Models of five kinds, small, made as a user of Keras makes them, and images for them."""

import keras
import numpy as np

import kgen

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
LARGE = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 1), np.uint8)


def networks(last="tanh"):
    """Returns a generator and a discriminator for 28 x 28 pixels in plain Keras."""
    layers = keras.layers
    generator = keras.Sequential(
        [keras.Input((16,)), layers.Dense(784, activation=last), layers.Reshape((28, 28, 1))], name="mine"
    )
    discriminator = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(1)]
    )
    return generator, discriminator


def gan(**others):
    generator, discriminator = networks()
    return kgen.DCGAN(generator=generator, discriminator=discriminator, **others)


def wgan_gp():
    return kgen.create("wgan-gp", PIXELS, width=2, latent_dim=8)


def acai():
    return kgen.create("acai", LARGE, depth=2, latent_channels=2)


def vae_gan():
    return kgen.create("vae-gan", LARGE, width=2, latent_dim=8)


def autoencoder():
    sizes = {"channels": (2,), "kernels": (3,), "strides": (2,), "paddings": (0,), "units": (8,), "latent_dim": 3}
    return kgen.create("autoencoder-basic", PIXELS, **sizes)


MODELS = {
    "gan": (gan, PIXELS),
    "wgan-gp": (wgan_gp, PIXELS),
    "acai": (acai, LARGE),
    "vae-gan": (vae_gan, LARGE),
    "autoencoder": (autoencoder, PIXELS),
}


def values(model):
    """Returns all that training changes: weights, statistics, optimizers, counters."""
    optimizers = [variable for each in model.optimizer.optimizers for variable in each.variables]
    return [variable.numpy() for variable in [*model.variables, *optimizers]]


def same(one, other):
    """Returns whether two models are equal bit for bit."""
    return all((mine == theirs).all() for mine, theirs in zip(values(one), values(other), strict=True))
