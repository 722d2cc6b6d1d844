"""Penalties on a critic: on its gradient with respect to its input, and on its outputs; weight clipping.

A penalty on the gradient has its own gradient tape. It may be called inside another tape, eagerly, in a graph and under
XLA. All arithmetic outside of the critic is float32, even if the critic computes in bfloat16.
"""

from collections.abc import Callable

from kgen.backend import Tensor, keras, tf


def gradient_penalty(critic: Callable, real: Tensor, fake: Tensor, alpha: Tensor, target: float = 1.0) -> Tensor:
    """Two-sided penalty `E[(||grad D(x~)||_2 - target)^2]` at `x~ = x + alpha (G(z) - x)`; multiply it by its weight.

    Args:
        critic: function of images that returns one number each, `(batch,)` or `(batch, 1)`. It must not have BatchNorm,
            since the gradient at an image must depend on that image alone.
        real: images `x`, `(batch, ...)`.
        fake: generated images, the shape of `real`.
        alpha: position on the segment from real to fake, `(batch,)`, in [0, 1]; uniform in the paper.
        target: the gradient norm to reach; 1 in the paper.

    Returns:
        Scalar, at least 0. Its own gradient is finite even where the critic's gradient is 0.

    Source: Gulrajani et al. 2017, arXiv:1704.00028, equation 3 and Algorithm 1 (weight 10). The paper writes
        `epsilon x + (1 - epsilon) x~`; with a uniform epsilon that is the same distribution.
    """
    ops = keras.ops
    real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
    alpha = ops.reshape(ops.cast(alpha, "float32"), (-1,) + (1,) * (len(real.shape) - 1))
    slope = ops.sqrt(_squared_slope(critic, real + alpha * (fake - real)) + 1e-12)  # since sqrt'(0) is infinite
    return ops.mean(ops.square(slope - target))


def r1(critic: Callable, real: Tensor) -> Tensor:
    """Zero-centred penalty `1/2 E[||grad D(x)||_2^2]` on data; multiply it by its weight gamma.

    Args:
        critic: function of images that returns one logit each, `(batch,)` or `(batch, 1)`.
        real: images `x`, `(batch, ...)`.

    Returns:
        Scalar, at least 0.

    Source: Mescheder et al. 2018, arXiv:1801.04406, equation 9.
    """
    return 0.5 * keras.ops.mean(_squared_slope(critic, keras.ops.cast(real, "float32")))


def lecam(real_logits: Tensor, fake_logits: Tensor, real_average: Tensor, fake_average: Tensor) -> Tensor:
    """LeCam penalty `E[(D(x) - a_F)^2] + E[(D(G(z)) - a_R)^2]`; multiply it by its weight.

    Args:
        real_logits: the discriminator's outputs on data, any shape.
        fake_logits: the discriminator's outputs on generated images, any shape.
        real_average, fake_average: a_R and a_F, moving averages of the mean outputs on data and on generated images,
            scalars, see `kgen.layers.PredictionAverages`.

    Returns:
        Scalar, at least 0.

    Source: Tseng et al. 2021, arXiv:2104.03310, the definition of R_LC.
    """
    return squared_distance(real_logits, fake_average) + squared_distance(fake_logits, real_average)


def squared_distance(logits: Tensor, others: Tensor) -> Tensor:
    """Returns `E[(D(x) - D(x'))^2]` of two outputs of the same shape, or of one and a scalar, a scalar.

    With x' = T(x), an augmented x, it is the consistency penalty on one kind of images.

    Source: Zhao et al. 2020, arXiv:2002.04724, Algorithm 1 (balanced consistency regularisation).
    """
    ops = keras.ops
    return ops.mean(ops.square(ops.cast(logits, "float32") - ops.cast(others, "float32")))


def clip_weights(variables: "list[keras.Variable]", limit: float) -> None:
    """Sets each weight `w` to `min(max(w, -limit), limit)`, in place.

    Args:
        variables: Keras variables; in WGAN all that the critic trains, also those of BatchNorm.
        limit: greatest absolute value, above 0; 0.01 in the paper.

    Raises:
        ValueError: `limit` is not above 0.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, Algorithm 1, line 7.
    """
    if limit <= 0:
        raise ValueError(f"`limit` must be above 0. Received: limit={limit}.")
    for variable in variables:
        variable.assign(keras.ops.clip(variable, -limit, limit))


def _squared_slope(critic: Callable, images: Tensor) -> Tensor:
    """Returns `||grad D||_2^2` at each image, `(batch,)`."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        # Each output depends on its own image only, so the gradient of the sum has the gradient at each image.
        total = keras.ops.sum(keras.ops.cast(critic(images), "float32"))
    gradient = tape.gradient(total, images)
    return keras.ops.sum(keras.ops.square(gradient), axis=tuple(range(1, len(gradient.shape))))
