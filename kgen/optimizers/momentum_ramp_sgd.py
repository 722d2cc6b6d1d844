"""Gradient descent whose momentum grows, as in the code of Goodfellow et al. 2014."""

from typing import Any

from kgen.backend import Tensor, keras

ops = keras.ops


@keras.saving.register_keras_serializable("kgen")
class MomentumRampSGD(keras.optimizers.SGD):
    """Momentum descent `v <- m(t) v - a(t) g; w <- w + v` at update t = 0, 1, ...

    Args:
        learning_rate: a, a number or a schedule.
        momentum: m(0), kept until update `start`.
        final_momentum: m from update `end` on; linear in between.
        start, end: updates.

    Source: goodfeli/adversarial, mnist.yaml (`MomentumAdjustor`).
    """

    def __init__(
        self,
        learning_rate: "float | keras.optimizers.schedules.LearningRateSchedule" = 0.1,
        momentum: float = 0.5,
        final_momentum: float = 0.7,
        start: int = 0,
        end: int = 125_000,
        name: str = "momentum_ramp_sgd",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, momentum=momentum, name=name, **kwargs)
        self.final_momentum, self.start, self.end = final_momentum, start, end

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Moves a variable by its gradient, both of one shape."""
        t = ops.cast(self.iterations, "float32")
        progress = ops.clip((t - self.start) / (self.end - self.start), 0.0, 1.0)
        momentum = self.momentum + progress * (self.final_momentum - self.momentum)
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, momentum * velocity - learning_rate * gradient)
        self.assign_add(variable, velocity)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("final_momentum", "start", "end")},
        }
