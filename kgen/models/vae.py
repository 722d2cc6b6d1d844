"""Auto-Encoding Variational Bayes. Kingma and Welling 2014, arXiv:1312.6114.

The encoder gives each image a normal distribution of codes, `q(z|x) = N(mean, diag exp(log_variance))`. One code is
drawn from it: `z = mean + exp(log_variance / 2) e`, with e ~ N(0, I). Encoder and decoder together minimise the
negative evidence lower bound of an image, in nats (equation 10, one draw):

    L = -log p(x|z) + beta KL(q(z|x) || N(0, I))

p(x|z) is Bernoulli in each number of the image (`--likelihood bernoulli`), or normal with variance 1 (`gaussian`, up to
its constant), or normal with the variance that fits a batch best (`optimal_gaussian`: sigma-VAE, Rybkin et al. 2021).
For pixels between 0 and 1 the Bernoulli likelihood is a useful loss but gives no bound. beta is 1 in the paper; a
greater beta gives smoother codes and worse reconstructions (Higgins et al. 2017). So the decoder can be given codes
from N(0, I). The reconstruction of an image is decoded from the mean.

Recipes:
- `vae`: the paper's MNIST networks, one hidden layer of 500 tanh units in encoder and decoder; a code of 20 numbers
  (figure 5).
- `vae-conv`: convolutions of stride 2, for any image size; give it `--dataset cifar10`, or another dataset.

Deviations: Adam at 1e-3 instead of Adagrad, PyTorch's initial weights instead of N(0, .01), and images that are not
binarised.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kgen import images, rng
from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.held_out import HeldOutRecipe
from kgen.core.priors import Normal
from kgen.losses import reconstruction as reconstruction_losses
from kgen.networks.conv_autoencoder import Plan, decoder, encoder

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.priors import Uniform
    from kgen.data import Images

LIKELIHOODS = {  # -log p(x|z) of each image from the decoder's numbers, and the images that these stand for
    "bernoulli": (reconstruction_losses.binary_cross_entropy_per_image, lambda numbers: keras.ops.sigmoid(numbers)),
    "optimal_gaussian": (reconstruction_losses.optimal_gaussian_per_image, lambda numbers: numbers),
    "gaussian": (
        lambda x, numbers: reconstruction_losses.squared_error_per_image(x, numbers) / 2,
        lambda numbers: numbers,
    ),
}


class VAE(autoencoding.AutoencodingGame):
    """Kingma and Welling 2014, Algorithm 1 with L = 1.

    Args:
        autoencoder: player, with the layers `encoder`, which gives means and log-variances, and `decoder`.
        prior: of codes, `kgen.core.priors.Normal`.
        likelihood: name in `LIKELIHOODS`.
        beta: weight of the divergence.
        opponents: further players.
    """

    range = images.UNIT
    reports = ("reconstruction", "kl")
    walks, draws = 2, 2

    def __init__(
        self,
        autoencoder: Player,
        prior: "Normal | Uniform",
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        **opponents: Any,
    ) -> None:
        super().__init__(autoencoder.network.input_shape[1:], autoencoder=autoencoder, **opponents)
        self.prior, self.beta = prior, beta
        self.nats, self.paint = LIKELIHOODS[likelihood]  # paint: see AutoencodingGame

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """The autoencoder moves."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Returns the negative bound and its two parts, scalars in nats, means over images."""
        reconstruction, divergence = map(keras.ops.mean, self.bound(real, training=True))
        return {
            "autoencoder": reconstruction + self.beta * divergence,
            "reconstruction": reconstruction,
            "kl": divergence,
        }

    def measures(self, real: Tensor) -> dict[str, Tensor]:
        """Returns `{name: (batch,)}` in nats: the negative bound of each image, and its two parts."""
        reconstruction, divergence = self.bound(real, training=False)
        return {
            "negative_bound": reconstruction + self.beta * divergence,
            "reconstruction": reconstruction,
            "kl": divergence,
        }

    def bound(self, real: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Returns the two parts of each image's negative bound, `(batch,)` in nats."""
        mean, log_variance = self.encoder(real, training=training)
        numbers = self.decoder(drawn(mean, log_variance), training=training)
        return self.nats(real, numbers), reconstruction_losses.kl_to_standard_normal(mean, log_variance)


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Returns codes `mean + exp(log_variance / 2) e`, e ~ N(0, I): a draw that gradients pass through. Section 2.4."""
    mean, log_variance = keras.ops.cast(mean, "float32"), reconstruction_losses.bounded(log_variance)
    return mean + keras.ops.exp(0.5 * log_variance) * rng.current().normal(keras.ops.shape(mean))


@dataclass(frozen=True, kw_only=True)
class VAERecipe(HeldOutRecipe):
    """Variational autoencoder, Kingma and Welling 2014."""

    channels: tuple[int, ...] = ()  # Channels of each convolution of the encoder; the decoder mirrors them.
    kernels: tuple[int, ...] = ()  # Kernel size of each convolution, in pixels.
    strides: tuple[int, ...] = ()  # Stride of each convolution, in pixels.
    paddings: tuple[int, ...] = ()  # Padding of each convolution at both ends, in pixels.
    units: tuple[int, ...] = (500,)  # Units of the hidden dense layers.
    activation: Literal["tanh", "relu", "silu"] = "tanh"  # Activation of every hidden layer.
    latent_dim: int = 20  # Numbers of the code.
    likelihood: Literal["bernoulli", "gaussian", "optimal_gaussian"] = "bernoulli"  # p(x|z), see the model's page.
    beta: float = 1.0  # Weight of the divergence from the prior.
    learning_rate: float = 1e-3  # Adam's.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.latent_dim >= 1, "latent_dim", "at least 1")
        self.demand(self.beta >= 0, "beta", "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")
        self.plan().demand(self.demand)

    def plan(self) -> Plan:
        """Returns the layers, a `kgen.networks.conv_autoencoder.Plan`."""
        return Plan(self.channels, self.kernels, self.strides, self.paddings, self.units, self.activation)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError if the convolutions leave nothing of images `(height, width, channels)`."""
        self.plan().maps(shape)

    def game(self, data: "Images") -> "Game":
        """Returns the `VAE` for images of this shape."""
        shape, plan = data.images.shape[1:], self.plan()
        network = autoencoding.autoencoder(
            encoder(shape, plan, self.latent_dim, heads=2), decoder(shape, plan, self.latent_dim)
        )
        adam = keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)
        return VAE(Player(network, adam), Normal(self.latent_dim), self.likelihood, self.beta)


CONVOLUTIONS = {"channels": (32, 64, 128), "kernels": (4, 4, 4), "strides": (2, 2, 2), "paddings": (1, 1, 1)}
RECIPES = {
    "vae": VAERecipe(batch_size=100, steps=20_000),
    "vae-conv": VAERecipe(**CONVOLUTIONS, units=(256,), activation="relu", latent_dim=64, batch_size=128, steps=20_000),
}
