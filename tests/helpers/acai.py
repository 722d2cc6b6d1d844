"""A small game of ACAI."""

import dataclasses

import keras
import numpy as np

from kgen.core import recipe as recipes
from tests.helpers.recipes import pictures

TINY = {"image_size": None, "classes": None, "depth": 2, "latent_width": 2, "latent_channels": 3, "batch_size": 6}
DATA = pictures(12, size=8)


def tiny(name="acai", **changes):
    return dataclasses.replace(recipes.find(name), **{**TINY, **changes})


def game(name="acai", data=DATA, seed=0, scale=2, **changes):
    """Returns a small game whose critic's guesses differ as much from each other as from alpha."""
    keras.utils.set_random_seed(seed)
    made = tiny(name, **changes).game(data)
    random = np.random.default_rng(seed)
    for network in (made.autoencoder, made.critic):
        for weight in network.trainable_variables:
            weight.assign(scale * weight + 0.1 * random.normal(size=weight.shape))
    return made
