"""A trainer is built from a recipe under its precision, and from a run only if that has a checkpoint."""

import dataclasses

import keras
import pytest

from kgen import data
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
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
