"""A layer that replaces each vector by the nearest one of a codebook."""

from typing import Any

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class VectorQuantizer(keras.layers.Layer):
    """Quantisation `y = e_k`, `k = argmin_j ||x - e_j||^2`, of each vector along the last axis.

    The gradient of y is passed on to x unchanged (straight-through). It does not reach the codebook, which learns from
    the second loss of `kgen.models.vq_vae`, or by `follow`. All arithmetic is float32 under every dtype policy.

    Args:
        count: number of vectors of the codebook. They start from U(-1 / count, 1 / count).
        decay: decay of the moving averages in `follow`, below 1. With 0 the codebook learns by gradients.

    Input `(batch, ..., size)`, output of the same shape.

    Source: van den Oord et al. 2017, arXiv:1711.00937, equations 1 and 2, appendix A.1.
    """

    def __init__(self, count: int, decay: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.count, self.decay = count, decay

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape, initial = (
            (self.count, input_shape[-1]),
            keras.initializers.RandomUniform(-1 / self.count, 1 / self.count),
        )
        self.codebook = self.add_weight(name="codebook", shape=shape, initializer=initial, trainable=not self.decay)
        if self.decay:
            self.counts = self.add_weight(name="counts", shape=(self.count,), initializer="zeros", trainable=False)
            self.sums = self.add_weight(name="sums", shape=shape, initializer="zeros", trainable=False)

    def call(self, x: Tensor) -> Tensor:
        return x + keras.ops.stop_gradient(self.nearest(x) - x)

    def nearest(self, x: Tensor) -> Tensor:
        """Returns the nearest vector of the codebook to each of x `(..., size)`; gradients reach the codebook."""
        return keras.ops.matmul(self.chosen(x), self.codebook)  # ops.take has a sparse gradient, which is not summed

    def chosen(self, x: Tensor) -> Tensor:
        """Returns which vector of the codebook is nearest to each of x `(..., size)`, one-hot `(..., count)`."""
        ops = keras.ops
        squares = ops.sum(ops.square(self.codebook), axis=-1)
        closeness = 2 * ops.matmul(x, ops.transpose(self.codebook)) - squares  # without ||x||^2, which is equal for all
        index = ops.top_k(closeness, 1)[1][..., 0]  # Keras's argmin and argmax do not convert to ONNX
        return ops.one_hot(index, self.count, dtype="float32")

    def follow(self, x: Tensor, chosen: Tensor, draws: Tensor) -> None:
        """Moves each vector of the codebook to the moving average of its x. Restarts vectors that are rarely used.

        Vector k is the nearest one to `n_k` of x, whose sum is `s_k`: `N_k = decay N_k + (1 - decay) n_k`,
        `m_k = decay m_k + (1 - decay) s_k`, `e_k = m_k / N_k`. A vector whose N is below a tenth of the mean of N is
        replaced by a random one of x; its N becomes the mean.

        Args:
            x: `(n, size)`.
            chosen: what the method `chosen` returns for x.
            draws: integers below n, `(count,)`: the rows of x that replace restarted vectors.

        Source: van den Oord et al. 2017, appendix A.1. Restarts: Dhariwal et al. 2020, arXiv:2005.00341, section 3.1,
            where the threshold is a number of uses.
        """
        ops, x = keras.ops, keras.ops.cast(x, "float32")
        counts = self.decay * self.counts + (1 - self.decay) * ops.sum(chosen, axis=0)
        sums = self.decay * self.sums + (1 - self.decay) * ops.matmul(ops.transpose(chosen), x)
        mean = ops.mean(counts)
        dead, fresh = counts < 0.1 * mean, ops.take(x, draws, axis=0)
        counts = ops.where(dead, mean, counts)
        sums = ops.where(dead[:, None], mean * fresh, sums)
        self.counts.assign(counts)
        self.sums.assign(sums)
        self.codebook.assign(sums / counts[:, None])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count, "decay": self.decay}
