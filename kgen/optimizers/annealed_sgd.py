"""Gradient descent whose momentum grows and whose learning rate decays, as in the code of Goodfellow et al. 2014."""

import math
from typing import Any

from kgen.backend import Tensor, keras

ops = keras.ops


@keras.saving.register_keras_serializable("kgen")
class AnnealedSGD(keras.optimizers.SGD):
    """Momentum descent `v <- m(t) v - a(t) g; w <- w + v` at update t = 0, 1, ...

    Args:
        learning_rate: a(0).
        decay: the rate is divided by this at every update, `a(t) = max(a(0) / decay^t, floor)`.
        floor: least learning rate.
        momentum: m(0), kept until update `start`.
        final_momentum: m from update `end` on; linear in between.
        start, end: updates.

    Source: goodfeli/adversarial, mnist.yaml (`exponential_decay`, `MomentumAdjustor`).
    """

    def __init__(
        self,
        learning_rate: float = 0.1,
        decay: float = 1.000004,
        floor: float = 1e-6,
        momentum: float = 0.5,
        final_momentum: float = 0.7,
        start: int = 0,
        end: int = 125_000,
        name: str = "annealed_sgd",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, momentum=momentum, name=name, **kwargs)
        self.decay, self.floor = decay, floor
        self.final_momentum, self.start, self.end = final_momentum, start, end

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: "keras.Variable") -> None:
        """Moves a variable by its gradient, both of one shape."""
        t = ops.cast(self.iterations, "float32")
        progress = ops.clip((t - self.start) / (self.end - self.start), 0.0, 1.0)
        momentum = self.momentum + progress * (self.final_momentum - self.momentum)
        rate = ops.maximum(ops.cast(learning_rate, "float32") * ops.exp(-t * math.log(self.decay)), self.floor)
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, momentum * velocity - rate * gradient)
        self.assign_add(variable, velocity)

    def get_config(self) -> dict[str, float | str | None]:
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("decay", "floor", "final_momentum", "start", "end")},
        }
