"""DCGAN's networks: sizes, channels, ways to double a map, initial weights."""

import dataclasses

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from tests.helpers.recipes import pictures


def blank(size, channels):
    return Images(np.zeros((2, size, size, channels), np.uint8), None, ())


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


@pytest.mark.parametrize("size", [28, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("upsampling", ["transposed", "nearest", "bilinear"])
def test_sizes_channels_and_upsamplings(size, channels, upsampling):
    own = dataclasses.replace(recipes.find("dcgan"), width=2, latent_dim=3, upsampling=upsampling)
    game = own.game(blank(size, channels))
    images = game.generator(keras.ops.ones((2, 3)), training=False)
    assert images.shape == (2, size, size, channels)
    assert game.discriminator(images, training=False).shape == (2, 1)


@pytest.mark.parametrize("size, first", [((28, 56), (7, 14)), ((48, 32), (6, 4)), ((64, 96), (4, 6))])
def test_rectangles_start_from_maps_of_their_proportion(size, first):
    own = dataclasses.replace(recipes.find("dcgan"), width=2, latent_dim=3)
    game = own.game(Images(np.zeros((2, *size, 3), np.uint8), None, ()))
    maps = next(layer.output.shape[1:3] for layer in game.generator.layers if layer.name.startswith("reshape"))
    assert maps == first and game.generator.output_shape == (None, *size, 3)
    assert game.discriminator.output_shape == (None, 1)


def test_upsamplings_differ_in_nothing_but_the_doubling():
    counts = {}
    for upsampling in ("transposed", "nearest", "bilinear"):
        own = dataclasses.replace(recipes.find("dcgan"), width=2, upsampling=upsampling)
        counts[upsampling] = trainable(own.game(blank(32, 3)).generator)
    assert len(set(counts.values())) == 1


def test_initial_weights_are_the_papers():
    keras.utils.set_random_seed(0)
    game = recipes.find("dcgan").game(blank(28, 1))
    kernels = [
        w.numpy() for n in (game.generator, game.discriminator) for w in n.trainable_variables if w.name == "kernel"
    ]
    gains = [
        w.numpy() for n in (game.generator, game.discriminator) for w in n.trainable_variables if w.name == "gamma"
    ]
    for kernel in kernels:
        assert abs(kernel.std() - 0.02) < 0.002 and abs(kernel.mean()) < 0.003
    assert len({kernel.ravel()[0] for kernel in kernels}) == len(kernels)  # no two draw the same numbers
    assert abs(np.concatenate(gains).std() - 0.02) < 0.004


def test_pytorchs_initial_weights_are_uniform_in_one_over_root_fan_in():
    game = recipes.find("dcgan-report004").game(blank(64, 3))
    second = [w.numpy() for w in game.discriminator.trainable_variables if w.name == "kernel"][1]  # 4x4, 128 -> 256
    assert np.abs(second).max() == pytest.approx(1 / np.sqrt(4 * 4 * 128), rel=1e-3)
    projection = game.generator.trainable_variables[0].numpy()  # torch: weight (100, 1024, 4, 4), fan_in = 1024 * 16
    assert np.abs(projection).max() == pytest.approx(1 / np.sqrt(1024 * 16), rel=1e-3)


def test_another_size_is_refused():
    with pytest.raises(UsageError, match="28, 32, 64, 128 pixels, not 48x48"):
        recipes.find("dcgan").game(pictures(size=48))
