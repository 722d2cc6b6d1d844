"""Losses as pure functions: adversarial pairs, reconstruction, KL divergence.

Logits are what the discriminator (or critic) says before any sigmoid. Everything is computed in float32 whatever the
dtype that comes in, so that a network in bfloat16 still has an exact loss. The softplus forms stay finite, and so do
their gradients, for logits of any size. A loss that compares two tensors element by element raises ValueError where
their shapes differ, and never broadcasts.
"""

from collections.abc import Callable
from typing import NamedTuple

from kgen.backend import keras


class Objective(NamedTuple):
    """What the two players of an adversarial game minimise.

    Args:
        discriminator: function of `(real_logits, fake_logits)`, a scalar.
        generator: function of `(fake_logits)`, a scalar.
    """

    discriminator: Callable
    generator: Callable


def minimax_discriminator(real_logits, fake_logits):
    """Discriminator loss `E[-log D(x)] + E[-log(1 - D(G(z)))]`, for logits `l` with `D = sigmoid(l)`.

    Args:
        real_logits: the discriminator's logits on data, any shape.
        fake_logits: the discriminator's logits on generated images, any shape.

    Returns:
        Scalar, in nats; 2 log 2 for a discriminator that cannot tell.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1. The authors' code halves it.
    """
    ops = keras.ops
    return ops.mean(ops.softplus(-_float32(real_logits))) + ops.mean(ops.softplus(_float32(fake_logits)))


def minimax_generator(fake_logits):
    """Generator loss `E[log(1 - D(G(z)))]` of the saturating game.

    Args:
        fake_logits: the discriminator's logits on generated images, any shape.

    Returns:
        Scalar, in nats, never positive.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1.
    """
    return -keras.ops.mean(keras.ops.softplus(_float32(fake_logits)))  # -softplus(l) = log(1 - sigmoid(l))


def non_saturating_generator(fake_logits):
    """Generator loss `E[-log D(G(z))]` of the non-saturating game.

    Args:
        fake_logits: the discriminator's logits on generated images, any shape.

    Returns:
        Scalar, in nats.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, section 3.
    """
    return keras.ops.mean(keras.ops.softplus(-_float32(fake_logits)))  # softplus(-l) = -log sigmoid(l)


def least_squares_discriminator(real_logits, fake_logits):
    """Discriminator loss `1/2 E[(D(x) - 1)^2] + 1/2 E[D(G(z))^2]`, where `D` is the logit itself: no sigmoid.

    Args:
        real_logits: the discriminator's outputs on data, any shape.
        fake_logits: the discriminator's outputs on generated images, any shape.

    Returns:
        Scalar, at least 0.

    Source: Mao et al. 2017, arXiv:1611.04076, equation 9 (a = 0, b = c = 1).
    """
    real, fake = keras.ops.square(_float32(real_logits) - 1.0), keras.ops.square(_float32(fake_logits))
    return 0.5 * keras.ops.mean(real) + 0.5 * keras.ops.mean(fake)


def least_squares_generator(fake_logits):
    """Generator loss `1/2 E[(D(G(z)) - 1)^2]`, where `D` is the logit itself: no sigmoid.

    Args:
        fake_logits: the discriminator's outputs on generated images, any shape.

    Returns:
        Scalar, at least 0.

    Source: Mao et al. 2017, arXiv:1611.04076, equation 9 (c = 1).
    """
    return 0.5 * keras.ops.mean(keras.ops.square(_float32(fake_logits) - 1.0))


def wasserstein_critic(real_logits, fake_logits):
    """Critic loss `E[D(G(z))] - E[D(x)]`; its negative estimates the Wasserstein-1 distance for a 1-Lipschitz critic.

    Args:
        real_logits: the critic's outputs on data, any shape.
        fake_logits: the critic's outputs on generated images, any shape.

    Returns:
        Scalar, of either sign.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, Algorithm 1 (which maximises the negative of this).
    """
    return keras.ops.mean(_float32(fake_logits)) - keras.ops.mean(_float32(real_logits))


def wasserstein_generator(fake_logits):
    """Generator loss `-E[D(G(z))]`; also the generator loss of the hinge game.

    Args:
        fake_logits: the critic's outputs on generated images, any shape.

    Returns:
        Scalar, of either sign.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, Algorithm 1; Miyato et al. 2018, arXiv:1802.05957, equation 17.
    """
    return -keras.ops.mean(_float32(fake_logits))


def hinge_discriminator(real_logits, fake_logits):
    """Discriminator loss `E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`, where `D` is the logit itself.

    Args:
        real_logits: the discriminator's outputs on data, any shape.
        fake_logits: the discriminator's outputs on generated images, any shape.

    Returns:
        Scalar, at least 0.

    Source: Miyato et al. 2018, arXiv:1802.05957, equation 16.
    """
    ops = keras.ops
    return ops.mean(ops.relu(1.0 - _float32(real_logits))) + ops.mean(ops.relu(1.0 + _float32(fake_logits)))


OBJECTIVES: dict[str, Objective] = {
    "minimax": Objective(minimax_discriminator, minimax_generator),
    "non_saturating": Objective(minimax_discriminator, non_saturating_generator),
    "least_squares": Objective(least_squares_discriminator, least_squares_generator),
    "wasserstein": Objective(wasserstein_critic, wasserstein_generator),
    "hinge": Objective(hinge_discriminator, wasserstein_generator),
}


def squared_error(target, reconstruction):
    """Reconstruction loss `mean (x - x_hat)^2` over all elements of all images.

    Args:
        target: images `x`, `(batch, ...)`, any range.
        reconstruction: `x_hat`, the shape and range of `target`.

    Returns:
        Scalar, in squared units of the range.
    """
    return keras.ops.mean(_squared_errors(target, reconstruction))


def squared_error_per_image(target, reconstruction):
    """Reconstruction loss `sum (x - x_hat)^2` over the elements of each image.

    Args:
        target: images `x`, `(batch, ...)`, any range.
        reconstruction: `x_hat`, the shape and range of `target`.

    Returns:
        `(batch,)`, in squared units of the range; twice the nats of a Gaussian of variance 1, up to a constant.
    """
    return _sum_per_image(_squared_errors(target, reconstruction))


def binary_cross_entropy(target, logits):
    """Reconstruction loss `mean -x log p - (1 - x) log(1 - p)` over all elements, with `p = sigmoid(logits)`.

    Args:
        target: images `x`, `(batch, ...)`, in [0, 1].
        logits: of the reconstruction, the shape of `target`; not squashed.

    Returns:
        Scalar, in nats per element. It is not 0 at `p = x` but the mean entropy of the pixels.
    """
    return keras.ops.mean(_binary_cross_entropies(target, logits))


def binary_cross_entropy_per_image(target, logits):
    """Reconstruction loss `sum -x log p - (1 - x) log(1 - p)` over the elements of each image, `p = sigmoid(logits)`.

    Args:
        target: images `x`, `(batch, ...)`, in [0, 1].
        logits: of the reconstruction, the shape of `target`; not squashed.

    Returns:
        `(batch,)`, in nats: the negative log-likelihood of a Bernoulli decoder where `target` is 0 or 1.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix C.1.
    """
    return _sum_per_image(_binary_cross_entropies(target, logits))


def kl_to_standard_normal(mean, log_variance):
    """Divergence `KL(N(mean, exp(log_variance)) || N(0, 1)) = 1/2 sum(exp(log_variance) + mean^2 - 1 - log_variance)`.

    Args:
        mean: of each code, `(batch, ...)`.
        log_variance: natural logarithm of the variance (not of the deviation), the shape of `mean`.

    Returns:
        `(batch,)`, in nats, summed over the code of each image; at least 0.

    Source: Kingma and Welling 2014, arXiv:1312.6114, appendix B.
    """
    _same_shape(mean=mean, log_variance=log_variance)
    mean, log_variance = _float32(mean), _float32(log_variance)
    return 0.5 * _sum_per_image(keras.ops.expm1(log_variance) - log_variance + keras.ops.square(mean))


def _squared_errors(target, reconstruction):
    _same_shape(target=target, reconstruction=reconstruction)
    return keras.ops.square(_float32(target) - _float32(reconstruction))


def _binary_cross_entropies(target, logits):
    _same_shape(target=target, logits=logits)
    # Not softplus(logits) - target * logits: that cancels for large logits, this form does not.
    return keras.ops.binary_crossentropy(_float32(target), _float32(logits), from_logits=True)


def _sum_per_image(values):
    return keras.ops.sum(values, axis=tuple(range(1, len(values.shape))))


def _float32(x):
    return keras.ops.cast(x, "float32")


def _same_shape(**tensors):
    (first, a), (second, b) = tensors.items()
    a, b = tuple(keras.ops.shape(a)), tuple(keras.ops.shape(b))
    known = [(m, n) for m, n in zip(a, b, strict=False) if isinstance(m, int) and isinstance(n, int)]
    if len(a) != len(b) or any(m != n for m, n in known):  # else they would broadcast to a wrong number
        raise ValueError(f"`{first}` and `{second}` must have the same shape. Received: {a} and {b}.")
