"""Adversarial losses as pure functions, in pairs.

Logits are the outputs of the discriminator (or critic) before any sigmoid. All arithmetic is float32, whatever the
dtype of the inputs, so that a network in bfloat16 still has an exact loss. The softplus forms and their gradients are
finite for logits of any size.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from kgen.backend import Tensor, keras


class AdversarialLoss(NamedTuple):
    """What the two players of an adversarial game minimise.

    Args:
        discriminator: function of `(real_logits, fake_logits)`, a scalar.
        generator: function of `(fake_logits)`, a scalar; if `paired`, of `(real_logits, fake_logits)`.
        score: function of logits of any shape that returns a float32 score for each: 1 means "real" and 0 "generated".
            Without a sigmoid, scores may lie outside of [0, 1]. None if the critic's outputs have no such meaning.
        paired: whether the generator's loss compares real and generated images, as relativistic losses do.
    """

    discriminator: Callable
    generator: Callable
    score: Callable | None = None
    paired: bool = False

    def generator_loss(self, real_logits: Any, fake_logits: Any) -> Any:
        """Returns the generator's loss, a scalar; `real_logits` may be None unless the loss is `paired`."""
        return self.generator(real_logits, fake_logits) if self.paired else self.generator(fake_logits)


def minimax_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Discriminator loss `E[-log D(x)] + E[-log(1 - D(G(z)))]`, for logits `l` with `D = sigmoid(l)`.

    Args:
        real_logits: the discriminator's logits on data, any shape.
        fake_logits: the discriminator's logits on generated images, any shape.

    Returns:
        Scalar, in nats; 2 log 2 for a discriminator that cannot tell real from generated.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1. The authors' code halves it.
    """
    ops = keras.ops
    return ops.mean(ops.softplus(-_float32(real_logits))) + ops.mean(ops.softplus(_float32(fake_logits)))


def smoothed_discriminator(real_logits: Tensor, fake_logits: Tensor, target: float = 0.9) -> Tensor:
    """Discriminator loss `E[-t log D(x) - (1 - t) log(1 - D(x))] + E[-log(1 - D(G(z)))]`, one-sided label smoothing.

    Args:
        real_logits: the discriminator's logits on data, any shape.
        fake_logits: the discriminator's logits on generated images, any shape.
        target: t, the probability that D should give to data, in [0, 1]; 1 is `minimax_discriminator`.

    Returns:
        Scalar, in nats. The term on data is least at `D(x) = t`; there it is the entropy of `target`.

    Raises:
        ValueError: `target` is outside of [0, 1].

    Source: Salimans et al. 2016, arXiv:1606.03498, section 3.4. `label_smoothing=s` of TF-GAN is t = 1 - s / 2.
    """
    if not 0 <= target <= 1:
        raise ValueError(f"`target` must be in [0, 1]. Received: target={target}.")
    ops, real, fake = keras.ops, _float32(real_logits), _float32(fake_logits)
    on_real = target * ops.softplus(-real) + (1.0 - target) * ops.softplus(real)
    return ops.mean(on_real) + ops.mean(ops.softplus(fake))


def minimax_generator(fake_logits: Tensor) -> Tensor:
    """Generator loss `E[log(1 - D(G(z)))]` of the saturating game.

    Args:
        fake_logits: the discriminator's logits on generated images, any shape.

    Returns:
        Scalar, in nats, never positive.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, equation 1.
    """
    return -keras.ops.mean(keras.ops.softplus(_float32(fake_logits)))  # -softplus(l) = log(1 - sigmoid(l))


def non_saturating_generator(fake_logits: Tensor) -> Tensor:
    """Generator loss `E[-log D(G(z))]` of the non-saturating game.

    Args:
        fake_logits: the discriminator's logits on generated images, any shape.

    Returns:
        Scalar, in nats.

    Source: Goodfellow et al. 2014, arXiv:1406.2661, section 3.
    """
    return keras.ops.mean(keras.ops.softplus(-_float32(fake_logits)))  # softplus(-l) = -log sigmoid(l)


def least_squares_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
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


def least_squares_generator(fake_logits: Tensor) -> Tensor:
    """Generator loss `1/2 E[(D(G(z)) - 1)^2]`, where `D` is the logit itself: no sigmoid.

    Args:
        fake_logits: the discriminator's outputs on generated images, any shape.

    Returns:
        Scalar, at least 0.

    Source: Mao et al. 2017, arXiv:1611.04076, equation 9 (c = 1).
    """
    return 0.5 * keras.ops.mean(keras.ops.square(_float32(fake_logits) - 1.0))


def wasserstein_critic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Critic loss `E[D(G(z))] - E[D(x)]`; its negative estimates the Wasserstein-1 distance for a 1-Lipschitz critic.

    Args:
        real_logits: the critic's outputs on data, any shape.
        fake_logits: the critic's outputs on generated images, any shape.

    Returns:
        Scalar, of either sign.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, Algorithm 1 (which maximises the negative of this).
    """
    return keras.ops.mean(_float32(fake_logits)) - keras.ops.mean(_float32(real_logits))


def wasserstein_generator(fake_logits: Tensor) -> Tensor:
    """Generator loss `-E[D(G(z))]`; also the generator loss of the hinge game.

    Args:
        fake_logits: the critic's outputs on generated images, any shape.

    Returns:
        Scalar, of either sign.

    Source: Arjovsky et al. 2017, arXiv:1701.07875, Algorithm 1; Miyato et al. 2018, arXiv:1802.05957, equation 17.
    """
    return -keras.ops.mean(_float32(fake_logits))


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
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


def _probability(logits: Tensor) -> Tensor:
    return keras.ops.sigmoid(_float32(logits))


def _hinge_score(logits: Tensor) -> Tensor:
    return (1.0 + _float32(logits)) / 2.0  # the margins are 1 on data and -1 on generated images


def _float32(x: Tensor) -> Tensor:
    return keras.ops.cast(x, "float32")


LOSSES: dict[str, AdversarialLoss] = {
    "minimax": AdversarialLoss(minimax_discriminator, minimax_generator, _probability),
    "non_saturating": AdversarialLoss(minimax_discriminator, non_saturating_generator, _probability),
    "least_squares": AdversarialLoss(least_squares_discriminator, least_squares_generator, _float32),
    "wasserstein": AdversarialLoss(wasserstein_critic, wasserstein_generator),
    "hinge": AdversarialLoss(hinge_discriminator, wasserstein_generator, _hinge_score),
}
