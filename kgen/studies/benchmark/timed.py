"""A Keras callback that tells the meter of each step, and ends `fit` when the meter has enough."""

from collections.abc import Callable

from kgen.backend import keras
from kgen.studies.benchmark.meter import Meter


class Timed(keras.callbacks.Callback):
    """Notes steps.

    Args:
        meter: what to tell.
        wait: function of the model that waits for its device.
    """

    def __init__(self, meter: Meter, wait: Callable[["keras.Model"], object]) -> None:
        super().__init__()
        self.meter, self.wait = meter, wait

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Starts the clock."""
        self._done = 0
        self.meter.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Notes the steps since the last call; `batch` is the last of them, from 0."""
        count, self._done = batch + 1 - self._done, batch + 1
        if not self.meter.did(count, lambda: self.wait(self.model)):
            self.model.stop_training = True
