"""Schedules of a learning rate that papers used and Keras lacks. A player's optimizer takes one as its rate.

Update t = 0, 1, ... is the optimizer's own: of a player that moves five times a step, five pass in a step.
"""

import math

from kgen.backend import Tensor, keras

ops = keras.ops


@keras.saving.register_keras_serializable("kgen")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """`a(t) = a min(1, (t + 1) / warmup) max(0, 1 - t / end)`: the rate rises for a while and falls to 0.

    Keras's `PolynomialDecay` is the same without a warm-up.

    Args:
        initial_learning_rate: a, above 0.
        end: update from which on the rate is 0, at least 1.
        warmup: updates over which the rate rises first; 0 or 1 is at once.

    Raises:
        ValueError: `end` is less than 1.

    Source: igul222/improved_wgan_training, gan_cifar_resnet.py; pfnet-research/sngan_projection, train.py
        (`LinearShift`). Deviation: both count steps, so that the updates a critic makes in one step share a rate.
    """

    def __init__(self, initial_learning_rate: float, end: int, warmup: int = 0) -> None:
        if end < 1:
            raise ValueError(f"`end` must be at least 1. Received: end={end}.")
        self.initial_learning_rate, self.end, self.warmup = initial_learning_rate, end, warmup

    def __call__(self, step: Tensor) -> Tensor:
        """Returns a(step), a float32 scalar."""
        t = ops.cast(step, "float32")
        risen = ops.minimum((t + 1.0) / max(self.warmup, 1), 1.0)
        return self.initial_learning_rate * risen * ops.maximum(1.0 - t / self.end, 0.0)

    def get_config(self) -> dict[str, float | int]:
        return {"initial_learning_rate": self.initial_learning_rate, "end": self.end, "warmup": self.warmup}


@keras.saving.register_keras_serializable("kgen")
class ExponentialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """`a(t) = max(a / decay^t, floor)`: every update divides the rate by the same number.

    Keras's has no floor, and raises a float32 to the power t: 1 / 1.000004 is then rounded by a hundredth of what it
    differs from 1 by.

    Args:
        initial_learning_rate: a, above 0.
        decay: what the rate is divided by at every update, above 1.
        floor: the least rate.

    Source: goodfeli/adversarial, mnist.yaml (`exponential_decay`).
    """

    def __init__(self, initial_learning_rate: float, decay: float = 1.000004, floor: float = 1e-6) -> None:
        self.initial_learning_rate, self.decay, self.floor = initial_learning_rate, decay, floor

    def __call__(self, step: Tensor) -> Tensor:
        """Returns a(step), a float32 scalar."""
        t = ops.cast(step, "float32")
        return ops.maximum(self.initial_learning_rate * ops.exp(-t * math.log(self.decay)), self.floor)

    def get_config(self) -> dict[str, float]:
        return {"initial_learning_rate": self.initial_learning_rate, "decay": self.decay, "floor": self.floor}
