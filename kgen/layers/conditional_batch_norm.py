"""Batch normalisation whose gain and bias are inputs, so that they can depend on the class of each image."""

from typing import Any

from kgen.backend import Tensor, keras
from kgen.layers.batch_norm import BatchNorm


@keras.saving.register_keras_serializable("kgen")
class ConditionalBatchNorm(keras.layers.Layer):
    """`y = gain (x - mean) / sqrt(variance + epsilon) + bias`, with a gain and a bias for each image and channel.

    Mean and variance are those of `BatchNorm`: over the whole batch, whatever the classes.

    Args:
        momentum, epsilon: as in `BatchNorm`.

    Inputs: x `(batch, height, width, channels)` or `(batch, channels)`, and gain and bias `(batch, channels)`. Output
    of the shape of x.

    Source: Dumoulin et al. 2017, arXiv:1610.07629, equation 5, for instance norm; Miyato and Koyama 2018,
        arXiv:1802.05637, section 4.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm = BatchNorm(momentum, epsilon, affine=False, dtype=self.dtype_policy)

    def build(
        self, x_shape: tuple[int | None, ...], gain_shape: tuple[int | None, ...], bias_shape: tuple[int | None, ...]
    ) -> None:
        self.norm.build(x_shape)

    def call(self, x: Tensor, gain: Tensor, bias: Tensor, training: bool = False) -> Tensor:
        shape = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])
        normalised = self.norm(x, training=training)
        return normalised * keras.ops.reshape(gain, shape) + keras.ops.reshape(bias, shape)

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], gain_shape: tuple[int | None, ...], bias_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return x_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.norm.momentum, "epsilon": self.norm.epsilon}
