"""Autoencoders under noise: the picture's rows, the table, and models that see no noise."""

import dataclasses
import types

import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.studies import robustness
from kgen.training import train as training


def test_the_picture_of_robustness_has_a_row_that_is_seen_above_each_runs(autoencoder):
    game, own = robustness.opened(autoencoder)
    test = robustness.test_images(own, "test[:40]")
    shown = robustness.picture([game, game], ["clean", "uniform:2"], test)
    rows = shown.reshape(6, 28, 12, 28, 1).swapaxes(1, 2)
    np.testing.assert_array_equal(rows[0], test.images[:12])
    np.testing.assert_array_equal(rows[1], rows[2])
    assert not np.array_equal(rows[3], rows[0]) and not np.array_equal(rows[4], rows[1])


@pytest.mark.slow
def test_another_model_sees_no_noise(tmp_path):
    small = {"width": 4, "latent_dim": 8, "batch_size": 8, "steps": 2, "split": "train[:50]"}
    run = training.train(dataclasses.replace(recipes.find("dcgan"), **small), tmp_path, None).run
    with pytest.raises(UsageError, match="is no autoencoder that can see noise"):
        robustness.opened(run)


def test_another_noise_is_seen_by_a_copy(autoencoder):
    game, _ = robustness.opened(autoencoder)
    assert robustness.seeing(game, "clean").noises == [] and len(robustness.seeing(game, "uniform:0.7").noises) == 1
    assert robustness.seeing(game, "uniform:0.7") is not game and game.noises == []


def test_the_table_has_a_row_for_each_run_and_what_it_was_trained_against():
    runs = types.SimpleNamespace(noise=None), types.SimpleNamespace(noise="uniform:0.7")
    lines = robustness.table(np.array([[0.25, 0.5], [1, 2]]), runs, ["a", "b"], ("clean", "hole:4x4")).splitlines()
    assert lines[0] == "| run | trained against | clean | hole:4x4 |"
    assert lines[2:] == ["| a | - | 0.2500 | 0.5000 |", "| b | uniform:0.7 | 1.0000 | 2.0000 |"]


def test_figures_have_each_run_and_noise():
    losses = np.array([[0.25, 0.5]])
    (found,) = robustness.figures(losses, ["runs/a"], ("clean", "uniform:2"), "bce")
    assert found == {"run": "runs/a", "loss": "bce", "losses": {"clean": 0.25, "uniform:2": 0.5}}
