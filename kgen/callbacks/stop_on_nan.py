"""A callback that stops training when a loss is NaN or infinite, before a checkpoint saves the damage."""

from typing import TYPE_CHECKING

import numpy as np

from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.errors import Diverged

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer


class StopOnNaN(EveryNSteps):
    """Raises `Diverged`, which names the loss and the first step at which it was NaN or infinite.

    If several are so in one step, it names the one that the step computed first: the player that moved first.

    Keras's `TerminateOnNaN` reads `logs["loss"]` only, and so misses a NaN in the loss of one player. The trainer notes
    the step on the device. This callback reads it every `every` steps, and before anything is saved. Weights that are
    not finite while losses still are stop a checkpoint, see `kgen.runs.checkpoint.save`.
    """

    def at(self, step: int) -> None:
        """Raises `Diverged` if a loss has been NaN or infinite."""
        faults = self.model.faults()
        if faults:
            name, first = next(iter(faults.items()))
            raise Diverged(
                f"{name} was not a finite number at step {first}; {weights(self.model, name)}. Checkpoints, if any, "
                "are from before that. Start a new run with a smaller --learning-rate or --precision float32, or go on "
                "from the last checkpoint at lower rates with --on-nan rollback."
            )


def weights(trainer: "BaseTrainer", fault: str) -> str:
    """Returns words that name the first weight that is not finite now; the player of the fault comes first."""
    players = sorted(trainer.game.players.items(), key=lambda item: not fault.startswith(f"{item[0]}_"))
    found = [
        f"{name}/{variable.path}"
        for name, player in players
        for variable in player.network.variables
        if not np.isfinite(variable.numpy()).all()
    ]
    return f"the first of {len(found)} weights that are not finite is {found[0]}" if found else "all weights are finite"
