"""RMSprop as PyTorch computes it, which WGAN was trained with."""

from typing import Any

from kgen.backend import Tensor, keras

ops = keras.ops


@keras.saving.register_keras_serializable("kgen")
class RMSprop(keras.optimizers.Optimizer):
    """Descent `v <- rho v + (1 - rho) g^2; w <- w - a(t) g / (sqrt(v) + epsilon)`, v = 0 at first.

    `keras.optimizers.RMSprop` has epsilon inside of the root: its default 1e-7 is then a floor of 3e-4, which swallows
    the gradients of a critic with clipped weights.

    Args:
        learning_rate: a, a number or a schedule.
        rho: share of the old mean square kept, in [0, 1); PyTorch's `alpha`.
        epsilon: added to the root.

    Source: torch.optim.RMSprop with its default values; Tieleman and Hinton 2012, lecture 6.5.
    """

    def __init__(
        self,
        learning_rate: "float | keras.optimizers.schedules.LearningRateSchedule" = 0.01,
        rho: float = 0.99,
        epsilon: float = 1e-8,
        name: str = "rmsprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def build(self, variables: "list[keras.Variable]") -> None:
        if not self.built:
            super().build(variables)
            self.mean_squares = self.add_optimizer_variables(variables, "mean_square")

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Moves a variable by its gradient, both of one shape."""
        mean_square = self.mean_squares[self._get_variable_index(variable)]
        self.assign(mean_square, self.rho * mean_square + (1 - self.rho) * ops.square(gradient))
        self.assign_sub(variable, learning_rate * gradient / (ops.sqrt(mean_square) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
