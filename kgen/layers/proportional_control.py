"""A number that training moves without a gradient, as part of a network, so that checkpoints have it."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class ProportionalControl(keras.layers.Layer):
    """Keeps a number k in [0, 1], which starts at 0; `move` adds `gain error` to it. Its output is its input.

    Args:
        gain: above 0.

    k is float32 under every dtype policy. Input and output of any shape.

    Source: Berthelot et al. 2017, arXiv:1703.10717, the update of k_t.
    """

    def __init__(self, gain: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gain = gain
        how = {"trainable": False, "autocast": False, "dtype": "float32", "aggregation": "only_first_replica"}
        self.k = self.add_weight(name="k", shape=(), initializer="zeros", **how)
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        return x

    def move(self, error: Tensor) -> None:
        """Adds `gain error` to k, and clips it to [0, 1]. The error is a scalar, equal on all replicas."""
        self.k.assign(keras.ops.clip(self.k + self.gain * keras.ops.stop_gradient(error), 0.0, 1.0))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
