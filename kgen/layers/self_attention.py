"""Self-attention over the positions of maps."""

from typing import Any

from kgen.backend import Tensor, keras
from kgen.layers.spectral_norm import SpectralNorm


@keras.saving.register_keras_serializable("kgen")
class SelfAttention(keras.layers.Layer):
    """Adds to each position what it finds at all positions: `y_j = gamma v(sum over i of b_ji h(x_i)) + x_j`.

    `b_ji = softmax over i of s_ij`, `s_ij = f(x_i)^T g(x_j)`. f, g and h are matrices from C to C / 8 channels, v is
    one from C / 8 to C. All are spectrally normalised and have no bias. gamma is one number that starts at 0, so the
    layer starts as the identity.

    Args:
        reduction: C divided by the channels of f, g and h, at least 1; these have at least 1 channel.

    Input and output `(batch, height, width, C)`. It needs `batch (height width)^2` numbers of memory. Softmax and sums
    are float32 under every dtype policy.

    Source: Zhang et al. 2019, arXiv:1805.08318, equations 1 to 3; section 4 for the spectral norm.
    """

    def __init__(self, reduction: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if reduction < 1:
            raise ValueError(f"`reduction` must be at least 1. Received: reduction={reduction}.")
        self.reduction = reduction

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) != 4:
            raise ValueError(f"SelfAttention needs an input of 4 axes. Received: shape {tuple(input_shape)}.")
        channels = input_shape[-1]
        inner = max(1, channels // self.reduction)
        for name, units in {"f": inner, "g": inner, "h": inner, "v": channels}.items():
            matrix = SpectralNorm(keras.layers.Dense(units, use_bias=False, dtype="float32"), name=name)
            matrix.build((None, None, inner if name == "v" else channels))
            setattr(self, name, matrix)
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros", dtype="float32", autocast=False)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        ops, shape = keras.ops, keras.ops.shape(x)
        positions = ops.cast(ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3])), "float32")
        f, g, h = (matrix(positions, training=training) for matrix in (self.f, self.g, self.h))
        attention = ops.softmax(ops.matmul(g, ops.transpose(f, (0, 2, 1))), axis=-1)  # b_ji: (batch, j, i)
        found = self.v(ops.matmul(attention, h), training=training)
        return x + ops.cast(ops.reshape(self.gamma * found, shape), x.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reduction": self.reduction}
