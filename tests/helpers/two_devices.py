"""One device against several logical ones of the CPU, in a process of its own: TensorFlow divides a CPU at its start.

`python -m tests.helpers.two_devices DEVICES ROUNDS NAME ...` prints a line of JSON for each recipe: the largest
differences of logged values and of variables after each round, when both play it from the same variables.
"""

import json
import subprocess
import sys

import keras
import numpy as np

from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.data import pipeline
from kgen.runs import checkpoint, devices
from tests.helpers.processes import ROOT, environment
from tests.helpers.recipes import pictures, shrink

BATCH = 8
VARIANTS = {  # names that stand for a recipe with other numbers
    "dcgan-ada": ("dcgan", {"lecam": 0.3, "ada": 0.6, "r1": 0.1, "augment": "color,translation"}),
    "dcgan-bcr": ("dcgan", {"lecam": 0.3, "bcr_real": 1.0, "bcr_fake": 2.0, "augment": "color,cutout"}),
}


def measured(count, rounds, *names):
    """Returns `{name: {value or variable: largest difference}}`, measured by this file run as a program."""
    command = [sys.executable, "-m", "tests.helpers.two_devices", str(count), str(rounds), *names]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(line) for line in done.stdout.splitlines())


def trainer_of(name):
    keras.utils.set_random_seed(0)
    base, changes = VARIANTS.get(name, (name, {}))
    small = shrink(recipes.find(base), batch_size=BATCH, **changes)
    trainer = BaseTrainer(small.game(pictures()), 0, 0.9, small.holds_out)
    trainer.compile()
    return trainer


def play(trainer, step):
    """Plays one step, and returns what was logged."""
    game = trainer.game
    take = {"batch_size": BATCH, "batches": game.batches, "labelled": game.labelled, "seed": 0}
    trainer.fit(pipeline.training_steps(pictures(), start=step, stop=step + 1, **take), shuffle=False, verbose=0)
    return trainer.take_means()


def apart(one, other):
    """Returns the largest difference of two arrays, relative where they are above 1."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return float(np.max(np.abs(one - other) / np.maximum(1, np.abs(one)), initial=0.0))


def differences(name, strategy, rounds):
    """Returns the largest differences of a recipe over some rounds."""
    one = trainer_of(name)
    with strategy.scope():
        other = trainer_of(name)
    mine, theirs = checkpoint.variables(one), checkpoint.variables(other)
    assert all(np.array_equal(mine[key].numpy(), theirs[key].numpy()) for key in mine), "they begin alike"
    found = {}
    for step in range(rounds):
        logged, others = play(one, step), play(other, step)
        pairs = [(key, logged[key], others[key]) for key in logged]
        pairs += [(key, mine[key].numpy(), theirs[key].numpy()) for key in mine]
        for key, a, b in pairs:
            found[key] = max(found.get(key, 0.0), apart(a, b))
        for key, variable in mine.items():
            theirs[key].assign(variable.numpy())
    return found


if __name__ == "__main__":
    count, rounds, *names = sys.argv[1:]
    strategy = devices.strategy(int(count))
    for name in names:
        print(json.dumps([name, differences(name, strategy, int(rounds))]), flush=True)
