"""The callback that tells the meter of steps."""

import keras
import numpy as np
import pytest

from kgen.studies.benchmark.timed import Timed


class Counting:
    """A meter that has enough after some steps."""

    def __init__(self, enough):
        self.enough, self.counts = enough, []

    def start(self):
        """Starts."""

    def did(self, count, wait):
        wait()
        self.counts.append(count)
        return sum(self.counts) < self.enough


@pytest.mark.parametrize("execution, counts", [(1, [1] * 4), (2, [2, 2])])
def test_every_step_is_told_and_fit_ends(execution, counts):
    model, waited = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), []
    model.compile("sgd", "mse", steps_per_execution=execution)
    meter = Counting(4)
    watcher = Timed(meter, waited.append)
    model.fit(np.zeros((40, 1)), np.zeros((40, 1)), batch_size=1, verbose=0, callbacks=[watcher])
    assert meter.counts == counts and waited == [model] * len(counts)
