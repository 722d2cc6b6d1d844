"""BEGAN: the losses, k and the measure of convergence by NumPy over several steps; networks by hand; numbers."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.core.priors import Uniform
from kgen.errors import UsageError
from kgen.layers import ProportionalControl
from kgen.models.began import BEGAN
from kgen.rng import Rng
from kgen.runs import checkpoint
from tests.helpers.linear_players import REAL, filled, generator, painted, player, rows
from tests.helpers.recipes import new_trainer, pictures, play, shrink


def autoencoder(gain):
    """Returns images -> images by a matrix, with the layer `control`; `reconstructed` does it by hand."""
    image = keras.Input((1, 2, 1))
    x = keras.layers.Reshape((1, 2, 1))(keras.layers.Dense(2)(keras.layers.Flatten()(image)))
    network = filled(keras.Model(image, ProportionalControl(gain, name="control")(x)))
    network.get_layer("control").k.assign(0.0)
    return network


def reconstructed(network, seen):
    kernel, bias = (np.float64(weight.numpy()) for weight in network.trainable_variables)
    return rows(seen) @ kernel + bias


def game(gamma=0.5, gain=0.02):
    return BEGAN(player(generator()), player(autoencoder(gain)), Uniform(2), gamma)


def test_losses_k_and_convergence_by_hand_over_steps():
    """The networks stay as they are, so only k changes: it rises and falls, or stays at 0 where gamma is small."""
    for gamma, directions in ((1.0, {1.0, -1.0}), (0.01, {-1.0})):
        made, k, seen, ks = game(gamma), 0.0, set(), set()
        for step in range(6):
            real = REAL * (20 if step % 2 == 0 else 0.1)
            with Rng(step):
                fake = painted(made.generator, made.prior.draw(len(REAL)))
            real_error = np.abs(rows(real) - reconstructed(made.discriminator, real)).mean()
            fake_error = np.abs(fake - reconstructed(made.discriminator, fake)).mean()
            behind = gamma * real_error - fake_error
            expected = {
                "discriminator": real_error - k * fake_error,
                "generator": fake_error,
                "real_error": real_error,
                "fake_error": fake_error,
                "k": k,
                "convergence": real_error + abs(behind),
            }
            with Rng(step):
                found = {name: float(value) for name, value in made.turn(tf.constant(real)).items()}
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
            k = float(np.clip(k + 0.02 * behind, 0, 1))
            seen.add(np.sign(behind))
            ks.add(round(k, 6))
        assert seen == directions and (len(ks) > 3) == (gamma == 1.0)


@pytest.mark.slow
def test_k_is_in_the_checkpoint_and_comes_back(tmp_path):
    one, other = new_trainer("began", seed=1), new_trainer("began", seed=2)
    one.game.discriminator.get_layer("control").k.assign(0.25)
    play(one, 0, 1)
    kept = float(one.game.discriminator.get_layer("control").k)
    assert kept != 0.25 and kept == pytest.approx(0.25, abs=0.01)
    checkpoint.save(one, tmp_path, 1)
    checkpoint.restore(other, tmp_path)
    assert float(other.game.discriminator.get_layer("control").k) == kept


def test_weights_by_hand():
    """32 pixels, n = 128: maps of 32, 16 and 8 pixels; the generator is a decoder of the same size."""
    made = recipes.find("began").game(pictures(size=32, channels=3))
    of = lambda rows, out: (9 * rows + 1) * out  # noqa: E731
    decoder = 65 * 8 * 8 * 128 + 6 * of(128, 128) + of(128, 3)
    encoder = of(3, 128) + 2 * of(128, 128) + of(128, 256) + 2 * of(256, 256) + of(256, 384) + 2 * of(384, 384)
    encoder += (8 * 8 * 384 + 1) * 64
    assert made.generator.count_params() == decoder
    assert made.discriminator.count_params() == encoder + decoder + 1  # k


@pytest.mark.parametrize("size, start", [(28, 7), (32, 8), pytest.param(128, 8, marks=pytest.mark.slow)])
def test_sizes_and_first_maps(size, start):
    made = shrink(recipes.find("began"), width=2).game(pictures(size=size, channels=3, count=1))
    shown = made.generator(tf.zeros((2, made.prior.size)))
    assert shown.shape == (2, size, size, 3) and made.discriminator(shown).shape == shown.shape
    maps = [layer.target_shape for layer in made.generator.layers if isinstance(layer, keras.layers.Reshape)]
    assert maps[0] == (start, start, 2)


def test_pixels_have_no_tanh():
    made = shrink(recipes.find("began")).game(pictures())
    shown = made.generator(1e3 * tf.ones((1, made.prior.size)))
    assert np.abs(shown).max() > 2


def test_the_recipe_is_the_papers():
    own = recipes.find("began")
    assert (own.latent_dim, own.width, own.gamma, own.gain, own.batch_size) == (64, 128, 0.5, 0.001, 16)
    assert own.learning_rate == 1e-4


@pytest.mark.parametrize("name, value", [("width", 0), ("gamma", 0.0), ("gamma", 1.5), ("gain", 0.0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name} must be .*, not {value}"):
        dataclasses.replace(recipes.find("began"), **{name: value})
