"""A trainer is built from a recipe under its precision, and from a run only if that has a checkpoint."""

import dataclasses

import keras
import pytest
import tensorflow as tf

from kgen import data
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.layers import BatchNorm
from kgen.runs import build, checkpoint, directory
from tests.helpers.recipes import pictures
from tests.helpers.small_dcgan import SMALL


def test_reopen_needs_a_checkpoint(tmp_path):
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL)
    run = directory.create(tmp_path, small)
    directory.write_environment(run, pictures(size=28))
    with pytest.raises(UsageError, match="has no checkpoint yet. Train it further: kgen train --resume "):
        build.reopen(small, run)


def test_a_run_whose_numbers_were_edited_is_refused_before_its_networks_are_built(tmp_path):
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL)
    run = directory.create(tmp_path, small)
    directory.write_environment(run, pictures(size=28))
    checkpoint.save(build.prepare(small, pictures(size=28)), run / "checkpoints", 7)
    assert build.reopen(small, run)[1] == 7
    with pytest.raises(UsageError, match="was saved with width 4, and the recipe has 1000000000"):
        build.reopen(dataclasses.replace(small, width=10**9), run)


def test_the_policy_is_put_back():
    before = keras.config.dtype_policy()
    with pytest.raises(ZeroDivisionError), build.precision("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        1 / 0
    assert keras.config.dtype_policy() == before
    assert isinstance(
        build.prepare(dataclasses.replace(recipes.find("dcgan"), **SMALL), data.load("ring")), BaseTrainer
    )


def test_a_step_of_several_devices_is_not_compiled_and_that_is_told():
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL)
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        with pytest.warns(UserWarning, match="--jit on is for one device"):
            assert not build.prepare(dataclasses.replace(small, jit="on"), pictures(size=28)).jit_compile
        assert not build.prepare(small, pictures(size=28)).jit_compile


@pytest.mark.parametrize("choice", ["synchronized", "local"])
def test_batch_norm_is_as_asked_for_in_networks_and_their_copies(choice):
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL, ema=0.9, batch_norm=choice)
    trainer = build.prepare(small, pictures(size=28))
    networks = [trainer.generator, trainer.discriminator, trainer.averages["generator"]]
    found = [layer.synchronized for network in networks for layer in network.layers if isinstance(layer, BatchNorm)]
    assert len(found) > 4 and set(found) == {choice == "synchronized"}
    assert BatchNorm().synchronized
