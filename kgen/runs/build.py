"""Matches of recipes: with a run's images, ready to be played, or as a run left them."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgen import data
from kgen.backend import keras, tf
from kgen.core.trainer import Trainer
from kgen.errors import UsageError
from kgen.runs import checkpoint, directory

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe
    from kgen.data import Images


def load(recipe: "Recipe") -> "Images":
    """Returns the recipe's training images, `kgen.data.Images`."""
    classes = [name.strip() for name in (recipe.classes or "").split(",") if name.strip()]
    return data.load(recipe.dataset, recipe.split, recipe.data_dir, recipe.image_size, recipe.crop, classes)


def prepare(recipe: "Recipe", pictures: "Images") -> Trainer:
    """Returns the compiled trainer of a recipe, weights drawn from its seed."""
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    jit = {"auto": on_gpu, "on": True, "off": False}[recipe.jit]
    if not jit and not on_gpu:
        tf.config.experimental.enable_op_determinism()  # Keras drops jit_compile once it is on
    keras.utils.set_random_seed(recipe.seed)
    with precision(recipe.precision):
        trainer = Trainer(recipe.game(pictures), recipe.seed, recipe.ema, recipe.holds_out or bool(recipe.best_by))
    trainer.compile(jit_compile=jit, steps_per_execution=recipe.steps_per_execution)
    return trainer


@contextlib.contextmanager
def precision(policy: str) -> Iterator:
    """Layers that are made inside compute in `policy`."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def reopen(recipe: "Recipe", run: Path) -> tuple[Trainer, int]:
    """Returns `(trainer, step)` of a run directory's newest checkpoint, for sampling and export, without its images.

    Raises:
        UsageError: there is no checkpoint yet.
    """
    shape, classes = directory.read_data(run)
    trainer = prepare(recipe, data.Images(np.zeros((1, *shape[1:]), np.uint8), np.zeros(1, np.int64), classes))
    step = checkpoint.restore(trainer, Path(run) / "checkpoints")
    if step == 0:
        raise UsageError(f"{run} has no checkpoint yet. Train it further: python scripts/train.py --resume {run}")
    return trainer, step
