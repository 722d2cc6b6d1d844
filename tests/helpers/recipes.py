"""Small versions of every recipe, and data for them."""

import dataclasses

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.core.recipe import Recipe
from kgen.data import Images, pipeline
from kgen.runs.build import precision


def one_of_each_paper():
    """Returns the names of all recipes as pytest parameters: of each paper's file all but the first are slow."""
    files, parameters = set(), []
    for name in recipes.names():
        file = type(recipes.find(name)).__module__
        parameters.append(pytest.param(name, marks=[pytest.mark.slow] if file in files else []))
        files.add(file)
    return parameters


def slow_but(*kept):
    """Returns the names of all recipes as pytest parameters, for what takes long: all but the `kept` are slow."""
    assert set(kept) <= set(recipes.names())
    return [pytest.param(name, marks=[] if name in kept else [pytest.mark.slow]) for name in recipes.names()]


SHARED = {field.name for field in dataclasses.fields(Recipe)}


def shrink(recipe, **changes):
    """Returns the recipe with its own large whole numbers (widths, sizes of codes) divided by 16, a batch of 4."""
    own = {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe) if f.name not in SHARED}
    small = {name: shrunk(value) for name, value in own.items() if type(value) in (int, tuple)}
    return dataclasses.replace(recipe, **{"batch_size": 4, "steps": 4, "image_size": None, **small, **changes})


def shrunk(value):
    """Returns a whole number, or each of a tuple, divided by 16 where it is above 16."""
    if type(value) is tuple:
        return tuple(map(shrunk, value))
    return max(2, value // 16) if value > 16 else value


def pictures(count=16, size=32, channels=1, seed=0):
    """Returns `Images` of noise with labels, of `size` pixels or `(height, width)`; any model plays on them."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (count, *np.broadcast_to(size, 2), channels), np.uint8)
    return Images(pixels, np.arange(count, dtype=np.int64) % 10, tuple(map(str, range(10))))


def new_trainer(name, seed=0, ema=0.0, policy="float32", **compile_arguments):
    """Returns a compiled trainer of a small version of the recipe `name`."""
    keras.utils.set_random_seed(seed)
    with precision(policy):
        small = shrink(recipes.find(name))
        trainer = BaseTrainer(small.game(pictures()), seed, ema, small.holds_out)
    trainer.compile(**compile_arguments)
    return trainer


def rounds_of(trainer, start, stop):
    """Returns the steps [start, stop) of `pictures()`."""
    return pipeline.training_steps(
        pictures(),
        batch_size=4,
        batches=trainer.game.batches,
        seed=0,
        start=start,
        stop=stop,
        labelled=trainer.game.labelled,
    )


def fit(trainer, start, stop):
    """Plays steps [start, stop)."""
    trainer.fit(rounds_of(trainer, start, stop), shuffle=False, verbose=0)


def each_round(trainer, count):
    """Plays steps 0 to `count` one by one, without the cost of a `fit` for each; yields what was logged, as floats."""
    batches = iter(rounds_of(trainer, 0, count))
    trainer.make_train_function()
    for _ in range(count):
        trainer.reset_metrics()  # values of a step, not means
        yield {name: float(value) for name, value in trainer.train_function(batches).items()}


def play(trainer, start, stop):
    """Plays steps [start, stop) and returns the mean losses since the last call."""
    fit(trainer, start, stop)
    return trainer.take_means()
