"""Distributions of the latent vector z. Draws come from `kgen.rng.current()`."""

from dataclasses import asdict, dataclass
from typing import Any

from kgen import rng
from kgen.backend import Tensor
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


def to_json(prior: Any) -> dict[str, Any]:
    """Returns a prior of this file as JSON; raises UsageError for another one."""
    if not isinstance(prior, (Normal, Uniform)):
        raise UsageError("A prior of your own class is not kept in a file: save the weights, by save_weights().")
    return {"name": type(prior).__name__, **asdict(prior)}


def from_json(found: dict[str, Any]) -> Normal | Uniform:
    """Returns the prior that `to_json` described."""
    kinds = {kind.__name__: kind for kind in (Normal, Uniform)}
    return kinds[found["name"]](**{name: value for name, value in found.items() if name != "name"})
