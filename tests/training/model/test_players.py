"""Optimizers for players by their names."""

import keras
import pytest

from kgen.errors import UsageError
from kgen.training.model import players
from tests.helpers.keras_models import gan, vae_gan, wgan_gp


@pytest.fixture(scope="module")
def model():
    return gan()


def test_each_player_gets_an_optimizer_of_its_own(model):
    model.compile(optimizer=keras.optimizers.SGD(0.25))
    one, other = model.optimizer.optimizers
    assert one is not other and [float(each.learning_rate) for each in (one, other)] == [0.25, 0.25]
    assert model.game.players["generator"].optimizer is model.generator_optimizer is one


def test_names_and_first_letters(model):
    found = players.named(
        model.game, "sgd", {"g_optimizer": "adam", "discriminator_optimizer": keras.optimizers.Lion()}
    )
    assert [type(found[name]).__name__ for name in ("generator", "discriminator")] == ["Adam", "Lion"]


def test_a_critic_is_a_discriminator_too():
    game = wgan_gp().game
    assert (
        players.player(game, "d") == players.player(game, "discriminator") == players.player(game, "critic") == "critic"
    )


def test_a_letter_of_two_players_is_told():
    with pytest.raises(
        UsageError, match="no player 'd'. The players of this model are encoder, decoder, discriminator"
    ):
        players.player(vae_gan().game, "d")


def test_other_arguments_are_told(model):
    with pytest.raises(UsageError, match="compile.. has no argument 'lr'. It takes optimizer, generator_optimizer"):
        model.compile(lr=1.0)


def test_the_loss_by_its_name(model):
    model.compile(loss="least_squares")
    assert players.loss_of(model.game) == "least_squares"
    with pytest.raises(UsageError, match="must be one of .*, not 'mse'"):
        model.compile(loss="mse")
    with pytest.raises(UsageError, match="that of its paper"):
        players.choose_loss(vae_gan().game, "hinge")
