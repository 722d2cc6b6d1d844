"""Answers requests that come at the same time by one call.

This uses TensorFlow's `tf.nondifferentiable_batch_function`, whose scheduler is the one behind `--enable_batching` of
TensorFlow Serving. As there, if a signature refuses one request, all requests that were joined with it fail too.
"""

from collections.abc import Callable
from typing import Any

from kgen.backend import tf

THREADS = 2  # threads that call the signature
SIZE = 64  # most rows of a joined call; larger requests, and those without rows, are answered alone
WAIT = 2000  # microseconds for which a request waits for others


def possible(function: Callable) -> bool:
    """Returns whether requests can be joined: whether all inputs and outputs have the shape `(batch, ...)`."""
    specs = (*function.structured_input_signature[1].values(), *function.structured_outputs.values())
    return all(spec.shape.rank != 0 and spec.shape[0] is None for spec in specs)


def joined(function: Callable) -> Callable:
    """Returns a signature that many threads may call, each with its own rows, and that computes their rows together."""
    inputs, outputs = function.structured_input_signature[1], list(function.structured_outputs)

    @tf.nondifferentiable_batch_function(THREADS, SIZE, WAIT)
    def together(*columns: Any) -> Any:
        answers = function(**dict(zip(inputs, columns, strict=True)))
        return [answers[name] for name in outputs]

    @tf.function(input_signature=list(inputs.values()))
    def call(*columns: Any) -> Any:
        return dict(zip(outputs, together(*columns), strict=True))

    def answer(**columns: Any) -> Any:
        rows = [columns[name] for name in inputs]
        counts = {len(row) for row in rows}  # if they differ, the signature says so in its own words
        return call(*rows) if len(counts) == 1 and 0 < min(counts) <= SIZE else function(**columns)

    return answer
