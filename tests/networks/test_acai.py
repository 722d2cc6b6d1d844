"""The networks of Berthelot et al.: the authors' parameters, the paper's initial weights, sizes that halve."""

import dataclasses

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from tests.helpers.acai import tiny
from tests.helpers.recipes import pictures


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


@pytest.mark.parametrize(
    "name, channels, changes, encoder, decoder",
    [
        ("acai", 1, {}, 627_472, 313_985),
        ("acai", 1, {"latent_width": 4, "latent_channels": 2}, 150_146, 75_265),
        ("acai", 1, {"latent_width": 4}, 166_288, 83_329),
        ("acai", 3, {"depth": 64, "latent_width": 4}, 2_434_704, 1_219_203),
        ("acai", 3, {"depth": 64, "latent_width": 4, "latent_channels": 64}, 2_655_936, 1_329_795),
        ("acai-report000", 3, {}, 166_320, 83_619),
    ],
    ids=["lines", "mnist-32d", "mnist-256d", "cifar10-256d", "cifar10-1024d", "report000"],
)
def test_networks_have_the_authors_parameters(name, channels, changes, encoder, decoder):
    blank = Images(np.zeros((2, 32, 32, channels), np.uint8), None, ())
    made = dataclasses.replace(recipes.find(name), **changes).game(blank)
    assert (trainable(made.encoder), trainable(made.decoder)) == (encoder, decoder)
    assert trainable(made.autoencoder) == encoder + decoder and trainable(made.critic) == encoder


def test_initial_weights_have_the_papers_deviation():
    keras.utils.set_random_seed(0)
    made = recipes.find("acai").game(pictures(2))
    weights = [*made.autoencoder.trainable_variables, *made.critic.trainable_variables]
    for weight in weights:
        if weight.name == "bias":
            assert not weight.numpy().any()
            continue
        numbers = weight.numpy().ravel() * np.sqrt((1 + 0.2**2) * np.prod(weight.shape[:-1]))
        assert abs(numbers.std() - 1) < 5 / np.sqrt(2 * len(numbers))
        assert abs(numbers.mean()) < 5 / np.sqrt(len(numbers))
        assert len(numbers) < 10_000 or 3.5 < np.abs(numbers).max() < 6  # normal, and not cut off
    firsts = [weight.numpy().ravel()[0] for weight in weights if weight.name == "kernel"]
    assert len(set(firsts)) == len(firsts) == 2 * 11 + 10  # no two draw the same numbers


@pytest.mark.parametrize(
    "shape, changes, message",
    [
        ((28, 28, 1), {}, "--latent-width 2 cannot be halved from 28x28 pixels: give --image-size 32, or another"),
        ((24, 24, 1), {"latent_width": 2}, "cannot be halved from 24x24 pixels: give --image-size 32"),
        ((8, 18, 1), {}, "cannot be halved from 8x18 pixels: give --image-size 8"),
        ((8, 8, 1), {"latent_width": 8}, "--latent-width 8 cannot be halved from 8x8 pixels: give --image-size 16"),
        ((8, 8, 1), {"latent_width": 64}, "--latent-width 64 cannot be halved from 8x8 pixels: give --image-size 128"),
    ],
)
def test_images_that_do_not_halve_to_the_codes_maps_are_refused(shape, changes, message):
    with pytest.raises(UsageError, match=message):
        tiny(**changes).game(Images(np.zeros((2, *shape), np.uint8), None, ()))


@pytest.mark.parametrize("size, width, scales", [(8, 1, 3), (8, 4, 1), (24, 3, 3), (32, 2, 4), (64, 4, 4)])
def test_sizes_that_do_are_taken(size, width, scales):
    assert tiny(latent_width=width).pyramid((size, size, 3)).scales == scales


@pytest.mark.parametrize("shape", [(8, 20, 3), (20, 8, 3)])
def test_of_a_rectangle_the_shorter_side_has_the_latent_width(shape):
    game = tiny().game(Images(np.zeros((2, *shape), np.uint8), None, ()))
    assert game.encoder.output_shape[1] == 2 * 5 * 3  # halved twice; three channels
    assert game.decoder.output_shape == (None, *shape)
