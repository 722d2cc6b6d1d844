"""Times the repetitions of a contestant's work."""

import time
from collections.abc import Callable

from kgen.studies.benchmark.case import Timing


class Meter:
    """Divides repetitions into the first one, a warm-up and parts.

    Args:
        timing: how many parts, and how long they are.
        began: when the process was started, by `clock`.
        clock: returns seconds; processes of one machine share the default.

    Attributes:
        first: seconds from the start of the process to the end of the first repetition; None before.
        seconds: that a repetition took, one number for each part.
    """

    def __init__(self, timing: Timing, began: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.timing, self.began, self.clock = timing, began, clock
        self.first, self.seconds = None, []
        self._warm = timing.warm_up == 0
        self.start()

    def start(self) -> None:
        """Starts the clock of the next part. Call it before the first repetition if something else takes time."""
        self._since, self._count = self.clock(), 0

    def did(self, count: int = 1, wait: Callable[[], object] = lambda: None) -> bool:
        """Notes repetitions.

        Args:
            count: how many were done since the last call.
            wait: waits until they are done, for a device that computes while Python goes on. It is called at the ends
                of parts only, and its time counts.

        Returns:
            Whether there is more to do.
        """
        self._count += count
        if self.first is None:
            wait()
            self.first = self.clock() - self.began
            if self._warm:
                self._end_part()
            self.start()
        elif self.clock() - self._since >= (self.timing.seconds if self._warm else self.timing.warm_up):
            wait()
            if self._warm:
                self._end_part()
            self._warm = True
            self.start()
        return len(self.seconds) < self.timing.parts

    def _end_part(self) -> None:
        self.seconds.append((self.clock() - self._since) / self._count)
