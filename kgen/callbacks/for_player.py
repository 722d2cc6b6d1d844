"""A callback of Keras that looks at one player's optimizer only."""

from collections.abc import Callable
from typing import Any

from kgen.backend import keras


class ForPlayer(keras.callbacks.Callback):
    """Gives a callback one player's optimizer as `model.optimizer`: `ForPlayer("generator", LearningRateScheduler(f))`.

    Without it, callbacks that change the learning rate change that of every player.

    Args:
        player: name of the player.
        callback: of Keras, such as `LearningRateScheduler` or `ReduceLROnPlateau`.
    """

    def __init__(self, player: str, callback: "keras.callbacks.Callback") -> None:
        super().__init__()
        self.player, self.callback = player, callback

    def set_model(self, model: "keras.Model") -> None:
        """Shows the callback the model with this player's optimizer; raises ValueError if there is no such player."""
        super().set_model(model)
        players = model.game.players
        if self.player not in players:
            raise ValueError(f"There is no player {self.player!r}. The players are {', '.join(players)}.")
        self.callback.set_model(Seen(model, players[self.player].optimizer))

    def set_params(self, params: dict[str, Any]) -> None:
        """Passes the parameters of `fit` on."""
        super().set_params(params)
        self.callback.set_params(params)


class Seen:
    """A model as a callback sees it: all is the model's own but `optimizer`."""

    def __init__(self, model: "keras.Model", optimizer: "keras.optimizers.Optimizer") -> None:
        self.__dict__.update(_model=model, optimizer=optimizer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._model, name, value)


def passed_on(hook: str) -> Callable:
    """Returns the method `hook` of `ForPlayer`, which calls that of its callback."""

    def call(self: ForPlayer, *args: Any, **kwargs: Any) -> None:
        getattr(self.callback, hook)(*args, **kwargs)

    call.__doc__ = "Calls the callback's own."
    return call


for _hook in [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]:
    setattr(ForPlayer, _hook, passed_on(_hook))
