"""Independent work on several devices at once, such as drawing images or looking at them."""

import collections
import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kgen.backend import tf


def on(device: str, function: Callable) -> Callable:
    """Returns a function that calls `function` where a device is the default one, such as `GPU:1`."""

    def call(*arguments: Any) -> Any:
        with tf.device(device):
            return function(*arguments)

    return call


def spread(functions: Sequence[Callable], items: Iterable) -> Iterator:
    """Yields, in the order of the items, `functions[i % n](item)` of item i.

    Each function works in a thread of its own, one item at a time. At most two items a function wait, so that a long
    iterable is not read at once. A single function is called where the caller is.
    """
    if len(functions) == 1:
        yield from map(functions[0], items)
        return
    with contextlib.ExitStack() as stack:
        threads = [(stack.enter_context(ThreadPoolExecutor(1)), function) for function in functions]
        waiting: collections.deque = collections.deque()
        for item, (thread, function) in zip(items, itertools.cycle(threads), strict=False):
            waiting.append(thread.submit(function, item))
            if len(waiting) == 2 * len(functions):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
