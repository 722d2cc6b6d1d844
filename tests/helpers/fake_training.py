"""Training that only writes what a search reads, in no time.

Its loss is the learning rate, a tenth more for each later fold. `python fake_training.py HOW search.py ...` runs a
script that trains with the function HOW instead of `kgen.training.train.train`, and without TensorFlow.
"""

import json
import os
import runpy
import sys
import time
from types import SimpleNamespace

import numpy as np

from kgen.data import Images
from kgen.errors import Diverged


def train(recipe, runs_dir, exports_dir=None, resume=None):
    """Like `kgen.training.train.train`, with files that must go and files that must stay."""
    loss = recipe.learning_rate * (1 + 0.1 * getattr(recipe, "fold", 0))
    (resume / "environment.json").write_text("{}")
    (resume / "checkpoints").mkdir(exist_ok=True)
    (resume / "checkpoints/state").write_text("much")
    if loss >= 100:
        raise Diverged("loss was not a finite number at step 1.")
    epochs = [{"step": n, "validation_a": loss * k, "validation_b": 9.0} for n, k in enumerate((3, 1, 2), 1)]
    (resume / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in epochs))
    (resume / "log.jsonl").write_text(json.dumps({"step": 3, "a_loss": 7 * loss}) + "\n")
    return SimpleNamespace(run=resume, exported=exports_dir, finished=True)


def slowly(*arguments):
    """Trains for half a second."""
    time.sleep(0.5)
    return train(*arguments)


def to_death(*arguments):
    """Ends its process at once, as a lack of memory does."""
    os._exit(9)


def wrongly(*arguments):
    """Fails."""
    raise RuntimeError("bees in the disk")


if __name__ == "__main__":
    from tests.helpers import fake_training  # the module that processes of trials find

    images = Images(np.zeros((8, 28, 28, 1), np.uint8), None, ())
    stand_in = SimpleNamespace(train=getattr(fake_training, sys.argv[1]), load=lambda recipe: images)
    sys.modules["kgen.training.train"] = stand_in
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
