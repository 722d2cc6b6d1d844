"""Runs that take a second."""

import dataclasses

from kgen.core import recipe as recipes
from kgen.training import train as training

TINY = {
    "channels": (2,), "kernels": (4,), "strides": (4,), "paddings": (0,), "units": (8,), "latent_dim": 3,
    "split": "train[:120]", "batch_size": 20, "steps": 10, "log_every": 5, "sample_every": 10, "checkpoint_every": 10,
    "prune_every": 0, "encoder_dropout": 0.0, "patience": 0,
}  # fmt: skip


def autoencoder(folder, **changes):
    """Returns the run directory of an autoencoder of 120 digits."""
    return training.train(dataclasses.replace(recipes.find("autoencoder"), **{**TINY, **changes}), folder, None).run
