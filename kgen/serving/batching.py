"""Requests that come at the same time, answered by one call.

TensorFlow's own operation (`tf.nondifferentiable_batch_function`), whose scheduler is that of TensorFlow Serving's
`--enable_batching`. As there, a request that a signature refuses takes those with it that were joined to it.
"""

from collections.abc import Callable
from typing import Any

from kgen.backend import tf

THREADS = 2  # that call the signature
SIZE = 64  # rows of a call at most; larger ones, and those without a row, are answered alone
WAIT = 2000  # microseconds that a request waits for others


def possible(function: Callable) -> bool:
    """Whether every input and output of a signature has rows, `(batch, ...)`."""
    specs = (*function.structured_input_signature[1].values(), *function.structured_outputs.values())
    return all(spec.shape.rank != 0 and spec.shape[0] is None for spec in specs)


def joined(function: Callable) -> Callable:
    """Returns a signature that many threads call, each with its rows, and that runs for all of them together."""
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
        return call(*rows) if 0 < len(rows[0]) <= SIZE else function(**columns)

    return answer
