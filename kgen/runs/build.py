"""Builds the trainer of a recipe, either new or with the weights of a run's newest checkpoint."""

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from kgen import data
from kgen.backend import keras, tf
from kgen.core.base_trainer import BaseTrainer
from kgen.core.recipe import Recipe, fixed
from kgen.errors import UsageError, again
from kgen.layers import batch_norm
from kgen.runs import checkpoint, directory


def load(recipe: Recipe, in_memory: bool = True) -> data.Images:
    """Returns the images that a recipe names: its dataset, split, size, crop, background and classes.

    Args:
        recipe: the recipe.
        in_memory: see `kgen.data.load`.
    """
    classes = [name.strip() for name in (recipe.classes or "").split(",") if name.strip()]
    return data.load(
        recipe.dataset,
        recipe.split,
        recipe.data_dir,
        recipe.image_size,
        recipe.crop,
        classes,
        recipe.skip_bad,
        recipe.background,
        in_memory,
    )


def prepare(
    recipe: Recipe, pictures: data.Images, kind: type[BaseTrainer] = BaseTrainer, game_of: Callable | None = None
) -> BaseTrainer:
    """Returns the compiled trainer of a recipe, with initial weights drawn from its seed.

    Args:
        recipe: its `jit` and `precision` also set how the networks compute.
        pictures: the training images; the networks take their shape and their classes.
        kind: class of the trainer.
        game_of: function of `pictures` to the game; None takes `recipe.game`.

    Raises:
        UsageError: the recipe has no networks for images of this size.
    """
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    jit = {"auto": on_gpu, "on": True, "off": False}[recipe.jit]
    if tf.distribute.has_strategy():
        if recipe.jit == "on":
            warnings.warn(
                "--jit on is for one device: XLA cannot compile a step of several, so it is off.", stacklevel=2
            )
        jit = False
    if not jit and not on_gpu:
        tf.config.experimental.enable_op_determinism()  # not with XLA: Keras drops jit_compile once this is on
    keras.utils.set_random_seed(recipe.seed)
    with precision(recipe.precision), batch_norm.statistics(recipe.batch_norm == "synchronized"):
        game = (game_of or recipe.game)(pictures)
        trainer = kind(game, recipe.seed, recipe.ema, recipe.holds_out or bool(recipe.best_by))
    trainer.numbers = json.dumps(fixed(recipe))
    trainer.compile(jit_compile=jit, steps_per_execution=recipe.steps_per_execution)
    return trainer


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Makes layers that are created inside the `with` block compute in `policy`, a Keras dtype policy."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def reopen(recipe: Recipe, run: Path, one: Path | None = None) -> tuple[BaseTrainer, int]:
    """Returns `(trainer, step)` of a run's checkpoint, for sampling and export; it reads no training images.

    Args:
        recipe: the recipe of the run.
        run: the run directory.
        one: the folder of one checkpoint of the run; without it the newest is taken.

    Raises:
        UsageError: there is no checkpoint yet, or it was saved with other numbers than the recipe's.
    """
    # One black image stands for the training images: the networks need only their shape and classes.
    shape, classes = directory.read_data(run)
    checkpoint.demand_numbers_of(Path(run) / "checkpoints", json.dumps(fixed(recipe)))
    trainer = prepare(recipe, data.Images(np.zeros((1, *shape[1:]), np.uint8), np.zeros(1, np.int64), classes))
    step = checkpoint.restore_one(trainer, one) if one else checkpoint.restore(trainer, Path(run) / "checkpoints")
    if step == 0:
        raise UsageError(f"{run} has no checkpoint yet. Train it further: {again('train', '--resume', run)}")
    return trainer, step
