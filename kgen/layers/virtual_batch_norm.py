"""Virtual batch normalisation: by a fixed reference batch, so that no image depends on the others of its batch.

A network that uses it processes the reference batch and the live batch together:

    x = WithReference(reference_batch)(image)
    x = VirtualBatchNorm(len(reference_batch))(keras.layers.Conv2D(64, 5)(x))
    ...
    logit = WithoutReference(len(reference_batch))(x)
"""

from typing import Any

import numpy as np

from kgen.backend import Tensor, keras


@keras.saving.register_keras_serializable("kgen")
class WithReference(keras.layers.Layer):
    """Puts a fixed reference batch in front of the live one: `[reference, x]`.

    Args:
        batch: float32 array or tensor `(R, ...)`, R at least 1, in the range of the live inputs. It becomes a weight
            that is not trained, so `set_weights`, saving and checkpoints include it. The config has only its shape and
            dtype: a copy by `from_config` or `clone_model` has zeros until its weights are set.

    Input `(batch, ...)`, float32, bfloat16 or float16; all axes but the first are those of the reference. Output
    `(R + batch, ...)` of the same dtype.

    Raises:
        ValueError: `batch` is empty, has another dtype or no second axis, or inputs have another shape.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.5.
    """

    def __init__(self, batch: np.ndarray | Tensor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if batch.ndim < 2 or batch.shape[0] == 0 or batch.dtype != np.float32:
            raise ValueError(f"`batch` must be float32 (R, ...), R at least 1. Received: {batch.dtype} {batch.shape}.")
        # Added here and not in build(), so that the layer need not keep the array.
        self.batch = self.add_weight(
            name="batch",
            shape=batch.shape,
            initializer=lambda shape, dtype: keras.ops.convert_to_tensor(batch, dtype),
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(self, x: Tensor) -> Tensor:
        self.compute_output_shape(x.shape)
        return keras.ops.concatenate([keras.ops.cast(self.batch, x.dtype), x], axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        rows, *shape = self.batch.shape
        if tuple(input_shape[1:]) != tuple(shape):
            received = f"reference {tuple(self.batch.shape)}, input {tuple(input_shape)}"
            raise ValueError(
                f"Inputs must have the shape of the reference, but for the first axis. Received: {received}."
            )
        return (None if input_shape[0] is None else rows + input_shape[0], *shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "batch": {"shape": list(self.batch.shape), "dtype": self.batch.dtype}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WithReference":
        """Returns the layer of a configuration, with zeros as its reference batch."""
        return cls(**{**config, "batch": np.zeros(**config["batch"])})


@keras.saving.register_keras_serializable("kgen")
class VirtualBatchNorm(keras.layers.Layer):
    """Batch normalisation by the statistics of the first R rows, the reference, and of each live row itself.

    `y = gamma (x - mean) / sqrt(epsilon + mean_square - mean^2) + beta` for each channel (the last axis). For the
    reference rows, mean and mean_square are taken over all R rows and positions. A live row counts as one more member
    of the reference batch: its statistics are `own / (R + 1) + reference * R / (R + 1)`, where `own` is taken over its
    positions. So a live row depends only on the reference and on itself, and training and inference are the same.
    Gradients flow through both statistics.

    Args:
        reference: number R of leading rows that are the reference, at least 1.
        epsilon: added to the variance.
        gamma_initializer: a Keras initializer or its name; by default N(1, .02).

    Input `(R + batch, channels)` or `(R + batch, height, width, channels)`, float32, bfloat16 or float16.
    Output of the same shape and dtype. Weights and statistics are float32 under every dtype policy.

    Raises:
        ValueError: `reference` is below 1, or the input has another number of axes or fewer rows than R.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.5; the weights of the statistics, epsilon and gamma are
        those of the authors' code.
    """

    def __init__(
        self,
        reference: int,
        epsilon: float = 1e-5,
        gamma_initializer: dict[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reference = _at_least_one(reference)
        self.epsilon = epsilon
        # A new one each time, since an initializer that is used twice gives the same numbers twice.
        self.gamma_initializer = keras.initializers.get(
            keras.initializers.RandomNormal(1.0, 0.02) if gamma_initializer is None else gamma_initializer
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) not in (2, 4):
            raise ValueError(f"VirtualBatchNorm needs an input of 2 or 4 axes. Received: shape {tuple(input_shape)}.")
        channels = {"shape": (input_shape[-1],), "dtype": "float32", "autocast": False}
        self.gamma = self.add_weight(name="gamma", initializer=self.gamma_initializer, **channels)
        self.beta = self.add_weight(name="beta", initializer="zeros", **channels)

    def call(self, x: Tensor) -> Tensor:
        ops, shape = keras.ops, keras.ops.shape(x)
        _demand_reference(self.reference, x.shape)
        images = ops.reshape(x, (-1, 1, 1, shape[-1])) if len(shape) == 2 else x
        images = ops.cast(images, "float32")
        # Shifted towards 0, since far from 0 msq - mean^2 loses digits and may even be negative. Outputs are the same.
        images = images - ops.stop_gradient(ops.mean(images[: self.reference], axis=(0, 1, 2)))
        mean, mean_square = self._statistics(images), self._statistics(ops.square(images))
        deviation = ops.sqrt(self.epsilon + mean_square - ops.square(mean))
        normalised = self.gamma * (images - mean) / deviation + self.beta
        return ops.cast(ops.reshape(normalised, shape), x.dtype)

    def _statistics(self, images: Tensor) -> Tensor:
        """Returns the mean of the images for each row's normalisation, `(rows, 1, 1, channels)`."""
        ops = keras.ops
        means = ops.mean(images, axis=(1, 2), keepdims=True)
        reference, live = means[: self.reference], means[self.reference :]
        of_reference = ops.mean(reference, axis=0, keepdims=True)
        of_live = (live + self.reference * of_reference) / (self.reference + 1)
        return ops.concatenate([ops.broadcast_to(of_reference, ops.shape(reference)), of_live], axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        gamma_initializer = keras.initializers.serialize(self.gamma_initializer)
        own = {"reference": self.reference, "epsilon": self.epsilon, "gamma_initializer": gamma_initializer}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("kgen")
class WithoutReference(keras.layers.Layer):
    """Drops the reference batch: all rows but the first R.

    Args:
        reference: number R of leading rows that are the reference, at least 1.

    Input `(R + batch, ...)`, output `(batch, ...)`.

    Raises:
        ValueError: `reference` is below 1, or the input has fewer rows than R.

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.5.
    """

    def __init__(self, reference: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reference = _at_least_one(reference)

    def call(self, x: Tensor) -> Tensor:
        _demand_reference(self.reference, x.shape)
        return x[self.reference :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        rows, *shape = input_shape
        return (None if rows is None else rows - self.reference, *shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reference": self.reference}


def _at_least_one(reference: int) -> int:
    if reference < 1:
        raise ValueError(f"`reference` must be at least 1. Received: reference={reference}.")
    return reference


def _demand_reference(reference: int, shape: tuple[int, ...]) -> None:
    if shape[0] is not None and shape[0] < reference:
        raise ValueError(f"The input must begin with the {reference} rows of the reference. Received: {tuple(shape)}.")
