"""Ctrl-C and a scheduler's SIGTERM end a trainer between two steps, with a checkpoint."""

import signal
import threading
from typing import Any

from kgen.callbacks.every_n_steps import EveryNSteps


class Interrupt(EveryNSteps):
    """Stops `fit` at the end of the step in which SIGINT or SIGTERM came; a second one ends the process at once.

    Attributes:
        stopped: the step at which the trainer stopped, or None.
    """

    def __init__(self, start: int = 0) -> None:
        super().__init__(1, start)
        self.asked, self.stopped, self._previous = False, None, {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._ask)

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        for number, previous in self._previous.items():
            signal.signal(number, previous)

    def at(self, step: int) -> None:
        if self.asked:
            self.stopped = step
            self.model.stop_training = True

    def close(self) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
