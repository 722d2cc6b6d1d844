"""The optimizers that `compile` gives to players, and what stock callbacks of Keras see in their place."""

from typing import TYPE_CHECKING, Any

from kgen.backend import keras
from kgen.core import rates
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer
    from kgen.core.game import Game

SUFFIX = "_optimizer"


class PlayersOptimizers:
    """Stands as `model.optimizer`. Callbacks change the rates of all `optimizers`, which have the players' names.

    Args:
        game: whose players' optimizers they are.
    """

    built = True

    def __init__(self, game: "Game") -> None:
        self.optimizers = [player.optimizer for player in game.players.values()]
        for name, optimizer in zip(game.players, self.optimizers, strict=True):
            optimizer.name = name  # callbacks log `learning_rate_<name>`

    @property
    def learning_rate(self) -> Any:
        """The rate of all players; raises UsageError where they have several. Setting it sets that of every player."""
        found = [optimizer.learning_rate for optimizer in self.optimizers]
        if len({float(rate) for rate in found}) > 1:
            raise UsageError(
                "The players have several rates: ask one, such as model.generator_optimizer.learning_rate."
            )
        return found[0]

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        for optimizer in self.optimizers:
            optimizer.learning_rate = rate

    @property
    def variables(self) -> "list[keras.Variable]":
        """The variables of all optimizers, which `summary` counts."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]


def named(game: "Game", optimizer: Any, others: dict[str, Any]) -> dict[str, Any]:
    """Returns `{player: optimizer}` of the arguments of `compile`.

    Args:
        game: the game whose players they are for.
        optimizer: for each player that has no other: an optimizer, its name or its configuration; None for none. Each
            player gets one of its own.
        others: `{argument: optimizer}` such as `generator_optimizer`, or `g_optimizer` where one player begins so.

    Returns:
        Optimizers that players do not have already.

    Raises:
        UsageError: an argument names no player.
    """
    found = {} if optimizer is None else {name: copy_of(keras.optimizers.get(optimizer)) for name in game.players}
    for argument, value in others.items():
        if not argument.endswith(SUFFIX):
            raise UsageError(f"compile() has no argument {argument!r}. It takes {', '.join(arguments(game))}.")
        found[player(game, argument.removesuffix(SUFFIX))] = keras.optimizers.get(value)
    return {name: each for name, each in found.items() if each is not game.players[name].optimizer}


def arguments(game: "Game") -> list[str]:
    """Returns the names of the arguments of `compile`."""
    own = [f"{name}{SUFFIX}" for name in game.players]
    return ["optimizer", *own, "loss", "metrics", "jit_compile", "steps_per_execution", "run_eagerly"]


def player(game: "Game", name: str) -> str:
    """Returns the player that `name` means: itself, the only one that begins so, or a critic called discriminator."""
    discriminator = getattr(game, "discriminator_name", None)
    if name in game.players:
        return name
    if name and discriminator and "discriminator".startswith(name):
        return discriminator
    near = [known for known in game.players if name and known.startswith(name)]
    if len(near) != 1:
        raise UsageError(f"There is no player {name!r}. The players of this model are {', '.join(game.players)}.")
    return near[0]


def copy_of(optimizer: "keras.optimizers.Optimizer") -> "keras.optimizers.Optimizer":
    """Returns a new optimizer of the same configuration: two players must not share one."""
    return type(optimizer).from_config(optimizer.get_config())


def hand_out(trainer: "BaseTrainer", optimizers: dict[str, Any]) -> None:
    """Gives each player named in `{player: optimizer}` its optimizer, built for the player's weights."""
    for name, optimizer in optimizers.items():
        player = trainer.game.players[name]
        if optimizer.built:
            optimizer = copy_of(optimizer)
        optimizer.build(player.network.trainable_variables)
        rates.attach(optimizer, trainer.rate_factor)
        player.optimizer = optimizer
        setattr(trainer, f"{name}{SUFFIX}", optimizer)


def demand_same_weights(game: "Game") -> None:
    """Raises UsageError if a player has nothing to train, or weights were frozen or freed after the model was made."""
    for name, player in game.players.items():
        mine, built = player.network.trainable_variables, player.optimizer._trainable_variables
        if not mine:
            raise UsageError(f"The network {name} has no weight that can be trained: set its trainable to True.")
        if [id(weight) for weight in mine] != [id(weight) for weight in built]:
            raise UsageError(
                f"Weights of {name} were frozen or freed after the model was made, and its optimizer is for the former "
                f"ones: give a new one by compile({name}{SUFFIX}=...)."
            )


def finish(game: "Game") -> None:
    """Gives weights the averages of optimizers with `use_ema=True`, as Keras does at the end of `fit`."""
    for player in game.players.values():
        player.optimizer.finalize_variable_values(player.network.trainable_variables)


def choose_loss(game: "Game", name: str) -> None:
    """Sets the losses of an adversarial game; raises UsageError if it has its own, or if there is no such pair."""
    if loss_of(game) is None:
        raise UsageError("The loss of this model is that of its paper: compile() takes no other.")
    if name not in LOSSES:
        raise UsageError(f"loss must be one of {', '.join(LOSSES)}, not {name!r}.")
    game.loss = LOSSES[name]


def loss_of(game: "Game") -> str | None:
    """Returns the name of an adversarial game's pair of losses; None for a game with losses of its own."""
    return next((name for name, each in LOSSES.items() if each is getattr(game, "loss", None)), None)
