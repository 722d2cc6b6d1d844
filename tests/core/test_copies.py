"""Copies of networks of every kind that Keras users write."""

import keras
import numpy as np
import pytest

from kgen import images
from kgen.core.base_trainer import BaseTrainer
from kgen.core.copies import frozen_copy
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.models.gan import GAN
from tests.helpers.recipes import fit


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A generator as Keras's guides write it."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.dense = keras.layers.Dense(width, activation="relu")
        self.norm = keras.layers.BatchNormalization()
        self.pixels = keras.layers.Dense(32 * 32, activation="tanh")
        self.shaped = keras.layers.Reshape((32, 32, 1))

    def call(self, z, training=False):
        return self.shaped(self.pixels(self.norm(self.dense(z), training=training)))

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("tests")
class Forgetful(Subclassed):
    """Its configuration lacks an argument."""

    def get_config(self):
        return {}


def built(network):
    network(np.zeros((2, 3), np.float32))
    return network


def functional():
    z = keras.Input((3,))
    return keras.Model(z, built(Subclassed(5))(keras.layers.Dense(3)(z)))


def sequential():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()])


@pytest.mark.parametrize("make", [lambda: built(Subclassed(5)), functional, sequential])
def test_a_copy_computes_the_same_with_weights_of_its_own(make):
    network, z = make(), np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    network(z, training=True)  # moves the statistics
    copy = frozen_copy(network)
    np.testing.assert_array_equal(copy(z), network(z))
    assert copy.trainable_variables == [] and network.trainable_variables
    before = np.array(copy(z))
    network.set_weights([weight + 1 for weight in network.get_weights()])
    np.testing.assert_array_equal(copy(z), before)


def test_a_network_that_cannot_be_copied_is_refused_in_a_sentence():
    with pytest.raises(UsageError, match=r"--ema, --best-by and --folds need: .* Give Forgetful a get_config"):
        frozen_copy(built(Forgetful(5)))


def test_a_subclassed_generator_trains_with_ema():
    critic = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    game = GAN(
        Player(built(Subclassed(5)), keras.optimizers.Adam()), Player(critic, keras.optimizers.Adam()),
        LOSSES["non_saturating"], Normal(3), images.SYMMETRIC,
    )  # fmt: skip
    trainer = BaseTrainer(game, ema=0.5)
    trainer.compile()
    first = trainer.averages["generator"].get_weights()
    fit(trainer, 0, 3)
    mean, live = trainer.averages["generator"].get_weights(), game.generator.get_weights()
    assert all((a != b).any() for a, b in zip(first, mean, strict=True))
    assert any((a != b).any() for a, b in zip(mean, live, strict=True))
