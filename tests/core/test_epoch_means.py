"""Means over an epoch, in `History` and `CSVLogger`."""

import csv

import keras
import numpy as np
import pytest

from kgen.core.epoch_means import VectorMean
from tests.helpers.recipes import each_round, new_trainer, rounds_of


def test_the_mean_of_vectors_and_its_reset():
    metric = VectorMean(2)
    np.testing.assert_array_equal(metric.result(), [0, 0])
    for values in ([1.0, 2.0], [3.0, 6.0]):
        metric.update_state(np.float32(values))
    np.testing.assert_allclose(metric.result(), [2, 4])
    metric.reset_state()
    metric.update_state(np.float32([5, 7]))
    np.testing.assert_allclose(metric.result(), [5, 7])


@pytest.mark.slow
def test_history_and_csv_have_the_means_of_an_epoch(tmp_path):
    steps = list(each_round(new_trainer("gan"), 6))
    trainer = new_trainer("gan")
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = trainer.fit(
        rounds_of(trainer, 0, 6), epochs=2, steps_per_epoch=3, shuffle=False, verbose=0, callbacks=[log]
    )
    expected = {name: [np.mean([step[name] for step in part]) for part in (steps[:3], steps[3:])] for name in steps[0]}
    for name, values in expected.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-5, atol=1e-7)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["generator_loss"]) for row in rows], expected["generator_loss"], rtol=1e-5)
