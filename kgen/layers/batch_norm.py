"""Batch normalisation on TensorFlow's fused kernel."""

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from kgen.backend import Tensor, keras, replicas, tf

_synchronized = ContextVar("kgen_synchronized", default=True)


@contextlib.contextmanager
def statistics(synchronized: bool) -> Iterator[None]:
    """Makes `BatchNorm` layers that are created inside the `with` block synchronise replicas, or not."""
    token = _synchronized.set(synchronized)
    try:
        yield
    finally:
        _synchronized.reset(token)


@keras.saving.register_keras_serializable("kgen")
class BatchNorm(keras.layers.Layer):
    """Batch normalisation `y = gamma (x - mean) / sqrt(variance + epsilon) + beta` of each channel (the last axis).

    In training, mean and variance are taken over the batch and all positions; the output uses the biased variance. At
    inference they are moving averages, `moving = momentum * moving + (1 - momentum) * batch`. The moving variance
    averages the *unbiased* variance, as in PyTorch and in the fused kernel of Keras 2. (Keras 3 averages the biased
    one, which is (n - 1) / n of it for n values in a channel.) Otherwise the layer equals
    `keras.layers.BatchNormalization`, which is made of separate operations. On a CPU this one saves 10-25 % of a
    training step.

    Args:
        momentum: share of the old moving average kept, in [0, 1]; PyTorch's `momentum=0.1` is 0.9 here.
        epsilon: added to the variance.
        gamma_initializer: a Keras initializer or its name.
        synchronized: whether replicas under `tf.distribute` share the statistics of the whole batch. Otherwise each
            normalises its own part, and the moving averages are the mean over replicas. None is what `statistics` says.
        affine: whether gamma and beta are learned; if not, they are 1 and 0.

    Input `(batch, channels)` or `(batch, height, width, channels)`, float32, bfloat16 or float16. Output of the same
    shape and dtype. Weights and statistics are float32 under every dtype policy.

    Raises:
        ValueError: the input has another number of axes.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, Algorithms 1 and 2.
    """

    def __init__(
        self,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        gamma_initializer: "dict[str, Any] | keras.initializers.Initializer | str" = "ones",
        synchronized: bool | None = None,
        affine: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.synchronized = _synchronized.get() if synchronized is None else synchronized
        self.momentum = momentum
        self.epsilon = epsilon
        self.affine = affine
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) not in (2, 4):
            raise ValueError(f"BatchNorm needs an input of 2 or 4 axes. Received: shape {tuple(input_shape)}.")
        if self.affine:
            self.gamma = self._add_channels("gamma", self.gamma_initializer, input_shape[-1])
            self.beta = self._add_channels("beta", "zeros", input_shape[-1])
        statistic = {"trainable": False, "aggregation": "mean"}
        self.moving_mean = self._add_channels("moving_mean", "zeros", input_shape[-1], **statistic)
        self.moving_variance = self._add_channels("moving_variance", "ones", input_shape[-1], **statistic)

    def _add_channels(
        self, name: str, initializer: "keras.initializers.Initializer | str", channels: int, **kwargs: Any
    ) -> "keras.Variable":
        kwargs = {"dtype": "float32", "autocast": False, **kwargs}
        return self.add_weight(name=name, shape=(channels,), initializer=initializer, **kwargs)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        shape, training = keras.ops.shape(x), training and self.trainable  # frozen statistics do not move, as in Keras
        images = keras.ops.reshape(x, (-1, 1, 1, shape[-1])) if len(shape) == 2 else x  # the kernel accepts only images
        if training and self.synchronized and replicas.count() > 1:
            normalised, mean, variance = self._of_all_replicas(images)
        else:
            # Statistics of shape 0 make the kernel use those of the batch.
            statistics = (tf.zeros(0), tf.zeros(0)) if training else (self.moving_mean, self.moving_variance)
            normalised, mean, variance = self._fused(images, *statistics, bool(training))
        if training:
            self._update(self.moving_mean, mean)
            self._update(self.moving_variance, variance)
        return keras.ops.reshape(normalised, shape)

    def _fused(self, images: Tensor, mean: Tensor, variance: Tensor, training: bool) -> tuple[Tensor, Tensor, Tensor]:
        scale, offset = self._learned(images.shape[-1])
        mean, variance = tf.convert_to_tensor(mean), tf.convert_to_tensor(variance)
        arguments = {"x": images, "scale": scale, "offset": offset, "mean": mean, "variance": variance}
        return tf.raw_ops.FusedBatchNormV3(**arguments, epsilon=self.epsilon, is_training=training)[:3]

    def _of_all_replicas(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns what `_fused` does in training, with the statistics of the parts of all replicas."""
        ops, x = keras.ops, keras.ops.cast(images, "float32")
        mean = replicas.mean(ops.mean(x, axis=(0, 1, 2)))
        variance = replicas.mean(ops.mean(ops.square(x - mean), axis=(0, 1, 2)))
        gamma, beta = self._learned(images.shape[-1])
        normalised = tf.nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon)
        count = replicas.count() * math.prod(ops.shape(images)[:3])
        return ops.cast(normalised, images.dtype), mean, variance * (count / max(count - 1, 1))

    def _learned(self, channels: int) -> tuple[Tensor, Tensor]:
        """Returns gamma and beta, float32 `(channels,)`."""
        if self.affine:
            return tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        return tf.ones(channels), tf.zeros(channels)

    def _update(self, moving: "keras.Variable", batch: Tensor) -> None:
        moving.assign(moving * self.momentum + tf.stop_gradient(batch) * (1 - self.momentum))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        gamma_initializer = keras.initializers.serialize(self.gamma_initializer)
        own = {"momentum": self.momentum, "epsilon": self.epsilon, "gamma_initializer": gamma_initializer}
        own |= {"affine": self.affine, "synchronized": self.synchronized}
        return {**super().get_config(), **own}
