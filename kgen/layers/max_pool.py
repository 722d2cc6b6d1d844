"""Max pooling that leaves no pixel out."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class CoveringMaxPool(keras.layers.Layer):
    """Max pooling whose last windows may reach beyond the image.

    A side of `size` pixels has `ceil((size - pool_size) / strides) + 1` windows. Keras's pooling either leaves out the
    last pixels ("valid") or pads both borders ("same").

    Args:
        pool_size: height and width of a window, at least 1; images must not be smaller.
        strides: pixels between windows, from 1 to `pool_size`.

    Input `(batch, height, width, channels)`, output `(batch, places, places, channels)`.

    Raises:
        ValueError: `pool_size` or `strides` is out of range, or an image is smaller than a window.

    Source: max pooling of cuda-convnet and pylearn2 (`max_pool_c01b`), which the code of Goodfellow et al. 2014,
        arXiv:1406.2661, uses.
    """

    def __init__(self, pool_size: int, strides: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 1 <= strides <= pool_size:
            raise ValueError(
                f"`strides` must be in [1, pool_size]. Received: strides={strides}, pool_size={pool_size}."
            )
        self.pool_size, self.strides = pool_size, strides

    def call(self, x: Tensor) -> Tensor:
        ends = [(0, self._missing(size)) for size in x.shape[1:3]]
        x = keras.ops.pad(x, [(0, 0), *ends, (0, 0)], constant_values=float("-inf"))
        return keras.ops.max_pool(x, self.pool_size, self.strides)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sizes, channels = input_shape
        return (batch, *(self._places(size) for size in sizes), channels)

    def _places(self, size: int) -> int:
        if size < self.pool_size:
            raise ValueError(f"`pool_size` must be at most the image's. Received: {self.pool_size} for {size} pixels.")
        return -(-(size - self.pool_size) // self.strides) + 1

    def _missing(self, size: int) -> int:
        """Returns how many pixels the last window lacks."""
        return (self._places(size) - 1) * self.strides + self.pool_size - size

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size, "strides": self.strides}
