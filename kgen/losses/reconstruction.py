"""Losses of autoencoders as pure functions: reconstruction, KL divergence.

All arithmetic is float32, whatever the dtype of the inputs, so that a network in bfloat16 still has an exact loss. A
loss that compares two tensors element by element raises ValueError if their shapes differ. It never broadcasts.
"""

import math
from typing import Any

from kgen.backend import Tensor, keras, replicas


def squared_error(target: Tensor, reconstruction: Tensor) -> Tensor:
    """Reconstruction loss `mean (x - x_hat)^2` over all elements of all images.

    Args:
        target: images `x`, `(batch, ...)`, any range.
        reconstruction: `x_hat`, the shape and range of `target`.

    Returns:
        Scalar, in squared units of the range.
    """
    return keras.ops.mean(_squared_errors(target, reconstruction))


def squared_error_per_image(target: Tensor, reconstruction: Tensor) -> Tensor:
    """Reconstruction loss `sum (x - x_hat)^2` over the elements of each image.

    Args:
        target: images `x`, `(batch, ...)`, any range.
        reconstruction: `x_hat`, the shape and range of `target`.

    Returns:
        `(batch,)`, in squared units of the range: twice the negative log-likelihood, in nats, of a Gaussian decoder of
        variance 1, up to a constant.
    """
    return _sum_per_image(_squared_errors(target, reconstruction))


def optimal_gaussian_per_image(target: Tensor, reconstruction: Tensor) -> Tensor:
    """Negative log-likelihood `d/2 log(2 pi s^2) + sum (x - x_hat)^2 / (2 s^2)` of d pixels, s^2 that of the batch.

    s^2 is the mean squared error of all images, the variance under which they are likeliest. The likelihood and the
    divergence of a code then balance without a weight. With a fixed variance of 1, pixels in [0, 1] are mostly noise.

    Args:
        target: images `x`, `(batch, ...)`.
        reconstruction: `x_hat`, the shape and range of `target`.

    Returns:
        `(batch,)`, in nats; below 0 where s^2 is below 1 / (2 pi e).

    Source: Rybkin et al. 2021, arXiv:2006.13202, section 4 (sigma-VAE).
    """
    errors = _squared_errors(target, reconstruction)
    variance = keras.ops.maximum(replicas.mean(keras.ops.mean(errors)), 1e-8)  # of 8 bits a pixel it is never less
    size = math.prod(errors.shape[1:])
    return 0.5 * (size * keras.ops.log(2 * math.pi * variance) + _sum_per_image(errors) / variance)


def binary_cross_entropy(target: Tensor, logits: Tensor) -> Tensor:
    """Reconstruction loss `mean -x log p - (1 - x) log(1 - p)` over all elements, with `p = sigmoid(logits)`.

    Args:
        target: images `x`, `(batch, ...)`, in [0, 1].
        logits: of the reconstruction, before the sigmoid; the shape of `target`.

    Returns:
        Scalar, in nats per element. At `p = x` it is the mean entropy of the pixels, not 0.
    """
    return keras.ops.mean(_binary_cross_entropies(target, logits))


def binary_cross_entropy_per_image(target: Tensor, logits: Tensor) -> Tensor:
    """Reconstruction loss `sum -x log p - (1 - x) log(1 - p)` over the elements of each image, `p = sigmoid(logits)`.

    Args:
        target: images `x`, `(batch, ...)`, in [0, 1].
        logits: of the reconstruction, before the sigmoid; the shape of `target`.

    Returns:
        `(batch,)`, in nats: the negative log-likelihood of a Bernoulli decoder if `target` is 0 or 1.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix C.1.
    """
    return _sum_per_image(_binary_cross_entropies(target, logits))


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence `KL(N(mean, exp(log_variance)) || N(0, 1)) = 1/2 sum(exp(log_variance) + mean^2 - 1 - log_variance)`.

    The log-variance is `bounded`, as it must be where codes are drawn.

    Args:
        mean: of each code, `(batch, ...)`.
        log_variance: natural logarithm of the variance (not of the deviation), the shape of `mean`.

    Returns:
        `(batch,)`, in nats, summed over the code of each image; at least 0.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix B.
    """
    _same_shape(mean=mean, log_variance=log_variance)
    mean, log_variance = _float32(mean), bounded(log_variance)
    return 0.5 * _sum_per_image(keras.ops.expm1(log_variance) - log_variance + keras.ops.square(mean))


def bounded(log_variance: Tensor) -> Tensor:
    """Returns log-variances within [-30, 20], float32, of the same shape.

    An encoder that is untrained or diverging may give 89, whose exponential is infinite in float32. Deviations between
    3e-7 and 22,000 are more than codes need.

    Source: Rombach et al. 2022, code of latent diffusion, `DiagonalGaussianDistribution`.
    """
    return keras.ops.clip(_float32(log_variance), -30.0, 20.0)


def _squared_errors(target: Tensor, reconstruction: Tensor) -> Tensor:
    _same_shape(target=target, reconstruction=reconstruction)
    return keras.ops.square(_float32(target) - _float32(reconstruction))


def _binary_cross_entropies(target: Tensor, logits: Tensor) -> Tensor:
    _same_shape(target=target, logits=logits)
    # Not softplus(logits) - target * logits, which loses digits for large logits.
    return keras.ops.binary_crossentropy(_float32(target), _float32(logits), from_logits=True)


def _sum_per_image(values: Tensor) -> Tensor:
    return keras.ops.sum(values, axis=tuple(range(1, len(values.shape))))


def _float32(x: Tensor) -> Tensor:
    return keras.ops.cast(x, "float32")


def _same_shape(**tensors: Any) -> None:
    (first, a), (second, b) = tensors.items()
    a, b = tuple(keras.ops.shape(a)), tuple(keras.ops.shape(b))
    known = [(m, n) for m, n in zip(a, b, strict=False) if isinstance(m, int) and isinstance(n, int)]
    if len(a) != len(b) or any(m != n for m, n in known):  # else they would broadcast to a wrong number
        raise ValueError(f"`{first}` and `{second}` must have the same shape. Received: {a} and {b}.")
