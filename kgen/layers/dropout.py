"""Dropout whose masks come from the game's rng."""

from typing import Any

from kgen import rng
from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class Dropout(keras.layers.Layer):
    """Inverted dropout: in training `y = x / (1 - rate)` with probability `1 - rate`, else 0; at inference `y = x`.

    The mask is drawn from `kgen.rng.current()`. So a resumed run drops the same elements as an uninterrupted one,
    replicas drop different elements, and no state of a generator has to be saved.

    Args:
        rate: probability of dropping an element, in [0, 1).

    Raises:
        ValueError: `rate` is outside of [0, 1).
        RuntimeError: called with `training=True` outside of `with Rng(...)`.

    Source: Srivastava et al. 2014, JMLR 15, section 10.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be in [0, 1). Received: rate={rate}.")
        self.rate = rate

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return x
        kept = rng.current().uniform(keras.ops.shape(x)) >= self.rate
        return keras.ops.where(kept, x / (1 - self.rate), keras.ops.zeros_like(x))

    # With this method Keras builds models without running `call`, which needs a generator of random numbers.
    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}
