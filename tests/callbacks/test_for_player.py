"""A callback that sees one player's optimizer."""

import keras
import pytest

from kgen.callbacks import ForPlayer
from tests.helpers.keras_models import gan


def test_it_sees_one_optimizer_and_the_rest_of_the_model():
    model, seen = gan(), keras.callbacks.Callback()
    wrapped = ForPlayer("generator", seen)
    wrapped.set_model(model)
    assert seen.model.optimizer is model.generator_optimizer and seen.model.game is model.game
    seen.model.stop_training = True
    assert model.stop_training


def test_hooks_are_passed_on():
    calls, seen = [], keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: calls.append((epoch, logs)))
    ForPlayer("generator", seen).on_epoch_end(3, {"loss": 1.0})
    assert calls == [(3, {"loss": 1.0})]


def test_another_player_is_told():
    with pytest.raises(ValueError, match="There is no player 'critic'. The players are generator, discriminator"):
        ForPlayer("critic", keras.callbacks.Callback()).set_model(gan())
