"""The maxout activation."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class Maxout(keras.layers.Layer):
    """Largest of each `pieces` consecutive channels: `y[..., i] = max_j x[..., i * pieces + j]`.

    It follows a linear layer of `units * pieces` outputs: `Dense` gives the dense form, `Conv2D` the convolutional one.

    Args:
        pieces: affine functions per unit, at least 1.

    Input `(..., units * pieces)`, output `(..., units)`.

    Raises:
        ValueError: `pieces` is below 1, or the number of channels is not a multiple of it.

    Source: Goodfellow et al. 2013, arXiv:1302.4389, equation 1.
    """

    def __init__(self, pieces: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if pieces < 1:
            raise ValueError(f"`pieces` must be at least 1. Received: pieces={pieces}.")
        self.pieces = pieces

    def call(self, x: Tensor) -> Tensor:
        shape = keras.ops.shape(x)
        units = self.compute_output_shape(x.shape)[-1]
        return keras.ops.max(keras.ops.reshape(x, (*shape[:-1], units, self.pieces)), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        channels = input_shape[-1]
        if channels % self.pieces:
            raise ValueError(
                f"Maxout needs a number of channels that is a multiple of pieces={self.pieces}. "
                f"Received: {channels} channels, input shape {tuple(input_shape)}."
            )
        return (*input_shape[:-1], channels // self.pieces)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pieces": self.pieces}
