"""Distributions of the latent vector z. Draws come from `kgen.rng.current()`."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kgen import rng
from kgen.backend import Tensor, tf
from kgen.errors import UsageError


@dataclass(frozen=True)
class Normal:
    """z ~ N(0, I) of `size` dimensions."""

    size: int

    def draw(self, count: int | Tensor) -> Tensor:
        """Returns latents of shape `(count, size)`, float32."""
        return rng.current().normal((count, self.size))


@dataclass(frozen=True)
class Uniform:
    """z ~ U(-limit, limit) in each of `size` dimensions; `limit` = sqrt(3) gives unit variance."""

    size: int
    limit: float = 1.0

    def draw(self, count: int | Tensor) -> Tensor:
        """Returns latents of shape `(count, size)`, float32."""
        return rng.current().uniform((count, self.size), -self.limit, self.limit)


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of normal distributions: z = mean_k + factor_k e, e ~ N(0, I), with k drawn by the weights.

    Args:
        weights: probabilities of the components, `(k,)`.
        means: `(k, size)`.
        factors: lower Cholesky factors of the covariances, `(k, size, size)`.
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    @property
    def size(self) -> int:
        """The number of elements of a latent."""
        return self.means.shape[1]

    def draw(self, count: int | Tensor) -> Tensor:
        """Returns latents of shape `(count, size)`, float32."""
        random, bounds = rng.current(), np.cumsum(self.weights)[:-1].astype(np.float32)
        chosen = tf.searchsorted(bounds, random.uniform((count,)), side="right")
        each = tf.einsum("kij,nj->nki", self.factors.astype(np.float32), random.normal((count, self.size)))
        return tf.gather(each + self.means.astype(np.float32), chosen, axis=1, batch_dims=1)

    def __str__(self) -> str:
        return f"a mixture of {len(self.weights)} normal distributions of {self.size} numbers"


def to_json(prior: Any) -> dict[str, Any]:
    """Returns a prior of this file as JSON; raises UsageError for another one."""
    if not isinstance(prior, (Normal, Uniform)):
        raise UsageError("A prior of your own class is not kept in a file: save the weights, by save_weights().")
    return {"name": type(prior).__name__, **asdict(prior)}


def from_json(found: dict[str, Any]) -> Normal | Uniform:
    """Returns the prior that `to_json` described."""
    kinds = {kind.__name__: kind for kind in (Normal, Uniform)}
    return kinds[found["name"]](**{name: value for name, value in found.items() if name != "name"})
