"""The games of report 003: networks, losses by hand, dropout, optimizers."""

import dataclasses

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.core.game import Player
from kgen.errors import UsageError
from kgen.models.reports import report003
from kgen.rng import Rng
from tests.helpers.recipes import pictures, shrink

NAMES = [f"gan-report003-{network}" for network in ("mnist", "dense", "conv", "transposed")]
every_recipe = pytest.mark.parametrize("name", NAMES)


def full(name, monkeypatch, data, **changes):
    monkeypatch.setattr(report003, "rmsprop", lambda network, rate: Player(network, None))
    with keras.StatelessScope(initialize_variables=False):  # up to 127 million weights are not allocated
        return dataclasses.replace(recipes.find(name), **changes).game(data)


@pytest.mark.parametrize(
    "name, changes, generator, discriminator",
    [
        ("mnist", {}, 2_503_984, 1_231_441),  # the report's
        ("dense", {}, 808_000 + 64_008_000 + 24_579_072, 24_584_000 + 12_808_000 + 1_601),
        ("dense", {"pieces": 2}, 89_395_072, 3_073 * 3_200 + 1_601 * 3_200 + 1_601),
        ("conv", {}, 808_000 + 64_008_000 + 6_003, 12_288 + 131_072 + 307_200 + 3_073 * 2_500 + 501),
        ("transposed", {}, 101 * 16_384 + 819_328 + 9_603, 4_864 + 204_928 + 819_456 + 4_097),
    ],
)
def test_parameter_counts(name, changes, generator, discriminator, monkeypatch):
    data = pictures(size=28) if name == "mnist" else pictures(channels=3)
    game = full(f"gan-report003-{name}", monkeypatch, data, **changes)
    assert game.generator.count_params() == generator
    assert game.discriminator.count_params() == discriminator


def test_the_convolutions_maps(monkeypatch):
    game = full("gan-report003-conv", monkeypatch, pictures(channels=3))
    shapes = dict.fromkeys(tuple(layer.output.shape[1:]) for layer in game.discriminator.layers)
    maps = [(32, 32, 64), (32, 32, 32), (16, 16, 32), (16, 16, 64), (8, 8, 32), (8, 8, 384), (8, 8, 192), (4, 4, 192)]
    assert list(shapes)[1:] == [*maps, (3072,), (2500,), (500,), (1,)]


@every_recipe
def test_losses_by_hand(name):
    """D's is the sum over real and generated images, and both see one batch of generated images."""
    game = shrink(recipes.find(name)).game(pictures())
    real = keras.ops.convert_to_tensor(pictures(4).images / np.float32(255))
    with Rng(1):
        values = game.turn(real)
    with Rng(1):
        real_logits, fake_logits = np.float64(game.discriminate(real)), np.float64(game.discriminate(game.sample(4)))
    real_score, fake_score = 1 / (1 + np.exp(-real_logits)), 1 / (1 + np.exp(-fake_logits))
    np.testing.assert_allclose(values["discriminator"], -np.mean(np.log(real_score) + np.log(1 - fake_score)), 1e-4)
    np.testing.assert_allclose(values["generator"], np.mean(1 - np.log(fake_score)) - 1, 1e-4)


@every_recipe
def test_only_the_second_script_has_dropout(name):
    game = shrink(recipes.find(name)).game(pictures())
    image = keras.ops.zeros((4, 32, 32, 1)) + 0.5
    with Rng(1):
        first, second = game.discriminate(image).numpy(), game.discriminate(image).numpy()
    assert (first != second).any() == (name == "gan-report003-transposed")


@every_recipe
def test_glorot_weights_zero_biases_and_the_prior(name):
    keras.utils.set_random_seed(0)
    game = shrink(recipes.find(name), latent_dim=100).game(pictures())
    for network in (game.generator, game.discriminator):
        kernels = [w.numpy() for w in network.trainable_variables if w.name == "kernel"]
        assert len({kernel.ravel()[0] for kernel in kernels}) == len(kernels)
        for kernel in kernels:
            field, (fan_in, fan_out) = np.prod(kernel.shape[:-2], dtype=int), kernel.shape[-2:]
            limit = np.sqrt(6 / (field * (fan_in + fan_out)))
            assert 0.9 * limit < np.abs(kernel).max() <= limit * (1 + 1e-6)
        assert not any(w.numpy().any() for w in network.trainable_variables if w.name == "bias")
    with Rng(0):
        z = game.prior.draw(500).numpy()
    assert 0.999 < np.abs(z).max() <= 1 and abs(z.std() - 1 / np.sqrt(3)) < 0.01


@pytest.mark.parametrize("scale", [1e-2, 1e-5])
def test_the_optimizer_is_that_of_tensorflow_2_0(scale):
    """It divides by `sqrt(v) + 1e-7`: the factor between a mean and a sum over the batch is nearly lost."""
    optimizer = report003.rmsprop(None, 1e-3).optimizer
    weight = keras.Variable(np.zeros(50, np.float32))
    optimizer.build([weight])
    square, expected, way = np.zeros(50), np.zeros(50), 0
    for gradient in np.random.default_rng(0).uniform(1, 2, (20, 50)) * scale:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weight])
        square = 0.9 * square + 0.1 * gradient**2
        step = 1e-3 * gradient / (np.sqrt(square) + 1e-7)
        expected, way = expected - step, way + step
    assert (abs(weight.numpy() - expected) <= 1e-6 * way).all()


@pytest.mark.parametrize("name", NAMES[2:])
def test_another_size_is_refused(name):
    with pytest.raises(UsageError, match="32 pixels, not 28x28: give --image-size 32"):
        recipes.find(name).game(pictures(size=28))
