"""A callback that saves checkpoints while training."""

from pathlib import Path

from kgen.callbacks.every_n_steps import EveryNSteps
from kgen.runs import checkpoint


class Checkpoints(EveryNSteps):
    """Saves the trainer at multiples of `every` and at the end of the run.

    Args:
        folder: where the checkpoints go.
        every: steps between checkpoints.
        start: steps played before this `fit`.
        keep: how many checkpoints to keep, the newest ones.
    """

    def __init__(self, folder: Path, every: int, start: int = 0, keep: int = 3) -> None:
        super().__init__(every, start)
        self.folder, self.keep = Path(folder), keep

    def at(self, step: int) -> None:
        """Saves a checkpoint."""
        checkpoint.save(self.model, self.folder, step, self.keep)
