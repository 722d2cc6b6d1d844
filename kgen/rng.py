"""Randomness that is a pure function of (seed, step, turn, draw, place in the batch).

There is no generator state to save, so a resumed run draws what the interrupted one would have drawn; an image's
numbers depend on its place in the whole batch, so any number of replicas draws the same; and the bits are the same in
eager mode, in a graph and under XLA, on CPU and GPU (Philox).
Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from contextvars import ContextVar
from typing import Any

from kgen.backend import Tensor, replicas, tf

_current = ContextVar("kgen_rng")


class Rng:
    """Draws tensors; the n-th draw of an equal `Rng` gives equal numbers.

    The first axis of a shape is the batch. Replicas draw their parts of one draw for the whole batch, unless it is
    `shared`: then all draw the same, as they do where there is no axis.

    Args:
        seed: an integer, or the `(2,)` int32 seed of another `Rng`.

    `with Rng(seed):` makes it the one that layers such as `Dropout` and games draw from (`current()`).
    """

    def __init__(self, seed: int) -> None:
        self.seed = scrambled(tf.constant([0, seed], tf.int32)) if isinstance(seed, int) else seed
        self._draws = 0
        self._tokens = []

    def fold_in(self, *numbers: Any) -> "Rng":
        """Returns an independent `Rng` for each combination of `numbers`: integers, or scalar tensors, below 2^31."""
        seed = self.seed
        for number in numbers:  # not stateless_fold_in, which keeps 32 bits of the seed
            seed = scrambled(tf.bitwise.bitwise_xor(seed, tf.stack([0, tf.cast(number, tf.int32)])))
        return Rng(seed)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Returns float32 numbers of `shape`, N(0, 1): the normal quantiles of uniform numbers, at most 5.4 from 0."""
        return tf.math.ndtri(self._open_uniform(shape))

    def uniform(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Tensor:
        """Returns float32 numbers of `shape`, uniform in (low, high)."""
        return low + (high - low) * self._open_uniform(shape)

    def integers(self, shape: tuple[int, ...], below: int, shared: bool = False) -> Tensor:
        """Returns int32 numbers of `shape`, uniform in 0 ... `below - 1`, for `below` up to 2^20."""
        return tf.cast(self._open_uniform(shape, shared) * below, tf.int32)

    def _open_uniform(self, shape: tuple[int, ...], shared: bool = False) -> Tensor:
        """Multiples of 2^-23, shifted by half of one: neither 0 nor 1, exact in float32.

        Made from the integers by hand, since TensorFlow's kernels and XLA turn the same bits into different floats.
        """
        self._draws += 1
        seed = self.fold_in(self._draws).seed
        apart = replicas.count() > 1 and shape and not shared
        whole = (replicas.count(), *shape) if apart else shape
        bits = tf.random.stateless_uniform(whole, seed, None, None, tf.uint32, alg="philox")
        bits = bits[replicas.number()] if apart else bits
        return (tf.cast(tf.bitwise.right_shift(bits, 9), tf.float32) + 0.5) * 2.0**-23

    def __enter__(self) -> "Rng":
        self._tokens.append(_current.set(self))
        return self

    def __exit__(self, *exception: Any) -> None:
        _current.reset(self._tokens.pop())


def scrambled(seed: int) -> Tensor:
    """Returns 64 pseudo-random bits, int32 `(2,)`, a function of the 64 bits of `seed` alone."""
    return tf.random.stateless_uniform((2,), seed, None, None, tf.int32, alg="philox")


def current() -> Rng:
    """Returns the `Rng` of the innermost `with Rng(...)`.

    Raises:
        RuntimeError: outside of one, where a draw would be neither random nor repeatable by intention.
    """
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError(
            "Random numbers are drawn inside `with Rng(seed):` (a training step does that itself)."
        ) from None
