"""Minibatch discrimination."""

from typing import Any

from kgen.backend import Tensor, keras, replicas, tf


@keras.saving.register_keras_serializable("kgen")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each sample how close the others of its batch are, so that mode collapse can be detected.

    `M_i = x_i T`, `o(x_i)_b = sum over j != i of exp(-||M_ib - M_jb||_1) + bias_b`; the output is `[x_i, o(x_i)]`.

    Args:
        kernels: number of closeness values per sample, B in the paper, at least 1.
        dims: length of the rows `M_ib` that are compared, C in the paper, at least 1.

    Input `(batch, features)`, float32, bfloat16 or float16; output `(batch, features + kernels)` of the same dtype. The
    tensor T, `(features, kernels, dims)`, the bias and all arithmetic are float32 under every dtype policy. The layer
    needs `batch^2 * kernels * dims` floats of memory. For a batch of one, o(x) is the bias. Under `tf.distribute` each
    replica compares its part with the whole batch.

    Raises:
        ValueError: `kernels` or `dims` is below 1, or the input has another number of axes.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.2. The bias, which starts at -1, is from the authors'
        code. Deviation: that code scales the columns of T to norm 1 and then by trained factors, both fitted to a first
        batch. Here T is a free parameter, as in the paper. It starts from N(0, 1 / features), so that its columns have
        norm 1 on average.
    """

    def __init__(self, kernels: int = 100, dims: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kernels < 1 or dims < 1:
            raise ValueError(f"`kernels` and `dims` must be at least 1. Received: kernels={kernels}, dims={dims}.")
        self.kernels = kernels
        self.dims = dims

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        features = self._features(input_shape)
        float32 = {"dtype": "float32", "autocast": False}
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.kernels, self.dims),
            initializer=keras.initializers.RandomNormal(stddev=features**-0.5),
            **float32,
        )
        bias = keras.initializers.Constant(-1.0)
        self.bias = self.add_weight(name="bias", shape=(self.kernels,), initializer=bias, **float32)

    def call(self, x: Tensor) -> Tensor:
        ops = keras.ops
        rows = ops.tensordot(ops.cast(x, "float32"), self.kernel, axes=1)  # M: (batch, kernels, dims)
        everyone = replicas.gathered(rows)
        distances = ops.sum(ops.abs(rows[:, None] - everyone[None]), axis=-1)  # (batch, batch, kernels)
        sample = tf.range(tf.shape(everyone)[0])
        others = tf.not_equal(replicas.own(sample)[:, None], sample)[..., None]
        closeness = ops.sum(ops.where(others, ops.exp(-distances), 0.0), axis=1) + self.bias
        return ops.concatenate([x, ops.cast(closeness, x.dtype)], axis=-1)

    def _features(self, input_shape: tuple[int | None, ...]) -> int:
        if len(input_shape) != 2:
            raise ValueError(f"MinibatchDiscrimination needs an input of 2 axes. Received: shape {tuple(input_shape)}.")
        return input_shape[-1]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self._features(input_shape) + self.kernels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernels": self.kernels, "dims": self.dims}
