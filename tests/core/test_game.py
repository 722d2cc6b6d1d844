"""What games share: batches, networks in place of others, starting from another game, sheets."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.game import Game, Player, sheet
from kgen.errors import UsageError
from tests.helpers import autoencoders
from tests.helpers.recipes import pictures


@pytest.mark.parametrize("classes, expected", [((), (64, 8)), (("a",) * 3, (30, 10)), (("a",) * 200, (200, 1))])
def test_sheets_fit_into_one_request(classes, expected):
    assert sheet(classes) == expected


@pytest.mark.parametrize("changes", [{"latent_dim": 5}, {"units": (7, 7)}, {"channels": (2, 4)}])
def test_start_from_refuses_other_shapes(changes):
    one, other = autoencoders.game(**changes), autoencoders.game()
    before = other.autoencoder.get_weights()
    with pytest.raises(UsageError, match=r"^--start-from: the run has layers of other sizes; .* own shape\.$"):
        other.start_from(one)
    for mine, was in zip(other.autoencoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, was)


def test_start_from_takes_the_discriminator_too():
    small = dataclasses.replace(recipes.find("dcgan"), width=2, latent_dim=4)
    one, other = (dataclasses.replace(small, seed=seed).game(pictures(4, size=32)) for seed in (1, 2))
    other.start_from(one)
    for name in ("generator", "discriminator"):
        for mine, theirs in zip(getattr(other, name).get_weights(), getattr(one, name).get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_start_from_refuses_other_models():
    dcgan = dataclasses.replace(recipes.find("dcgan"), width=2, latent_dim=4).game(pictures(4, size=32))
    with pytest.raises(UsageError, match=r"^--start-from: the run has no such network; autoencoder can only .*\.$"):
        autoencoders.game().start_from(dcgan)


def number(start):
    """Returns a network of one number."""
    x = keras.Input((1,))
    return keras.Model(x, keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(start))(x))


class Labelled(Game):
    labelled, range = True, images.UNIT


def test_bytes_become_batches_of_floats_in_the_games_range():
    pixels, labels = np.uint8([0, 51, 255, 102]).reshape(2, 2, 1, 1, 1), np.array([[1, 2], [3, 4]])
    first, second = Game().receive(tf.constant(pixels))
    np.testing.assert_allclose(np.ravel([first, second]), [-1, -0.6, 1, -0.2], atol=1e-6)
    found = Labelled().receive((tf.constant(pixels), tf.constant(labels)))
    np.testing.assert_allclose(np.ravel([batch for batch, _ in found]), [0, 0.2, 1, 0.4], atol=1e-6)
    assert [rows.numpy().tolist() for _, rows in found] == [[1, 2], [3, 4]]


def test_a_move_is_the_optimizers_step():
    game = Game(walker=Player(number(3.0), keras.optimizers.SGD(0.5)))
    game.move("walker", [tf.constant([[2.0]]), tf.constant([4.0])])
    assert [float(np.ravel(weight)[0]) for weight in game.walker.get_weights()] == [2.0, -2.0]


def test_networks_are_replaced_in_a_copy_which_is_served_anew():
    class Served(Game):
        def signatures(self):
            return self.walker, {}

    game, other = Served(walker=Player(number(1.0), None)), number(2.0)
    assert game.served[0] is game.walker
    copied = game.with_networks({"walker": other})
    assert copied.served[0] is copied.walker is other
    assert game.served[0] is game.walker is not other


def test_a_game_acts_between_epochs_only_if_it_says_how():
    class Acting(Game):
        def between_epochs(self, epoch):
            return {"epoch": epoch}

    assert Acting().acts_between_epochs() and not Game().acts_between_epochs() and Game().between_epochs(1) == {}


def test_fixed_images_begin_black():
    class Fixed(Game):
        fixed_images_shape = (2, 4, 4, 1)

    assert Fixed().examples.dtype == np.uint8 and not Fixed().examples.any() and Fixed().examples.shape == (2, 4, 4, 1)
    assert not hasattr(Game(), "examples")


@pytest.mark.parametrize("ask", ["play", "measures", "pictures"])
def test_what_a_game_must_say_for_itself(ask):
    with pytest.raises(NotImplementedError, match=rf"{ask}\(\)"):
        getattr(Game(), ask)(None)
