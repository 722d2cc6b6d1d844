"""Spectral normalisation of a layer's kernel."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class SpectralNorm(keras.layers.Wrapper):
    """Runs a linear layer with the kernel `W / sigma(W)`, where `sigma = u^T W v` estimates the largest singular value.

    `W` is the kernel as a matrix of (output channels, all the rest). Each call with `training=True` does
    `power_iterations` times `v <- W^T u / ||W^T u||`, `u <- W v / ||W v||` and keeps u; a call without training uses
    the same estimate and keeps nothing. u and v are constants to the gradient, `W` inside sigma is not:
    `d loss/dW = (G - <G, W / sigma> u v^T) / sigma` for `G` the gradient at the normalised kernel.

    The optimizer owns the raw kernel, which calls never change; the wrapped layer reads the normalised one in its
    place. sigma and u are float32 under every dtype policy. The bias is not normalised.

    Args:
        layer: `Dense`, `Conv2D` or `Conv2DTranspose`, without an activation.
        power_iterations: per call, at least 1.

    Raises:
        TypeError: another kind of layer.
        ValueError: a layer with an activation, or `power_iterations` below 1.

    Source: Miyato et al. 2018, arXiv:1802.05957, equations 8 to 12 and Algorithm 1. Unlike this layer,
        `keras.layers.SpectralNormalization` overwrites the kernel and takes sigma as a constant.
    """

    def __init__(self, layer: "keras.Layer", power_iterations: int = 1, **kwargs: Any) -> None:
        # Its own dtype is float32 and it casts no input, so that `kernel` below is the raw one under mixed policies.
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
        # Replicas hold the same kernel and the same u, so that they all compute the same update.
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
            self.u.assign(keras.ops.where(sigma > 0, u, self.u))  # a kernel of zeros would end the iteration for good
        kernel = self.layer.kernel
        normalised = keras.ops.divide(kernel, keras.ops.maximum(sigma, 1e-12))  # a kernel of zeros stays one
        # The scope names the other variables too, since it replaces a scope around it.
        others = [(weight, weight.value) for weight in self.layer.weights if weight is not kernel]
        with keras.StatelessScope([(kernel, normalised), *others]):
            return self.layer(x)

    def sigma(self) -> Tensor:
        """Returns the present estimate of the largest singular value of the raw kernel, a float32 scalar."""
        return self._estimate()[0]

    def _estimate(self) -> tuple[Tensor, Tensor]:
        """Returns sigma with its gradient, and the next u."""
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
