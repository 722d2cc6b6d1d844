"""A small dcgan, trained in the tests' own process."""

import dataclasses

from kgen.core import recipe as recipes
from kgen.training import train as training

SMALL = {"width": 4, "latent_dim": 8, "batch_size": 8, "log_every": 5, "sample_every": 20, "checkpoint_every": 5}


def train(tmp_path, resume=None, **changes):
    small = dataclasses.replace(recipes.find("dcgan"), **{**SMALL, "steps": 20, **changes})
    return training.train(small, tmp_path / "runs", tmp_path / "exports", resume)
