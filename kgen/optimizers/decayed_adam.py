"""Adam with a learning rate that falls linearly to 0 over a known number of updates, as many GANs use."""

from typing import Any

from kgen.backend import Tensor, keras

ops = keras.ops


@keras.saving.register_keras_serializable("kgen")
class DecayedAdam(keras.optimizers.Adam):
    """Adam at the learning rate `a(t) = a(0) min(1, (t + 1) / warmup) max(0, 1 - t / end)` at update t = 0, 1, ...

    The attribute `learning_rate` stays a(0), a variable that may be assigned. Keras's `weight_decay` uses it as it is.

    Args:
        learning_rate: a(0), the rate but for warm-up and decay.
        beta_1: decay of the mean of the gradients.
        beta_2: decay of the mean of their squares.
        epsilon: added to the root of the mean square before its bias is corrected, as in Chainer, whose default this
            is; PyTorch adds it after.
        end: update from which on nothing moves, at least 1. A critic that moves five times a step reaches it five
            times sooner than its generator.
        warmup: updates over which the rate rises first; 0 or 1 is at once.

    Raises:
        ValueError: `end` is less than 1.

    Source: igul222/improved_wgan_training, gan_cifar_resnet.py; pfnet-research/sngan_projection, train.py
        (`LinearShift`). Deviation: both count steps, so that the updates a critic makes in one step share a rate.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        end: int,
        warmup: int = 0,
        name: str = "decayed_adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, name=name, **kwargs)
        if end < 1:
            raise ValueError(f"`end` must be at least 1. Received: end={end}.")
        self.end, self.warmup = end, warmup

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: "keras.Variable") -> None:
        """Moves a variable by its gradient, both of one shape."""
        t = ops.cast(self.iterations, "float32")
        left = ops.maximum(1.0 - t / self.end, 0.0) * ops.minimum((t + 1.0) / max(self.warmup, 1), 1.0)
        super().update_step(gradient, variable, ops.cast(learning_rate, "float32") * left)

    def get_config(self) -> dict[str, float | str | None]:
        return {**super().get_config(), "end": self.end, "warmup": self.warmup}
