"""Estimates the memory that a recipe's networks need, before they take it, and refuses what cannot fit."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.backend import keras, tf
from kgen.core.options import MAY_CHANGE, marked
from kgen.errors import UsageError
from kgen.runs.build import precision

if TYPE_CHECKING:
    from kgen.core.game import Player
    from kgen.core.recipe import Recipe
    from kgen.data import Images

BYTES = {"bfloat16": 2, "float16": 2}  # of a number; others have 4
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MOST = 2**31  # a layer with as many units or images fits into no memory, and TensorFlow has many words for that
NAMED = 3  # how many numbers of a recipe a message names


def demand_fits(recipe: "Recipe", pictures: "Images") -> None:
    """Refuses a recipe that needs more memory than there is. With a GPU, only what no computer could hold.

    Args:
        recipe: the recipe to train.
        pictures: the training images, of which the networks take shape and classes.

    Raises:
        UsageError: it cannot fit; the text says how much it needs, and names its largest numbers.
    """
    needed = estimate(recipe, pictures)
    there = 1e15 if tf.config.list_physical_devices("GPU") else available()
    if needed > there:
        found = numbers(recipe)
        largest = sorted(found, key=lambda name: max(found[name]), reverse=True)[:NAMED]
        flags = ", ".join(f"--{name.replace('_', '-')} {' '.join(map(str, found[name]))}" for name in largest)
        size = "more memory than can be counted" if needed == math.inf else f"at least {needed / 1e9:.3g} GB of memory"
        raise UsageError(
            f"A training step needs {size}, but there are {there / 1e9:.3g} GB. Choose smaller numbers; the largest "
            f"are {flags}."
        )


def numbers(recipe: "Recipe") -> dict[str, tuple[int, ...]]:
    """Returns the whole numbers of each field on which the memory may depend, `{name: numbers}`."""
    others = {"seed", *marked(recipe, MAY_CHANGE)}
    fields = {name: value if type(value) is tuple else (value,) for name, value in vars(recipe).items()}
    kept = {name: tuple(n for n in values if type(n) is int) for name, values in fields.items() if name not in others}
    return {name: values for name, values in kept.items() if values}


def estimate(recipe: "Recipe", pictures: "Images") -> float:
    """Returns how many bytes a training step of a recipe needs at least; 0 if that cannot be told.

    The networks are built in a graph of TensorFlow, in which a variable has a shape and no memory. They are built in a
    thread, since Keras counts the names of layers in each: those of the real networks stay as they are.

    Returns:
        Bytes of the weights, of their gradients, of the optimizers, and of the outputs of layers that have weights.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(estimate_here, recipe, pictures).result()


def estimate_here(recipe: "Recipe", pictures: "Images") -> float:
    """Returns what `estimate` does, from this thread."""
    with tf.Graph().as_default(), precision(recipe.precision):
        try:
            players = recipe.game(pictures).players.values()
            return sum(of_player(player, recipe.batch_size) for player in players)
        except (OverflowError, MemoryError):
            return math.inf
        except Exception as error:  # of a size of 2^63 or more, or of networks that compute while they are built
            return math.inf if "too large" in str(error) or max(map(max, numbers(recipe).values())) >= MOST else 0


def of_player(player: "Player", batch: int) -> float:
    """Returns the bytes of a player's weights, gradients, optimizer and outputs of layers for a batch of images."""
    player.optimizer.build(player.network.trainable_variables)
    weights = [*player.network.variables, *player.network.trainable_variables, *player.optimizer.variables]
    outputs = [tensor for layer in player.network.layers if layer.weights for tensor in outputs_of(layer)]
    values = sum(BYTES.get(tensor.dtype, 4) * math.prod(size or batch for size in tensor.shape) for tensor in outputs)
    return 4 * sum(math.prod(variable.shape) for variable in weights) + values


def outputs_of(layer: "keras.Layer") -> "list[keras.KerasTensor]":
    """Returns the symbolic outputs of a layer; none if it has no single call."""
    try:
        return keras.tree.flatten(layer.output)
    except (AttributeError, ValueError):
        return []


def available() -> float:
    """Returns the bytes of memory of this machine, or of the container, if that has less."""
    there = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")] if hasattr(os, "sysconf") else []
    texts = [Path(name).read_text().strip() for name in LIMITS if Path(name).is_file()]
    return min([*there, *(int(text) for text in texts if text.isdecimal())], default=math.inf)
