"""Replicas of a training step under `tf.distribute`, each on its device with its part of every batch.

A game computes its losses on one part. The trainer takes means over replicas, so whatever is a mean over images needs
nothing more. What depends on the whole batch in another way uses these functions. Results then do not depend on the
number of replicas, but for the order of sums. Outside of a replica, as in callbacks, there is one part, the whole.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kgen.backend import Tensor, keras, tf


def count() -> int:
    """Returns how many replicas there are."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def number() -> Tensor | int:
    """Returns which replica this is, an integer scalar from 0 to `count() - 1`."""
    return tf.distribute.get_replica_context().replica_id_in_sync_group if count() > 1 else 0


def mean(values: Any) -> Any:
    """Returns the means over replicas of a tensor, or of each of a list or dictionary; gradients pass through."""
    return _reduced("MEAN", values)


def summed(values: Any) -> Any:
    """Returns the sums over replicas of a tensor, or of each of a list or dictionary; gradients pass through."""
    return _reduced("SUM", values)


def gathered(part: Tensor) -> Tensor:
    """Returns the whole batch `(count n, ...)` of which each replica has a part `(n, ...)`; gradients pass through."""
    replicas = count()
    if replicas == 1:
        return part
    shape = keras.ops.shape(part)
    placed = tf.scatter_nd([[number()]], part[None], (replicas, *shape))
    return tf.reshape(summed(placed), (replicas * shape[0], *shape[1:]))


def own(whole: Tensor) -> Tensor:
    """Returns this replica's part `(n, ...)` of the whole batch `(count n, ...)`."""
    replicas = count()
    if replicas == 1:
        return whole
    shape = keras.ops.shape(whole)
    return tf.reshape(whole, (replicas, shape[0] // replicas, *shape[1:]))[number()]


def run_if(allowed: Tensor, function: Callable, *arguments: Any) -> Tensor:
    """Calls `function(*arguments)` on every replica if `allowed`, a boolean scalar that is equal on all of them.

    A condition in which variables of several replicas change must stand outside of the replicas, so `tf.cond` alone
    does not do.

    Returns:
        1 if it was called, else 0, a float32 scalar.
    """

    def decide(strategy: "tf.distribute.Strategy", allowed: Any, arguments: Any) -> Tensor:
        def call() -> float:
            strategy.run(function, arguments)
            return 1.0

        return tf.cond(strategy.experimental_local_results(allowed)[0], call, lambda: 0.0)

    return tf.distribute.get_replica_context().merge_call(decide, (allowed, arguments))


def share_out(steps: "tf.data.Dataset", strategy: "tf.distribute.Strategy") -> Any:
    """Returns steps as a distributed dataset that gives each replica its part of every batch.

    Args:
        steps: dataset of `(batches, batch, ...)`, or of tuples of these; `batch` is a multiple of the replicas.
        strategy: whose replicas read them. Each of its workers makes the whole steps, and keeps its replicas' parts.
    """

    def parts(context: "tf.distribute.InputContext") -> "tf.data.Dataset":
        replicas = context.num_replicas_in_sync
        mine = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * mine

        def cut(values: Tensor) -> Tensor:
            batches, size, *shape = values.shape
            apart = tf.reshape(values, (batches, replicas, size // replicas, *shape))
            return tf.stack([apart[:, replica] for replica in range(first, first + mine)])

        def of_step(*step: Tensor) -> "tf.data.Dataset":
            cuts = tuple(map(cut, step))
            return tf.data.Dataset.from_tensor_slices(cuts if len(cuts) > 1 else cuts[0])

        found = steps.flat_map(of_step).prefetch(2 * mine)
        # Several workers know the shapes of endless datasets only: of others the last part may be smaller.
        return found.repeat() if context.num_input_pipelines > 1 else found

    return strategy.distribute_datasets_from_function(parts)


def undistributed(function: Callable, *arguments: Any) -> Any:
    """Returns `function(*arguments)`, called outside of a strategy's scope: a scope holds in its own thread only.

    For a variable of bytes, which workers cannot send each other.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def of_known_size(data: Any, size: int) -> Any:
    """Returns tensors `(size, ...)`, of which a distributed dataset may have forgotten the size of the first axis."""
    return tf.nest.map_structure(lambda x: x if x.shape[0] else tf.ensure_shape(x, (size, *x.shape[1:])), data)


def _reduced(how: str, values: Any) -> Any:
    return tf.distribute.get_replica_context().all_reduce(how, values) if count() > 1 else values
