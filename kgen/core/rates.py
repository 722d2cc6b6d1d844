"""Factors on learning rates: of one player; of all, which `--on-nan rollback` lowers and which is in the checkpoint."""

from typing import TYPE_CHECKING, Any

from kgen.backend import Tensor, keras

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer


class Scaled(keras.optimizers.schedules.LearningRateSchedule):
    """`factor a(t)` at update t = 0, 1, ...

    Args:
        schedule: a, a learning-rate schedule.
        factor: a scalar variable, or a number.
    """

    def __init__(
        self, schedule: "keras.optimizers.schedules.LearningRateSchedule", factor: "keras.Variable | float"
    ) -> None:
        self.schedule, self.factor = schedule, factor

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the rate at an update, a scalar."""
        return self.schedule(step) * self.factor

    def get_config(self) -> dict[str, Any]:
        return {"schedule": self.schedule, "factor": float(self.factor)}


def attach(optimizer: "keras.optimizers.Optimizer", factor: "keras.Variable") -> None:
    """Makes an optimizer's schedule, if it has one, follow a factor. A rate that is a number is changed by `lower`."""
    if not is_number(optimizer):
        optimizer.learning_rate = Scaled(optimizer._learning_rate, factor)


def scale(optimizer: "keras.optimizers.Optimizer", factor: float) -> None:
    """Multiplies an optimizer's rate, a number or a schedule, by `factor`."""
    rate = optimizer._learning_rate
    optimizer.learning_rate = float(rate.numpy()) * factor if is_number(optimizer) else Scaled(rate, factor)


def lower(trainer: "BaseTrainer", factor: float) -> None:
    """Multiplies the rates of all players, as the recipe gives them, by `factor` in place of the factor of before."""
    change = factor / float(trainer.rate_factor.numpy())
    for player in trainer.game.players.values():
        if is_number(player.optimizer):
            player.optimizer.learning_rate = float(player.optimizer.learning_rate.numpy()) * change
    trainer.rate_factor.assign(factor)


def is_number(optimizer: "keras.optimizers.Optimizer") -> bool:
    """Returns whether an optimizer's learning rate is a number, held in a variable, and no schedule."""
    return isinstance(optimizer._learning_rate, keras.Variable)
