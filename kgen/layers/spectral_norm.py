"""Spectral normalisation of a layer's kernel."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class SpectralNorm(keras.layers.Wrapper):
    """Runs a linear layer with the kernel `W / sigma(W)`, where `sigma = u^T W v` estimates the largest singular value.

    `W` is the kernel as a matrix of (output channels, all the rest). Each call with `training=True` computes
    `v <- W^T u / ||W^T u||`, `u <- W v / ||W v||`, `power_iterations` times, and saves u. A call without training
    computes the same estimate and saves nothing. The gradient takes u and v as constants, but not the `W` in sigma:
    `d loss/dW = (G - <G, W / sigma> u v^T) / sigma`, where `G` is the gradient at the normalised kernel.

    The optimizer updates the raw kernel. Calls never change it: the wrapped layer reads the normalised kernel in its
    place. sigma and u are float32 under every dtype policy. The bias is not normalised.

    Args:
        layer: `Dense`, `Conv2D` or `Conv2DTranspose`, without an activation.
        power_iterations: number of iterations per call, at least 1.

    Raises:
        TypeError: `layer` is of another kind.
        ValueError: `layer` has an activation, or `power_iterations` is below 1.

    Source: Miyato et al. 2018, arXiv:1802.05957, equations 8 to 12 and Algorithm 1. Unlike this layer,
        `keras.layers.SpectralNormalization` overwrites the kernel and takes sigma as a constant.
    """

    def __init__(self, layer: "keras.Layer", power_iterations: int = 1, **kwargs: Any) -> None:
        # This wrapper is float32 and casts no input, so that under mixed policies too `kernel` below is the raw one.
        super().__init__(layer, **{**kwargs, "dtype": "float32", "autocast": False})
        if not isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            raise TypeError(f"SpectralNorm wraps Dense, Conv2D or Conv2DTranspose. Received: {type(layer).__name__}.")
        if layer.activation is not keras.activations.linear:
            raise ValueError(
                "SpectralNorm wraps a layer without an activation; put the activation after it. "
                f"Received: activation={layer.activation.__name__} in layer '{layer.name}'."
            )
        if power_iterations < 1:
            raise ValueError(f"`power_iterations` must be at least 1. Received: power_iterations={power_iterations}.")
        self.power_iterations = power_iterations

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        # Replicas have the same kernel and the same u, so all compute the same update.
        self.u = self.add_weight(
            name="u",
            shape=(self._output_channels(),),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        sigma, u = self._estimate()
        if training:
            self.u.assign(keras.ops.where(sigma > 0, u, self.u))  # a kernel of zeros would make u 0 for ever
        kernel = self.layer.kernel
        normalised = keras.ops.divide(kernel, keras.ops.maximum(sigma, 1e-12))  # a kernel of zeros stays 0
        # This scope replaces one around it, so it must name the other variables too.
        others = [(weight, weight.value) for weight in self.layer.weights if weight is not kernel]
        with keras.StatelessScope([(kernel, normalised), *others]):
            return self.layer(x)

    def sigma(self) -> Tensor:
        """Returns the present estimate of the largest singular value of the raw kernel, a float32 scalar."""
        return self._estimate()[0]

    def _estimate(self) -> tuple[Tensor, Tensor]:
        """Returns sigma, through which gradients flow, and the next u."""
        ops = keras.ops
        matrix = self._matrix()
        constant = ops.stop_gradient(matrix)
        u = ops.convert_to_tensor(self.u)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, constant))
            u = _unit(ops.matmul(constant, v))
        return ops.sum(u * ops.matmul(matrix, v)), u

    def _matrix(self) -> Tensor:
        """Returns the kernel as a matrix, (output channels, all the rest)."""
        kernel = keras.ops.convert_to_tensor(self.layer.kernel)
        return keras.ops.reshape(keras.ops.moveaxis(kernel, self._output_axis(), 0), (self._output_channels(), -1))

    def _output_channels(self) -> int:
        return self.layer.kernel.shape[self._output_axis()]

    def _output_axis(self) -> int:
        return -2 if isinstance(self.layer, keras.layers.Conv2DTranspose) else -1  # (h, w, out, in), else (..., out)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return self.layer.compute_output_shape(input_shape)

    def compute_output_spec(self, x: Tensor, training: bool = False) -> Tensor:
        return self.layer.compute_output_spec(x)  # of the wrapped layer's dtype

    def get_config(self) -> dict[str, dict[str, Any] | int | str]:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(vector: Tensor) -> Tensor:
    return vector / (keras.ops.norm(vector) + 1e-12)
