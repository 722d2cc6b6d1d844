"""Magnitude pruning: the smallest weights of a layer are set to zero."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kgen.backend import keras


class Pruning(NamedTuple):
    """How much of each kind of weight is pruned, and how often.

    every: epochs between prunings, from 1.
    amounts: `{group: share}` of each kernel's weights, the smallest, that become zero; in [0, 1].
    persistent: whether they stay zero, or are trained on like the others.
    """

    every: int
    amounts: dict
    persistent: bool = False

    def act(self, epoch: int, kernels: "dict[str, list[keras.Variable]]") -> dict[str, float]:
        """Prunes the groups `{name: kernels}` if it is time. Returns `{"sparsity_<name>": share of zeros}`."""
        for name, members in kernels.items() if epoch % self.every == 0 else ():
            for kernel in members:
                prune(kernel, self.amounts[name])
        return {f"sparsity_{name}": sparsity(members) for name, members in kernels.items()}


def groups(**networks: Any) -> "dict[str, list[keras.Variable]]":
    """Returns `{"<name>_dense": kernels, "<name>_convolution": kernels}` of each network, without its output layer."""
    found = {}
    for name, network in networks.items():
        kernels = [layer.kernel for layer in network.layers if hasattr(layer, "kernel")][:-1]
        found[f"{name}_dense"] = [kernel for kernel in kernels if len(kernel.shape) == 2]
        found[f"{name}_convolution"] = [kernel for kernel in kernels if len(kernel.shape) > 2]
    return found


def prune(kernel: "keras.Variable", amount: float) -> None:
    """Sets to 0 the `round(amount n)` weights of a kernel, of n, that have the least absolute values.

    Zeros are the least of all, so pruning again by the same amount zeroes no more.

    Args:
        kernel: a Keras variable; it is changed.
        amount: in [0, 1].

    Source: Han et al. 2015, arXiv:1506.02626, section 3; PyTorch's `l1_unstructured`.
    """
    weights = kernel.numpy()
    smallest = np.argsort(np.abs(weights), axis=None, kind="stable")[: round(amount * weights.size)]
    weights.ravel()[smallest] = 0
    kernel.assign(weights)


def sparsity(kernels: "list[keras.Variable]") -> float:
    """Returns the share of zeros among the weights of some kernels, in [0, 1]; 0 of none."""
    count = sum(int(np.prod(kernel.shape)) for kernel in kernels)
    return sum(int(np.sum(kernel.numpy() == 0)) for kernel in kernels) / max(count, 1)


def holding_zeros(kernels: "dict[str, list[keras.Variable]]", move: Callable) -> None:
    """Calls `move()`, which changes weights, and sets back to 0 what was 0 in the groups `{name: kernels}`."""
    kernels = [kernel for members in kernels.values() for kernel in members]
    alive = [keras.ops.not_equal(kernel, 0) for kernel in kernels]
    move()
    for kernel, mask in zip(kernels, alive, strict=True):
        kernel.assign(keras.ops.where(mask, kernel, 0.0))
