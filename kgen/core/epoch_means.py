"""Means over an epoch, as Keras's callbacks expect them in `logs`."""

from typing import Any

from kgen.backend import Tensor, keras


class VectorMean(keras.metrics.Metric):
    """The mean of vectors `(size,)` since the epoch began. `History`, `CSVLogger` and other callbacks receive it."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.total = self.add_variable((size,), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Tensor) -> None:
        """Adds a vector `(size,)`."""
        self.total.assign(self.total + values)
        self.count.assign(self.count + 1.0)

    def result(self) -> Tensor:
        """Returns the mean, `(size,)`."""
        return keras.ops.divide_no_nan(self.total, self.count)
