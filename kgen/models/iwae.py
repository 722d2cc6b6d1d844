"""Importance Weighted Autoencoders. Burda, Grosse and Salakhutdinov 2016, arXiv:1509.00519.

A VAE's encoder and decoder are trained by a bound that is tighter the more codes are drawn (equation 8). With k codes
z_i ~ q(z|x) of an image and the weights `w_i = p(x|z_i) p(z_i) / q(z_i|x)`:

    L_k = E[log 1/k sum_i w_i] <= log p(x)

L_1 is the bound of a VAE, L_k grows with k, and tends to log p(x) (theorem 1). The gradient passes through all draws,
each with its share `w_i / sum_j w_j` (equations 13 and 14); it is that of automatic differentiation.

p(x|z) is Bernoulli in each pixel, p(z) is N(0, I), q(z|x) is normal with a diagonal covariance. Images are binarised
anew each time they are seen: a pixel is 1 with the probability of its grey value (section 5).

`kgen evaluate --metrics log-likelihood` estimates log p(x) by L_5000, as the paper's table 1 does. On MNIST, with one
stochastic layer, it has -86.76 nats for a VAE, and for this model -85.54 with k = 5 and -84.78 with k = 50.

Recipe `iwae`: the paper's networks with one stochastic layer, two hidden layers of 200 tanh units on either side of a
code of 50 numbers; k = 50; batches of 20; Adam with epsilon 1e-4 and the rates `.001 10^(-i/7)` for 3^i epochs each, i
= 0 ... 7. For any number of steps each rate keeps its share of them, the last one two thirds; the paper's 3,280 epochs
are `--steps 9840000 --folds 0`. A short run does better with `--learning-rate 1e-2`. `--samples 1` is the paper's VAE.

Deviations: a fifth of the images is held out to choose the best epoch (`--folds 0` takes all, as the paper does), and
the decoder's last bias is 0 at first, not the logits of the mean image.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import images, rng
from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.held_out import HeldOutRecipe
from kgen.core.priors import Normal
from kgen.losses import reconstruction as reconstruction_losses

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images

RATES = 8  # the number of learning rates, i = 0 ... 7


class IWAE(autoencoding.AutoencodingGame):
    """Burda et al. 2016, section 3.

    Args:
        autoencoder: player, with layers `encoder`, images -> means and log-variances, and `decoder`, codes -> logits.
        prior: of codes, `kgen.core.priors.Normal`.
        samples: k, codes drawn for each image.
    """

    range = images.UNIT
    reports = ("elbo",)
    walks, draws = 2, 2

    def __init__(self, autoencoder: Player, prior: Normal, samples: int) -> None:
        super().__init__(autoencoder.network.input_shape[1:], autoencoder=autoencoder)
        self.prior, self.samples = prior, samples

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The autoencoder moves."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns -L_k and, from the same draws, L_1: scalars in nats, means over images."""
        weights = self.log_weights(binarised(real), training=True)
        return {"autoencoder": -keras.ops.mean(bound(weights)), "elbo": keras.ops.mean(weights)}

    def measures(self, real: Tensor) -> dict[str, Tensor]:
        """Returns `{name: (batch,)}` in nats: -L_k and -L_1 of each image, binarised."""
        weights = self.log_weights(binarised(real), training=False)
        return {"negative_bound": -bound(weights), "negative_elbo": -keras.ops.mean(weights, axis=0)}

    def log_weights(self, x: Tensor, training: bool) -> Tensor:
        """Returns log w_i of k draws for each image, `(k, batch)`, in nats; `x` is 0 or 1."""
        ops, k, size = keras.ops, self.samples, self.prior.size
        mean, log_variance = self.encoder(x, training=training)
        mean, log_variance = ops.cast(mean, "float32"), reconstruction_losses.bounded(log_variance)
        noise = ops.transpose(rng.current().normal((x.shape[0], k, size)), (1, 0, 2))  # drawn with the batch first
        z = mean + ops.exp(0.5 * log_variance) * noise  # (k, batch, size)
        logits = self.decoder(ops.reshape(z, (-1, size)), training=training)
        repeated = ops.reshape(ops.tile(x[None], (k, 1, 1, 1, 1)), (-1, *x.shape[1:]))
        nats = reconstruction_losses.binary_cross_entropy_per_image(repeated, logits)
        prior = -0.5 * ops.sum(ops.square(z), axis=2)  # both without -size/2 log(2 pi)
        posterior = -0.5 * ops.sum(ops.square(noise) + log_variance, axis=2)
        return prior - posterior - ops.reshape(nats, (k, -1))

    def paint(self, numbers: Tensor) -> Tensor:
        """Returns the probabilities of white for the decoder's logits, `(batch, height, width, channels)`."""
        return keras.ops.sigmoid(numbers)


def bound(log_weights: Tensor) -> Tensor:
    """Returns `log 1/k sum_i w_i` of each image, `(batch,)`, from log w_i `(k, batch)`: equation 8."""
    return keras.ops.logsumexp(log_weights, axis=0) - math.log(log_weights.shape[0])


def binarised(real: Tensor) -> Tensor:
    """Returns images of the same shape whose pixels are 1 with the probability of their grey value, otherwise 0."""
    return keras.ops.cast(rng.current().uniform(real.shape) < real, "float32")


def encoder(shape: tuple[int, ...], units: tuple[int, ...], size: int) -> "keras.Model":
    """Returns images of `shape` -> means and log-variances of their codes, `(batch, size)` each."""
    image = keras.Input(shape)
    x = hidden(keras.layers.Flatten()(image), units)
    heads = [keras.layers.Dense(size, dtype="float32")(x) for _ in range(2)]
    return keras.Model(image, heads, name="encoder")


def decoder(shape: tuple[int, ...], units: tuple[int, ...], size: int) -> "keras.Model":
    """Returns codes `(batch, size)` -> logits of images of `shape`."""
    code = keras.Input((size,))
    x = keras.layers.Dense(math.prod(shape), dtype="float32")(hidden(code, units))
    return keras.Model(code, keras.layers.Reshape(shape, dtype="float32")(x), name="decoder")


def hidden(x: Tensor, units: tuple[int, ...]) -> Tensor:
    """Returns x after dense layers of tanh units; Keras's initial weights are those of Glorot and Bengio."""
    for width in units:
        x = keras.layers.Dense(width, "tanh")(x)
    return x


@dataclass(frozen=True, kw_only=True)
class IWAERecipe(HeldOutRecipe):
    """Importance weighted autoencoder, Burda et al. 2016."""

    units: tuple[int, ...] = (200, 200)  # Units of the hidden layers of encoder and decoder.
    latent_dim: int = 50  # Numbers of the code.
    samples: int = 50  # Codes drawn for each image, k; 1 gives the VAE's bound.
    learning_rate: float = 1e-3  # Adam's at first.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(all(number >= 1 for number in self.units), "units", "numbers of at least 1")
        for name in ("latent_dim", "samples"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def rates(self) -> "keras.optimizers.schedules.LearningRateSchedule":
        """Returns the rates `.001 10^(-i/7)`, i = 0 ... 7, each for a share of the steps in proportion to 3^i."""
        ends = [self.steps * (3 ** (i + 1) - 1) / (3**RATES - 1) for i in range(RATES - 1)]
        values = [self.learning_rate * 10 ** (-i / 7) for i in range(RATES)]
        return keras.optimizers.schedules.PiecewiseConstantDecay([round(end) for end in ends], values)

    def game(self, data: "Images") -> "Game":
        """Returns the `IWAE` for images of this shape."""
        shape = data.images.shape[1:]
        network = autoencoding.autoencoder(
            encoder(shape, self.units, self.latent_dim), decoder(shape, self.units, self.latent_dim)
        )
        adam = keras.optimizers.Adam(self.rates(), epsilon=1e-4)
        return IWAE(Player(network, adam), Normal(self.latent_dim), self.samples)


RECIPES = {"iwae": IWAERecipe(batch_size=20, steps=60_000)}
