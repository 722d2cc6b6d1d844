"""Replaces vectors by the nearest of a codebook."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class VectorQuantizer(keras.layers.Layer):
    """Quantisation `y = e_k`, `k = argmin_j ||x - e_j||^2`, of each vector along the last axis.

    The gradient of y is passed on to x unchanged (straight-through), and none reaches the codebook, which learns from
    `kgen.models.vq_vae`'s second loss. The arithmetic is float32 under every dtype policy.

    Args:
        count: vectors of the codebook, from U(-1 / count, 1 / count) at first.

    Input `(batch, ..., size)`, output alike.

    Source: van den Oord et al. 2017, arXiv:1711.00937, equations 1 and 2.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.count = count

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        initial = keras.initializers.RandomUniform(-1 / self.count, 1 / self.count)
        self.codebook = self.add_weight(name="codebook", shape=(self.count, input_shape[-1]), initializer=initial)

    def call(self, x: Tensor) -> Tensor:
        return x + keras.ops.stop_gradient(self.nearest(x) - x)

    def nearest(self, x: Tensor) -> Tensor:
        """Returns the nearest vector of the codebook to each of x `(..., size)`, with its gradient to the codebook."""
        ops = keras.ops
        squares = ops.sum(ops.square(self.codebook), axis=-1)
        closeness = 2 * ops.matmul(x, ops.transpose(self.codebook)) - squares  # ||x||^2, equal for all, left out
        index = ops.top_k(closeness, 1)[1][..., 0]  # Keras's argmin and argmax do not convert to ONNX
        chosen = ops.one_hot(index, self.count, dtype="float32")
        return ops.matmul(chosen, self.codebook)  # not take, whose gradient is a list of rows that no one has summed

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}
