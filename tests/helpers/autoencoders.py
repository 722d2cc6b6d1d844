"""A small autoencoder and images for it."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from tests.helpers.recipes import pictures

PLAIN = {
    "channels": (2, 3), "kernels": (3, 2), "strides": (2, 1), "paddings": (1, 0), "units": (7,), "latent_dim": 4,
    "encoder_dropout": 0.0, "l2": 0.0, "prune_every": 0, "batch_size": 4, "patience": 0, "loss": "bce",
}  # fmt: skip
DATA = pictures(6, size=8)
CLEAN = np.float32(DATA.images / 255)


def tiny(name="autoencoder", **changes):
    return dataclasses.replace(recipes.find(name), **{**PLAIN, **changes})


def game(data=DATA, seed=0, **changes):
    """Returns a small game with weights that are far from giving grey images."""
    keras.utils.set_random_seed(seed)
    made = tiny(**changes).game(data)
    made.autoencoder.set_weights([3 * weight for weight in made.autoencoder.get_weights()])
    return made


def a_round(made):
    """Plays a step in eager mode; returns the weights before and after."""
    trainer = BaseTrainer(made)
    trainer.compile(run_eagerly=True)
    before = made.autoencoder.get_weights()
    trainer.train_step(tf.constant(DATA.images)[None])
    return before, made.autoencoder.get_weights()


def logits(game, x):
    return game.autoencoder(tf.constant(x), training=False).numpy()
