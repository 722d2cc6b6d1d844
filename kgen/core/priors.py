"""Distributions of the latent vector z. Draws come from `kgen.rng.current()`."""

from dataclasses import dataclass

from kgen import rng
from kgen.backend import Tensor


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
