"""What a discriminator says of images: numbers of its network, classes by name, printed above each image."""

import types

import keras
import numpy as np
import pytest

from kgen import images
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference import captions
from tests.helpers.recipes import pictures, shrink

DATA = pictures(6)


def game(name):
    keras.utils.set_random_seed(0)
    return shrink(recipes.find(name)).game(DATA)


@pytest.mark.parametrize("name", ["wgan-report002", "gan-report002"])
def test_scores_are_those_of_the_network_that_sees_its_own_range(name):
    made, drawn = game(name), DATA.images[:4] / np.float32(255)
    seen = images.from_bytes(DATA.images[:4], made.range)
    expected = np.asarray(made.players[made.discriminator_name].network(seen, training=False)).ravel()
    assert [float(text) for text in captions.captions(made, drawn)] == pytest.approx(expected, abs=0.0051)


def test_classes_are_named_and_the_last_is_fake():
    made, drawn = game("improved-gan-report002"), DATA.images / np.float32(255)
    network = made.players[made.discriminator_name].network
    bias = network.layers[-1].bias if hasattr(network.layers[-1], "bias") else network.trainable_variables[-1]
    assert bias.shape == (11,)
    for number, name in ((10, "fake"), (7, "7")):
        bias.assign(1e3 * np.eye(11)[number])
        assert captions.captions(made, drawn) == [name] * 6


def test_without_a_discriminator_there_is_nothing_to_say():
    for none in (None, types.SimpleNamespace()):
        with pytest.raises(UsageError, match="^--scores needs the --run of a GAN"):
            captions.captions(none, DATA.images)


@pytest.mark.parametrize("channels, size", [(1, 28), (3, 96)])
def test_texts_stand_above_enlarged_images(channels, size):
    given = np.random.default_rng(0).integers(0, 256, (3, size, size, channels), np.uint8)
    sheet = captions.captioned(given, ["1.00", "", "fake"], 2)
    factor = 3 if size == 28 else 1
    high, wide = size * factor + captions.HEIGHT, size * factor
    assert sheet.shape == (2 * high, 2 * wide, channels)
    for number, (row, column) in enumerate(((0, 0), (0, 1), (1, 0))):
        cell = sheet[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        np.testing.assert_array_equal(cell[captions.HEIGHT :: factor, ::factor], given[number])
        assert (cell[: captions.HEIGHT].max() > 200) == (number != 1)
