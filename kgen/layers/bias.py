"""A layer with a separate bias for every output."""

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class UntiedBias(keras.layers.Layer):
    """Adds one learned number, at first 0, to each element of an image: `y[n] = x[n] + b`, b of the shape of `x[n]`.

    After a convolution without a bias it is an "untied" bias: each position has its own.

    Input and output `(batch, ...)`.

    Source: the output layer of the convolutional generator of goodfeli/adversarial (`tied_b: 0`), the code of
        Goodfellow et al. 2014, arXiv:1406.2661.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(name="bias", shape=input_shape[1:], initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        return x + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
