"""RMSprop as PyTorch computes it, which WGAN was trained with."""

from typing import Any

from kgen.backend import Tensor, keras

ops = keras.ops


@keras.saving.register_keras_serializable("kgen")
class RMSprop(keras.optimizers.Optimizer):
    """Descent `v <- rho v + (1 - rho) g^2; w <- w - a g / (sqrt(v) + epsilon)`, v = 0 at first.

    `keras.optimizers.RMSprop` has epsilon inside of the root: its default 1e-7 is then a floor of 3e-4, which swallows
    the gradients of a critic with clipped weights.

    With an `end` the rate falls: `a(t) = b + (a - b) max(0, 1 - t / end)^power` at update t = 0, 1, ...

    Args:
        learning_rate: a, a variable that may be assigned.
        rho: share of the old mean square kept, in [0, 1); PyTorch's `alpha`.
        epsilon: added to the root.
        end: update from which on the rate is `final_rate`; None keeps it at a.
        final_rate: b.
        power: of the fall, above 0; 1 is linear.

    Source: torch.optim.RMSprop with its default values; Tieleman and Hinton 2012, lecture 6.5; the fall:
        andersbll/deeppy, `GammaAnnealer`.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        rho: float = 0.99,
        epsilon: float = 1e-8,
        end: int | None = None,
        final_rate: float = 0.0,
        power: float = 1.0,
        name: str = "rmsprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho, self.epsilon = rho, epsilon
        self.end, self.final_rate, self.power = end, final_rate, power

    def build(self, variables: "list[keras.Variable]") -> None:
        if not self.built:
            super().build(variables)
            self.mean_squares = self.add_optimizer_variables(variables, "mean_square")

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: "keras.Variable") -> None:
        """Moves a variable by its gradient, both of one shape."""
        mean_square = self.mean_squares[self._get_variable_index(variable)]
        self.assign(mean_square, self.rho * mean_square + (1 - self.rho) * ops.square(gradient))
        rate = self._fallen(learning_rate) if self.end else learning_rate
        self.assign_sub(variable, rate * gradient / (ops.sqrt(mean_square) + self.epsilon))

    def _fallen(self, rate: "keras.Variable") -> Tensor:
        left = ops.maximum(1.0 - ops.cast(self.iterations, "float32") / self.end, 0.0)
        return self.final_rate + (rate - self.final_rate) * ops.power(left, self.power)

    def get_config(self) -> dict[str, float | str | None]:
        own = ("rho", "epsilon", "end", "final_rate", "power")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
