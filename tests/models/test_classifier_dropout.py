"""Dropout that fine-tuning gives to an encoder which was trained with another one."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.models.classifier import weighted_layers
from kgen.rng import Rng
from kgen.runs import directory
from tests.helpers.recipes import pictures

DATA = pictures(24, size=8)
ENCODER = {
    "channels": (),
    "kernels": (),
    "strides": (),
    "paddings": (),
    "units": (7, 6),
    "latent_dim": 4,
    "patience": 0,
}


@pytest.fixture
def run(tmp_path):
    """A run directory of an autoencoder with dropout, as far as its recipe."""
    directory.write_recipe(tmp_path, dataclasses.replace(recipes.find("autoencoder"), **ENCODER))
    return tmp_path


def classifier(run, **changes):
    return dataclasses.replace(recipes.find("classifier"), start_from=run, **changes)


def rates(game):
    return [layer.rate for layer in game.encoder.layers if hasattr(layer, "rate")]


def test_it_takes_the_place_of_the_encoders_own(run):
    own, other, none = (
        classifier(run, **c).game(DATA) for c in ({}, {"encoder_dropout": 0.5}, {"encoder_dropout": 0.0})
    )
    assert rates(own) == [0.19015, 0.19015] and rates(other) == [0.5, 0.5] and rates(none) == []
    shapes = [[tuple(w.shape) for w in game.encoder.weights] for game in (own, other, none)]
    assert shapes[0] == shapes[1] == shapes[2]  # so that the weights of the run fit
    assert len(weighted_layers(other.encoder)) == 3


def test_it_is_active_in_training_alone(run):
    game = classifier(run, encoder_dropout=0.5).game(DATA)
    batch = tf.constant(np.float32(DATA.images / 255)), tf.constant(np.int32(DATA.labels))
    losses = []
    for seed in (0, 0, 1):
        with Rng(seed):
            losses.append(float(game.turn(batch)["classifier"]))
    assert losses[0] == losses[1] != losses[2]
    np.testing.assert_array_equal(*(game.measures(batch)["cross_entropy"] for _ in range(2)))


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_no_rate_outside_of_its_range(run, rate):
    with pytest.raises(UsageError, match=f"--encoder-dropout must be at least 0 and below 1.*not {rate}"):
        classifier(run, encoder_dropout=rate)


def test_it_needs_an_encoder_that_can_drop(tmp_path):
    with pytest.raises(UsageError, match="--encoder-dropout must be .*only given with --start-from"):
        dataclasses.replace(recipes.find("classifier"), encoder_dropout=0.2)
    directory.write_recipe(tmp_path, dataclasses.replace(recipes.find("classifier"), width=2, features=5))
    with pytest.raises(UsageError, match="--encoder-dropout must be left out"):
        classifier(tmp_path, encoder_dropout=0.2).game(DATA)
