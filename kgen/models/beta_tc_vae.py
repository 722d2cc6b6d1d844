"""Isolating Sources of Disentanglement in VAEs. Chen, Li, Grosse and Duvenaud 2018, arXiv:1802.04942.

The divergence of a VAE has three parts (equation 2): the mutual information of image and code, the total correlation of
the code's numbers, and the divergence of each number from the prior. Only the second is to be weighed more, so that the
numbers become independent and each means one thing (equation 4, alpha = gamma = 1):

    L = -E[log p(x|z)] + alpha I(z; x) + beta KL(q(z) || prod_j q(z_j)) + gamma sum_j KL(q(z_j) || p(z_j))

q(z) is the mean of q(z|x) over all N images. Of a batch of M it is estimated by minibatch weighted sampling (equation
5), and so is each q(z_j):

    log q(z) = log 1/(N M) sum_m q(z|x_m)

N shifts the logged parts, and not the gradient. The estimate is biased: the total correlation that is logged is not
the true one, and may be below 0.

`kgen evaluate --metrics mig` measures the mutual information gap, the paper's measure, on the dataset `shapes`, whose
factors are known. With its default factors it is like the paper's dSprites, but small.

Recipe `beta-tc-vae`: the paper's networks for dSprites, an encoder of two hidden layers of 1,200 ReLU units, a decoder
of three of 1,200 tanh units, a code of 10 numbers, Bernoulli pixels, batches of 2,048, Adam at 1e-3; beta is 6. On a
CPU take `--batch-size 256 --units 400`.

Deviations: the dataset `shapes` (6,144 images of 32x32) in place of dSprites (737,280 of 64x64), and PyTorch's initial
weights.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kgen.backend import Tensor, keras, replicas
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.recipe import Recipe
from kgen.losses.reconstruction import bounded
from kgen.models.vae import VAE, drawn
from kgen.networks.conv_autoencoder import Plan, decoder, encoder

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images


class BetaTCVAE(VAE):
    """Chen et al. 2018, equation 4 with alpha = gamma = 1 and minibatch weighted sampling.

    Args:
        autoencoder: player, as of `VAE`.
        prior: of codes, `kgen.core.priors.Normal`.
        beta: weight of the total correlation.
        count: N, the number of training images.
    """

    reports = ("reconstruction", "information", "total_correlation", "dimension_kl")

    def __init__(self, autoencoder: Player, prior: Normal, beta: float, count: int) -> None:
        super().__init__(autoencoder, prior, "bernoulli", beta)
        self.count = count

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the loss and its four parts without weights, scalars in nats, means over images."""
        mean, log_variance = self.encoder(real, training=True)
        codes = drawn(mean, log_variance)
        reconstruction = keras.ops.mean(self.nats(real, self.decoder(codes, training=True)))
        information, correlation, divergence = map(keras.ops.mean, parts(codes, mean, log_variance, self.count))
        return {
            "autoencoder": reconstruction + information + self.beta * correlation + divergence,
            "reconstruction": reconstruction,
            "information": information,
            "total_correlation": correlation,
            "dimension_kl": divergence,
        }


def parts(codes: Tensor, mean: Tensor, log_variance: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the three parts of each image's divergence, `(batch,)` in nats: equation 2 by equation 5.

    Args:
        codes: a draw z from q(z|x) for each image, `(batch, size)`.
        mean, log_variance: of q(z|x) for each image, `(batch, size)`.
        count: N, the number of training images.
    """
    ops = keras.ops
    mean, log_variance = ops.cast(mean, "float32"), bounded(log_variance)
    # log q(z_j of image i | image m), (i, m, j)
    others = replicas.gathered(mean)[None], replicas.gathered(log_variance)[None]
    pairs = log_normal(codes[:, None], *others)
    of_its_image = ops.sum(log_normal(codes, mean, log_variance), axis=1)
    shift = math.log(count * pairs.shape[1])
    joint = ops.logsumexp(ops.sum(pairs, axis=2), axis=1) - shift
    marginals = ops.sum(ops.logsumexp(pairs, axis=1) - shift, axis=1)
    prior = ops.sum(log_normal(codes, ops.zeros_like(codes), ops.zeros_like(codes)), axis=1)
    return of_its_image - joint, joint - marginals, marginals - prior


def log_normal(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Returns the log-density of N(mean, exp(log_variance)) at x in nats; the three are broadcast."""
    ops = keras.ops
    return -0.5 * (ops.square(x - mean) * ops.exp(-log_variance) + log_variance + math.log(2 * math.pi))


@dataclass(frozen=True, kw_only=True)
class BetaTCVAERecipe(Recipe):
    """Variational autoencoder with a weight on the total correlation, Chen et al. 2018."""

    units: int = 1200  # Units of the hidden layers, two of the encoder and three of the decoder.
    latent_dim: int = 10  # Numbers of the code.
    beta: float = 6.0  # Weight of the total correlation.
    learning_rate: float = 1e-3  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("units", "latent_dim"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.beta >= 0, "beta", "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `BetaTCVAE` for images of this shape."""
        shape, size = data.images.shape[1:], self.latent_dim
        seeing, painting = (Plan((), (), (), (), (self.units,) * n, name) for n, name in ((2, "relu"), (3, "tanh")))
        network = autoencoding.autoencoder(encoder(shape, seeing, size, heads=2), decoder(shape, painting, size))
        adam = keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)
        return BetaTCVAE(Player(network, adam), Normal(size), self.beta, len(data.images))


RECIPES = {"beta-tc-vae": BetaTCVAERecipe(dataset="shapes", batch_size=2_048, steps=20_000)}
