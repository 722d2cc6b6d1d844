"""The base class of the other callbacks, which counts the steps of the whole run, not of one `fit`."""

from kgen.backend import keras


class EveryNSteps(keras.callbacks.Callback):
    """Calls `at(step)` whenever the number of steps since the run began is a multiple of `every`.

    Args:
        every: steps between calls.
        start: steps played before this `fit`, that is the step of the checkpoint from which the run was resumed.
    """

    def __init__(self, every: int, start: int = 0) -> None:
        super().__init__()
        self.every, self.start = every, start

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Calls `at` when an execution ends on a multiple of `every`."""
        step = self.start + batch + 1
        if step % self.every == 0:
            self.at(step)

    def at(self, step: int) -> None:
        """Does what the callback is for; `step` is the number of steps played since the run began."""
        raise NotImplementedError("A callback says in at() what it does, as a game does in play().")

    def close(self) -> None:
        """Releases what the callback holds. It is called however `fit` ends; the base class holds nothing."""

    def finish(self, step: int) -> None:
        """Calls `at` at the end of the run, unless the last step has done so."""
        if step % self.every:
            self.at(step)
