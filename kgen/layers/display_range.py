"""The values of black and white in a generator's images, kept with its weights."""

from typing import Any

from kgen.backend import Tensor, keras
from kgen.images import Range


@keras.saving.register_keras_serializable("kgen")
class DisplayRange(keras.layers.Layer):
    """Returns images unchanged, and keeps the values of black and of white as weights that are not trained.

    The range comes from the training images. Checkpoints and moving averages save it with the weights, so a run that is
    opened without the training images still shows the same pictures.

    Args:
        low: value of black in a new network.
        high: value of white in a new network.

    Input and output of any shape, float32.

    Raises:
        ValueError: `low` is not below `high`.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if not low < high:
            raise ValueError(f"`low` must be below `high`. Received: low={low}, high={high}.")
        self.at_first = Range(low, high)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for name, value in self.at_first._asdict().items():
            constant = keras.initializers.Constant(value)
            setattr(self, name, self.add_weight(name=name, shape=(), initializer=constant, trainable=False))

    def call(self, x: Tensor) -> Tensor:
        return x

    def range(self) -> Range:
        """Returns the present `kgen.images.Range`, of scalar tensors."""
        return Range(self.low.value, self.high.value)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.at_first._asdict()}
