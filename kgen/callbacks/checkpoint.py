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
        last: the last step of the run, which only `finish` saves: a run that is killed between its last checkpoint and
            its last line of the log would never write that line.
    """

    def __init__(self, folder: Path, every: int, start: int = 0, keep: int = 3, last: int | None = None) -> None:
        super().__init__(every, start)
        self.folder, self.keep, self.last = Path(folder), keep, last

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Saves a checkpoint at multiples of `every`, unless training ends here."""
        if self.start + batch + 1 != self.last and not self.model.stop_training:
            super().on_train_batch_end(batch, logs)

    def finish(self, step: int) -> None:
        """Saves the checkpoint of the last step, after all other callbacks have finished."""
        self.at(step)

    def at(self, step: int) -> None:
        """Saves a checkpoint."""
        checkpoint.save(self.model, self.folder, step, self.keep)
