"""Small runs that hold images out, and validation losses that are planted."""

import dataclasses
import json

import numpy as np
import pytest

from kgen.callbacks import validation
from kgen.core import recipe as recipes
from kgen.training import train as training

# 80 images to see, 20 held out, 4 steps an epoch.
TINY = {
    "channels": (), "kernels": (), "strides": (), "paddings": (), "units": (6,), "latent_dim": 2,
    "split": "train[:100]", "batch_size": 20, "log_every": 5, "sample_every": 1_000, "checkpoint_every": 5, "keep": 20,
    "patience": 0, "prune_every": 0, "encoder_dropout": 0.0,
}  # fmt: skip
CLOCKS = ("steps", "log_every", "sample_every", "checkpoint_every")
CURVE = [0.75, 0.5, 0.625, 0.25, 0.375, 0.25, 0.5, 0.125]  # exact in float32; the sixth equals the fourth


def train(folder, resume=None, exports=None, **changes):
    small = dataclasses.replace(recipes.find("autoencoder"), **{**TINY, **changes})
    return training.train(small, folder / "runs", exports, resume)


class Planted:
    """Stands for `Measure`: reads losses off a curve, and keeps the weights that it was to measure."""

    def __init__(self, curve):
        self.curve, self.looks = list(curve), []

    def __call__(self, game, data, seed):
        self.game, self.held, self.seed = game, data, seed
        return self.measured

    def measured(self):
        self.looks.append(self.game.autoencoder.get_weights())
        loss = self.curve[len(self.looks) - 1]
        return {"binary_cross_entropy": loss, "squared_error": 1 - loss}


def planted(folder, curve, **changes):
    """Returns `(result, planted)` of a run whose validation losses are those of a curve."""
    with pytest.MonkeyPatch.context() as patch:
        measure = Planted(curve)
        patch.setattr(validation, "Measure", measure)
        return train(folder, **changes), measure


def lines(run):
    return [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]


def state(run):
    """Returns the bytes of the last checkpoint, and its name."""
    last = max((run / "checkpoints").glob("[0-9]*"))
    return last.name, (last / "state.safetensors").read_bytes()


def same(network, weights):
    """Whether the weights of a network are these, bit for bit."""
    return all(np.array_equal(mine, his) for mine, his in zip(network.get_weights(), weights, strict=True))
