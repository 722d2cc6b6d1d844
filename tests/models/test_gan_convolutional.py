"""The convolutional GAN of 2014: sizes of its code, the generator against loops, initial weights."""

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.core.game import Player
from kgen.errors import UsageError
from kgen.models import gan_maxout
from kgen.rng import Rng
from tests.helpers.recipes import pictures, shrink


@pytest.fixture
def full(monkeypatch):
    monkeypatch.setattr(
        gan_maxout, "annealed", lambda network, *_: Player(network, None)
    )  # optimizers would be allocated
    with keras.StatelessScope(initialize_variables=False):  # and so would 77 million weights
        return recipes.find("gan-cifar-conv").game(pictures(channels=3))


def test_the_generator_has_the_sizes_of_the_2014_code(full):
    shapes = [tuple(weight.shape) for weight in full.generator.trainable_variables]
    assert shapes == [(100, 8000), (8000,), (8000, 8000), (8000,), (5, 5, 3, 80), (32, 32, 3)]


def test_the_discriminators_maps_are_those_of_pylearn2(full):
    shapes = [tuple(layer.output.shape[1:]) for layer in full.discriminator.layers]
    maps = [(33, 33, 64), (33, 33, 32), (16, 16, 32), (15, 15, 64), (15, 15, 32), (7, 7, 32), (9, 9, 384), (9, 9, 192)]
    assert [s for s in dict.fromkeys(shapes) if s in maps] == maps
    assert shapes[-7:] == [(5, 5, 192), (5, 5, 192), (4800,), (2500,), (500,), (500,), (1,)]
    weights = (8 * 8 * 3 + 1) * 64 + (8 * 8 * 32 + 1) * 64 + (5 * 5 * 32 + 1) * 384 + (4800 + 1) * 2500 + 501
    assert full.discriminator.count_params() == weights


@pytest.fixture(scope="module")
def game():
    keras.utils.set_random_seed(0)
    return shrink(recipes.find("gan-cifar-conv")).game(pictures(channels=3))


def test_the_generator_equals_loops(game):
    z = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    first, _, second, _, kernel, bias = (w.numpy() for w in game.generator.trainable_variables)
    maps = 1 / (1 + np.exp(-(np.maximum(z @ first, 0) @ second).reshape(2, 10, 10, -1)))
    untied = np.random.default_rng(1).normal(size=bias.shape).astype(np.float32)
    expected = np.tile(untied, (2, 1, 1, 1))
    for i in range(10):
        for j in range(10):
            expected[:, 3 * i : 3 * i + 5, 3 * j : 3 * j + 5] += np.einsum("nm,hwcm->nhwc", maps[:, i, j], kernel)
    game.generator.trainable_variables[-1].assign(untied)
    np.testing.assert_allclose(game.generator(z), expected, atol=1e-4)


def test_initial_weights_are_those_of_the_2014_code(game):
    for network, limit in ((game.generator, 0.05), (game.discriminator, 0.005)):
        kernels = [w.numpy() for w in network.trainable_variables if w.name == "kernel"]
        assert len({kernel.ravel()[0] for kernel in kernels}) == len(kernels)  # no two draw the same numbers
        assert max(np.abs(kernel).max() for kernel in kernels) <= limit
        assert np.abs(np.concatenate([k.ravel() for k in kernels])).mean() == pytest.approx(limit / 2, rel=0.05)


def test_every_layer_of_the_discriminator_is_behind_dropout(game):
    rates = [layer.rate for layer in game.discriminator.layers if hasattr(layer, "rate")]
    assert rates == [0.2, 0.5, 0.5, 0.5, 0.5]
    heads = [layer.name.rstrip("_0123456789") for layer in game.discriminator.layers]
    affine = [i for i, name in enumerate(heads) if name in ("conv2d", "dense")]
    assert all("dropout" in heads[i - 2 : i] for i in affine)  # padding or flattening may come between
    with Rng(0):
        assert float(game.turn(keras.ops.zeros((4, 32, 32, 3)))["discriminator"]) == pytest.approx(np.log(2), abs=0.05)


def test_another_size_is_refused():
    with pytest.raises(UsageError, match="32 pixels, not 28x28: give --image-size 32"):
        recipes.find("gan-cifar-conv").game(pictures(size=28))
