"""SAGAN: where attention is, spectral norm in both networks, weights by hand, two time scales."""

import dataclasses

import keras
import pytest
import tensorflow as tf

from kgen import layers
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.models.sngan_projection import ProjectionGAN
from tests.helpers.recipes import pictures, shrink


def attention(network):
    return [layer for layer in network.layers if isinstance(layer, layers.SelfAttention)]


@pytest.mark.parametrize("size", [28, 32, pytest.param(64, marks=pytest.mark.slow)])
def test_attention_is_at_the_map_of_half_the_size(size):
    made = shrink(recipes.find("sagan")).game(pictures(size=size, channels=3))
    assert isinstance(made, ProjectionGAN)
    for network in (made.generator, made.discriminator):
        (found,) = attention(network)
        assert found.input.shape[1:3] == (size // 2, size // 2)
    shown = made.generator([tf.zeros((2, made.prior.size)), tf.constant([1, 9])])
    assert shown.shape == (2, size, size, 3) and made.discriminator([shown, tf.constant([1, 9])]).shape == (2, 1)


def test_every_kernel_of_both_networks_has_spectral_norm():
    made = shrink(recipes.find("sagan")).game(pictures())
    for network in (made.generator, made.discriminator):
        bare = [each for each in network.layers if isinstance(each, (keras.layers.Dense, keras.layers.Conv2D))]
        assert bare == [] and any(isinstance(each, layers.SpectralNorm) for each in network.layers)


def test_weights_by_hand():
    """CIFAR-10 with 256 channels; a spectral norm adds a number for each output channel."""
    made = recipes.find("sagan").game(pictures(size=32, channels=3))
    of = lambda rows, out: rows * out + out + out  # noqa: E731  kernel, bias, u
    norm = 2 * 10 * 256 + 2 * 256
    block = 2 * norm + 2 * of(9 * 256, 256) + of(256, 256)
    seen = lambda c: 4 * c * c // 8 + 3 * c // 8 + c + 1  # noqa: E731  f, g, h, v; their u; gamma
    assert made.generator.count_params() == of(128, 4 * 4 * 256) + 3 * block + 4 * 256 + of(9 * 256, 3) + seen(256)
    first = of(27, 128) + of(9 * 128, 128) + of(3, 128)
    others = 3 * 2 * of(9 * 128, 128) + of(128, 128)
    assert made.discriminator.count_params() == first + others + seen(128) + (10 * 128 + 128) + of(128, 1)


def test_the_recipe_is_the_papers():
    own = recipes.find("sagan")
    assert (own.loss, own.beta1, own.beta2, own.discriminator_steps, own.generator_steps) == ("hinge", 0.0, 0.9, 1, 1)
    players = shrink(own).game(pictures()).players
    rates = {name: float(player.optimizer.learning_rate) for name, player in players.items()}
    assert rates == pytest.approx({"generator": 1e-4, "discriminator": 4e-4})


@pytest.mark.parametrize("name, value", [("width", 6), ("latent_dim", 0), ("discriminator_learning_rate", 0.0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        dataclasses.replace(recipes.find("sagan"), **{name: value})
