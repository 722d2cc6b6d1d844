"""A callback that stops training when a loss is NaN or infinite, before a checkpoint saves the damage."""

from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.errors import Diverged


class StopOnNaN(EveryNSteps):
    """Raises `Diverged`, which names the loss and the first step at which it was NaN or infinite.

    Keras's `TerminateOnNaN` reads `logs["loss"]` only, and so misses a NaN in the loss of one player. The trainer notes
    the step on the device. This callback reads it every `every` steps, and before anything is saved.
    """

    def at(self, step: int) -> None:
        """Raises `Diverged` if a loss has been NaN or infinite."""
        faults = self.model.faults()
        if faults:
            name, first = min(faults.items(), key=lambda fault: fault[1])
            raise Diverged(
                f"{name} was not a finite number at step {first}. Checkpoints, if any, are from before that. "
                "Start a new run with a smaller --learning-rate or --precision float32."
            )
