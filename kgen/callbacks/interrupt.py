"""A callback that ends training between two steps on Ctrl-C or SIGTERM, so that a checkpoint can be saved."""

import signal
import threading
from types import FrameType

from kgen.callbacks.every_n_steps import EveryNSteps


class Interrupt(EveryNSteps):
    """Stops `fit` at the end of the step in which SIGINT or SIGTERM arrived. A second signal acts as without kgen.

    Args:
        start: steps played before this `fit`.
    """

    def __init__(self, start: int = 0) -> None:
        super().__init__(1, start)
        self.asked, self._previous = False, {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Takes over both signals."""
        # Python sets signal handlers in the main thread only.
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        """Handles the first signal: notes it, and gives the next one back to the previous handlers."""
        self.asked = True
        for number, previous in self._previous.items():
            signal.signal(number, previous)

    def at(self, step: int) -> None:
        """Stops `fit` if a signal has arrived."""
        if self.asked:
            self.model.stop_training = True

    def close(self) -> None:
        """Gives both signals back to their previous handlers."""
        for number, previous in self._previous.items():
            signal.signal(number, previous)
