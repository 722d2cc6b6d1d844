"""The clock of the other callbacks: steps of the whole run, not of this `fit`."""

from kgen.backend import keras


class EveryNSteps(keras.callbacks.Callback):
    """Calls `at(step)` whenever `step`, the number of steps played since the run began, is a multiple of `every`.

    Args:
        every: steps between calls.
        start: steps played before this `fit`, from the checkpoint that was resumed.
    """

    def __init__(self, every: int, start: int = 0) -> None:
        super().__init__()
        self.every, self.start = every, start

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        step = self.start + batch + 1
        if step % self.every == 0:
            self.at(step)

    def at(self, step: int) -> None:
        """Acts; `step` steps have been played."""
        raise NotImplementedError("A callback says in at() what it does, as a game does in play().")

    def close(self) -> None:
        """Gives back what the callback holds, however `fit` ended."""

    def finish(self, step: int) -> None:
        """Acts at the end of the run, unless the last step did."""
        if step % self.every:
            self.at(step)
