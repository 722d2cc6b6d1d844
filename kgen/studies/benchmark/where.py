"""Where the time of a step goes, and how much of it the machine could not do faster.

Each part is measured alone, in the process of the run: the step without `fit`, its convolutions and matrix products by
kind, the optimizers, the input pipeline. What the operations do not explain is normalisation, activations, random
numbers, means and TensorFlow's own work.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kgen.backend import Tensor, tf
from kgen.data import pipeline
from kgen.studies.benchmark import operations

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer
    from kgen.core.recipe import Recipe
    from kgen.data import Images

SECONDS = 1.0  # for which a part is repeated
SIDE = {"CPU": 2048, "GPU": 8192}  # of the ceiling's matrices
CHANNELS = {"CPU": 128, "GPU": 512}  # of the ceiling's convolution


def repeated(work: Callable[[], Any], wait: Callable[[Any], Any] = lambda made: None) -> float:
    """Returns the seconds that `work` takes, a mean over as many repetitions as fill a second, after a first one.

    Args:
        work: what is repeated.
        wait: waits for what `work` returned.
    """
    wait(work())
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        made, count = work(), count + 1
    wait(made)
    return (time.perf_counter() - began) / count


def arrived(made: Any) -> Any:
    """Waits for tensors that a device still computes."""
    return [tensor.numpy() for tensor in tf.nest.flatten(made)]


def facts(trainer: "BaseTrainer", recipe: "Recipe", pictures: "Images") -> dict[str, Any]:
    """Returns the operations of a step (`flops`), the machine's `ceilings` a second, and `where` a step's time goes.

    `where` is in seconds a step. The networks move, so the trainer is of no use afterwards.
    """
    steps = inputs(trainer, recipe, pictures)
    data = next(iter(steps))
    found = operations.needed(operations.graph_of_step(trainer, data))
    kinds = {
        kind: [each for each in found if operations.KINDS[each.type] == kind] for kind in operations.KINDS.values()
    }
    parts = {kind: repeated(operations.alone(each), arrived) for kind, each in kinds.items() if each}
    dtype = "bfloat16" if recipe.precision == "mixed_bfloat16" else "float32"
    where = {
        "step without fit": compiled_step(trainer, data),
        **parts,
        "optimizers": repeated(moves(trainer), arrived),
        "input pipeline": pace(steps),
    }
    return {"flops": sum(map(operations.flops, found)), "ceilings": ceilings(dtype), "where": where}


def inputs(trainer: "BaseTrainer", recipe: "Recipe", pictures: "Images") -> "tf.data.Dataset":
    """Returns a million of the steps that a run takes."""
    game, seen = trainer.game, recipe.divide(pictures)[0]
    how = {"batch_size": recipe.batch_size, "batches": game.batches, "seed": recipe.seed, "labelled": game.labelled}
    return pipeline.training_steps(seen, start=0, stop=10**6, strata=recipe.strata(seen), **how)


def compiled_step(trainer: "BaseTrainer", data: Tensor | tuple[Tensor, Tensor]) -> float:
    """Returns the seconds of a step on `data`, images `(batches, batch, ...)`, without its input pipeline and `fit`."""
    same = iter(tf.data.Dataset.from_tensors(data).repeat())
    return repeated(lambda: trainer.train_function(same), arrived) / trainer.steps_per_execution


def moves(trainer: "BaseTrainer") -> Callable[[], Tensor]:
    """Returns a function that moves every player once, by gradients that are random and small."""
    players = trainer.game.players
    gradients = {
        name: [tf.random.normal(weight.shape, stddev=1e-3) for weight in player.network.trainable_variables]
        for name, player in players.items()
    }

    @tf.function(autograph=False, jit_compile=trainer.jit_compile)
    def move() -> Tensor:
        for name in players:
            trainer.game.move(name, gradients[name])
        return tf.constant(0)

    return move


def pace(steps: "tf.data.Dataset") -> float:
    """Returns the seconds in which a dataset makes an element that nothing else waits for."""
    made = iter(steps)
    return repeated(lambda: next(made))


def ceilings(dtype: str) -> dict[str, float]:
    """Returns the most floating-point operations a second of a large matrix product and a large convolution.

    Args:
        dtype: of the numbers, `float32` or `bfloat16`.
    """
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    side, channels = SIDE[device], CHANNELS[device]
    one, other = (tf.cast(tf.random.normal((side, side)), dtype) for _ in range(2))
    maps = tf.cast(tf.random.normal((64, 32, 32, channels)), dtype)
    kernel = tf.cast(tf.random.normal((3, 3, channels, channels)), dtype)
    product = tf.function(lambda: tf.reduce_max(tf.matmul(one, other)[:1]), autograph=False)
    convolution = tf.function(lambda: tf.reduce_max(tf.nn.conv2d(maps, kernel, 1, "SAME")[:1]), autograph=False)
    return {
        "matrix product": 2 * side**3 / repeated(product, arrived),
        "convolution": 2 * 64 * 32**2 * 9 * channels**2 / repeated(convolution, arrived),
    }
