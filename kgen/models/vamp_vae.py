"""VAE with a VampPrior. Tomczak and Welling 2018, arXiv:1705.07120; code: jmtomczak/vae_vampprior.

A VAE's prior of codes is the mixture of the encoder's own distributions of K learned images, the pseudo-inputs u_k:

    p(z) = 1/K sum_k q(z | u_k)

It is an approximation of the mean of q(z|x) over all images, which is the prior that makes the bound greatest. Encoder,
decoder and pseudo-inputs together minimise the negative bound of an image in nats, with one draw z ~ q(z|x):

    L = -log p(x|z) + log q(z|x) - log p(z)

p(x|z) is Bernoulli in each pixel. Images are binarised anew each time they are seen: a pixel is 1 with the probability
of its grey value. New images are decoded from draws of p(z): a k, then q(z | u_k). An export draws in the same way.

Recipe `vamp-vae`: the paper's networks with one stochastic layer: two gated layers of 300 units, `(W x + b) s(V x + c)`
with the sigmoid s, on either side of a code of 40 numbers; K = 500; batches of 100; Adam at 5e-4. Pseudo-inputs are a
table of pixels, clipped to [0, 1]. They begin as training images, an option of the authors' code.

Deviations: no warm-up (the code lets the weight of `log q - log p` rise over 100 epochs); plain Adam, where the code
normalises gradients; log-variances are not clipped to [-6, 2]. A fifth of the images is held out to choose the best
epoch (`--folds 0` takes all). The metric `log-likelihood` has N(0, I) as the prior, so it refuses this model: the
export gives means of codes and no variances.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import images, rng
from kgen.backend import Tensor, keras, tf
from kgen.core import autoencoding, signatures
from kgen.core.game import Player
from kgen.core.held_out import HeldOutRecipe
from kgen.data import demand_any, pipeline
from kgen.losses import reconstruction as reconstruction_losses
from kgen.models.beta_tc_vae import log_normal
from kgen.models.iwae import binarised
from kgen.models.vae import drawn

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images


@dataclass(frozen=True, eq=False)
class VampPrior:
    """The mixture p(z) = 1/K sum_k q(z | u_k) of codes of `size` numbers.

    Args:
        size: numbers of a code.
        encoder: network, images in [0, 1] -> means and log-variances.
        pseudo_inputs: network, one-hot `(n, K)` -> images.
    """

    size: int
    encoder: Any
    pseudo_inputs: Any

    def components(self, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns means and log-variances of the q(z | u_k), float32 `(K, size)` each."""
        mean, log_variance = self.encoder(self.images(training), training=training)
        return keras.ops.cast(mean, "float32"), reconstruction_losses.bounded(log_variance)

    def images(self, training: bool = False) -> Tensor:
        """Returns the pseudo-inputs `(K, height, width, channels)` in [0, 1]."""
        return self.pseudo_inputs(keras.ops.eye(self.pseudo_inputs.input_shape[-1]), training=training)

    def log_density(self, codes: Tensor, training: bool = False) -> Tensor:
        """Returns log p(z) of codes `(batch, size)`, `(batch,)` in nats."""
        means, log_variances = self.components(training)
        each = keras.ops.sum(log_normal(codes[:, None], means[None], log_variances[None]), axis=2)  # (batch, K)
        return keras.ops.logsumexp(each, axis=1) - math.log(means.shape[0])

    def draw(self, count: int | Tensor) -> Tensor:
        """Returns latents of shape `(count, size)`, float32."""
        chosen = rng.current().integers((count,), self.pseudo_inputs.input_shape[-1])
        return drawn(*(tf.gather(values, chosen) for values in self.components()))


class VampVAE(autoencoding.AutoencodingGame):
    """Tomczak and Welling 2018, with one stochastic layer.

    Args:
        autoencoder: player, with layers `encoder`, images -> means and log-variances, and `decoder`, codes -> logits.
        pseudo_inputs: player, one-hot `(n, K)` -> images in [0, 1].
    """

    range = images.UNIT
    exported = ("autoencoder", "pseudo_inputs")
    reports = ("reconstruction", "divergence")
    walks, draws = 2, 2

    def __init__(self, autoencoder: Player, pseudo_inputs: Player) -> None:
        players = {"autoencoder": autoencoder, "pseudo_inputs": pseudo_inputs}
        super().__init__(autoencoder.network.input_shape[1:], **players)
        self.prior = self.mixture()

    def mixture(self) -> VampPrior:
        """Returns the prior of the present networks."""
        return VampPrior(self.decoder.input_shape[-1], self.encoder, self.pseudo_inputs)

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Both players move, by the same loss."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the negative bound for both players, and its two parts: scalars in nats, means over images."""
        reconstruction, divergence = map(keras.ops.mean, self.bound(real, training=True))
        loss = reconstruction + divergence
        return {"autoencoder": loss, "pseudo_inputs": loss, "reconstruction": reconstruction, "divergence": divergence}

    def measures(self, real: Tensor) -> dict[str, Tensor]:
        """Returns `{name: (batch,)}` in nats: the negative bound of each image, and its two parts."""
        reconstruction, divergence = self.bound(real, training=False)
        return {
            "negative_bound": reconstruction + divergence,
            "reconstruction": reconstruction,
            "divergence": divergence,
        }

    def bound(self, real: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Returns `-log p(x|z)` and `log q(z|x) - log p(z)` of each image, `(batch,)` in nats."""
        x = binarised(real)
        mean, log_variance = self.encoder(x, training=training)
        codes = drawn(mean, log_variance)
        mean, log_variance = keras.ops.cast(mean, "float32"), reconstruction_losses.bounded(log_variance)
        posterior = keras.ops.sum(log_normal(codes, mean, log_variance), axis=1)
        logits = self.decoder(codes, training=training)
        nats = reconstruction_losses.binary_cross_entropy_per_image(x, logits)
        return nats, posterior - self.mixture().log_density(codes, training)

    def paint(self, numbers: Tensor) -> Tensor:
        """Returns the probabilities of white for the decoder's logits, `(batch, height, width, channels)`."""
        return keras.ops.sigmoid(numbers)

    def take_networks(self, networks: "dict[str, keras.Model]") -> None:
        """Gives players other networks, and the prior too."""
        super().take_networks(networks)
        self.prior = self.mixture()

    def with_networks(self, networks: "dict[str, keras.Model]") -> "Game":
        """Returns a copy of this game with other networks, whose prior is made of them."""
        other = super().with_networks(networks)
        other.prior = other.mixture()
        return other

    def signatures(self) -> "tuple[tf.Module, dict[str, Callable]]":
        """Returns `kgen.core.signatures.autoencoder` of the means of codes, with draws from the mixture."""
        means = keras.Model(self.encoder.inputs, self.encoder.outputs[0])
        module, found = signatures.autoencoder(means, self.painter(), self.range, self.prior)
        module.mixture = [variable.value for variable in [*self.encoder.variables, *self.pseudo_inputs.variables]]
        return module, found


def encoder(shape: tuple[int, ...], units: tuple[int, ...], size: int) -> "keras.Model":
    """Returns images of `shape` -> means and log-variances of their codes, `(batch, size)` each."""
    image = keras.Input(shape)
    x = gated(keras.layers.Flatten()(image), units)
    return keras.Model(image, [keras.layers.Dense(size, dtype="float32")(x) for _ in range(2)], name="encoder")


def decoder(shape: tuple[int, ...], units: tuple[int, ...], size: int) -> "keras.Model":
    """Returns codes `(batch, size)` -> logits of images of `shape`."""
    code = keras.Input((size,))
    x = keras.layers.Dense(math.prod(shape), dtype="float32")(gated(code, units))
    return keras.Model(code, keras.layers.Reshape(shape, dtype="float32")(x), name="decoder")


def gated(x: Tensor, units: tuple[int, ...]) -> Tensor:
    """Returns x after layers `(W x + b) sigmoid(V x + c)`, `(batch, units)`."""
    for width in units:
        x = keras.layers.Multiply()([keras.layers.Dense(width)(x), keras.layers.Dense(width, "sigmoid")(x)])
    return x


def pseudo_inputs(first: np.ndarray) -> "keras.Model":
    """Returns one-hot `(n, K)` -> images, which are at first those of `first`, float32 `(K, ...)` in [0, 1]."""
    one_hot = keras.Input((len(first),))
    table = keras.layers.Dense(math.prod(first.shape[1:]), use_bias=False, name="table", dtype="float32")
    x = keras.layers.Reshape(first.shape[1:], dtype="float32")(table(one_hot))
    made = keras.Model(one_hot, keras.ops.clip(x, 0.0, 1.0), name="pseudo_inputs")
    table.kernel.assign(first.reshape(len(first), -1))
    return made


@dataclass(frozen=True, kw_only=True)
class VampVAERecipe(HeldOutRecipe):
    """Variational autoencoder with a VampPrior, Tomczak and Welling 2018."""

    units: tuple[int, ...] = (300, 300)  # Units of the gated layers of encoder and decoder.
    latent_dim: int = 40  # Numbers of the code.
    components: int = 500  # Pseudo-inputs, K.
    learning_rate: float = 5e-4  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(all(number >= 1 for number in self.units), "units", "numbers of at least 1")
        for name in ("latent_dim", "components"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `VampVAE` for images of this shape."""
        pictures, sizes = demand_any(data).images, (self.units, self.latent_dim)
        shape = pictures.shape[1:]
        chosen = pictures[pipeline.indices(self.seed, 0, self.components, len(pictures))]
        network = autoencoding.autoencoder(encoder(shape, *sizes), decoder(shape, *sizes))
        made = pseudo_inputs(np.float32(chosen) / 255)
        return VampVAE(*(Player(each, keras.optimizers.Adam(self.learning_rate)) for each in (network, made)))


RECIPES = {"vamp-vae": VampVAERecipe(batch_size=100, steps=50_000)}
