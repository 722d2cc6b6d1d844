"""A convolutional encoder and the decoder that is its mirror image, of any depth and for images of any size.

Sizes and initial weights are those of PyTorch: padding is equal at both ends, output padding restores the pixels that a
stride left out, weights and biases are U(-1, 1) / sqrt(fan).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kgen import layers
from kgen.backend import Tensor, keras
from kgen.errors import UsageError


@dataclass(frozen=True)
class Plan:
    """The layers of an encoder; its decoder has the same ones, transposed, from the last to the first.

    Args:
        channels: of each convolution's output; empty for a network of dense layers only.
        kernels, strides, paddings: of each convolution, in pixels; padding is added at both ends.
        units: of the hidden dense layers after the convolutions.
        activation: of every hidden layer, a name that Keras knows.
    """

    channels: tuple[int, ...] = (6, 12, 17)
    kernels: tuple[int, ...] = (2, 2, 3)
    strides: tuple[int, ...] = (1, 1, 3)
    paddings: tuple[int, ...] = (1, 0, 1)
    units: tuple[int, ...] = (57,)
    activation: str = "relu"

    def demand(self, demand: Callable) -> None:
        """Checks the sizes by `demand(condition, field, accepted)`, such as the method of a recipe, which raises."""
        for name in ("kernels", "strides", "paddings"):
            same = len(getattr(self, name)) == len(self.channels)
            demand(same, name, f"as many numbers as --channels has, {len(self.channels)}")
        for name in ("channels", "kernels", "strides", "units"):
            demand(all(number >= 1 for number in getattr(self, name)), name, "numbers of at least 1")
        halves = all(0 <= p <= k // 2 for p, k in zip(self.paddings, self.kernels, strict=True))
        demand(halves, "paddings", "from 0 to half of the kernels")

    def maps(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Returns the shapes of the input and of each convolution's output, `[(height, width, channels), ...]`.

        `m = floor((n + 2 padding - kernel) / stride) + 1` along each side.

        Raises:
            UsageError: the images are so small that a convolution has no output.
        """
        maps = [tuple(shape)]
        for number, (channels, kernel, stride, padding) in enumerate(self._convolutions(), 1):
            sides = [(n + 2 * padding - kernel) // stride + 1 for n in maps[-1][:2]]
            if min(sides) < 1:
                seen = "x".join(map(str, shape[:2]))
                raise UsageError(
                    f"Of images of {seen} pixels convolution {number} (kernel {kernel}, padding {padding}) leaves "
                    "nothing: give a larger --image-size, or smaller --kernels or --strides."
                )
            maps.append((*sides, channels))
        return maps

    def _convolutions(self) -> Iterator[tuple[int, int, int, int]]:
        return zip(self.channels, self.kernels, self.strides, self.paddings, strict=True)


def initial(fan: int) -> "dict[str, keras.initializers.Initializer]":
    """Returns new initializers U(-1, 1) / sqrt(fan) as arguments of a layer. For kernels Keras computes fan."""
    limit = 1 / math.sqrt(fan)
    return {
        "kernel_initializer": keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform"),
        "bias_initializer": keras.initializers.RandomUniform(-limit, limit),
    }


def dense(x: Tensor, units: int, dtype: str | None = None) -> Tensor:
    """Returns a dense layer of x, `(batch, units)`, computed in `dtype`; None is that of the policy."""
    return keras.layers.Dense(units, **initial(x.shape[-1]), dtype=dtype)(x)


def encoder(
    shape: tuple[int, ...], plan: Plan, outputs: int, dropout: float = 0.0, name: str = "encoder", heads: int = 1
) -> "keras.Model":
    """Returns the network images of `shape` -> linear outputs `(batch, outputs)`; several `heads` give a list of them.

    Dropout stands before each hidden dense layer.

    Raises:
        UsageError: images of this size are too small for the plan.
    """
    plan.maps(shape)
    image = x = keras.Input(shape)
    for channels, kernel, stride, padding in plan._convolutions():
        x = keras.layers.ZeroPadding2D(padding)(x) if padding else x
        x = keras.layers.Conv2D(channels, kernel, stride, **initial(kernel**2 * x.shape[-1]))(x)
        x = keras.layers.Activation(plan.activation)(x)
    x = keras.layers.Flatten()(x)
    for units in plan.units:
        x = layers.Dropout(dropout)(x) if dropout else x
        x = keras.layers.Activation(plan.activation)(dense(x, units))
    ends = [dense(x, outputs, dtype="float32") for _ in range(heads)]
    return keras.Model(image, ends if heads > 1 else ends[0], name=name)


def decoder(
    shape: tuple[int, ...],
    plan: Plan,
    size: int,
    dropout: float = 0.0,
    squash: str | None = None,
    name: str = "decoder",
) -> "keras.Model":
    """Returns the network codes `(batch, size)` -> images of `shape`: logits, or after the activation `squash`."""
    code = keras.Input((size,))
    return keras.Model(code, decoded(code, shape, plan, dropout, squash), name=name)


def decoded(
    code: Tensor, shape: tuple[int, ...], plan: Plan, dropout: float = 0.0, squash: str | None = None
) -> Tensor:
    """Returns the images of a code, a Keras tensor `(batch, size)`; they are float32 under every dtype policy.

    Dropout stands before each hidden dense layer except the first, since the code itself is not dropped out.
    """
    maps = plan.maps(shape)
    x = code
    for number, units in enumerate(reversed(plan.units)):
        x = layers.Dropout(dropout)(x) if dropout and number else x
        x = keras.layers.Activation(plan.activation)(dense(x, units))
    x = layers.Dropout(dropout)(x) if dropout and plan.units and plan.channels else x
    x = dense(x, math.prod(maps[-1]))
    x = keras.layers.Activation(plan.activation)(x) if plan.channels else x
    x = keras.layers.Reshape(maps[-1])(x)
    convolutions = list(plan._convolutions())
    for level in reversed(range(len(convolutions))):
        x = keras.layers.Activation(plan.activation)(x) if level + 1 < len(convolutions) else x
        x = transposed(x, maps[level], *convolutions[level][1:])
    return keras.layers.Activation(squash or "linear", dtype="float32")(x)


def transposed(x: Tensor, target: tuple[int, ...], kernel: int, stride: int, padding: int) -> Tensor:
    """Returns a transposed convolution of x with the shape `target`; the fan is that of the output, as in PyTorch.

    `n = (m - 1) stride + kernel + extra - 2 padding`, where `extra` pixels are those that the convolution left out.
    """
    extra = [(n + 2 * padding - kernel) % stride for n in target[:2]]
    fan = initial(kernel**2 * target[-1])
    x = keras.layers.Conv2DTranspose(target[-1], kernel, stride, output_padding=tuple(extra), **fan)(x)
    return keras.layers.Cropping2D(padding)(x) if padding else x
