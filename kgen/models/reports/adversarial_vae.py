"""The adversarial VAE of student report 001: reconstructions must look real to a critic.

With `x^ = g(z)`, z drawn from q(z|x), and BCE summed over images and their numbers:

    L_VAE = KL(q(z|x) || N(0, I)) + BCE(x^, x) + BCE(C(x^), 1)
    L_C   = BCE(C(x^), 0) + BCE(C(x), 1)

Each term of L_VAE has a weight (1 in the report). Both losses come from one forward pass, and both players move
together. In L_C, x^ is a constant. The closest published models are VAE/GAN (Larsen et al. 2016, arXiv:1512.09300) and
alpha-GAN; the VAE is that of Kingma and Welling 2014. The critic sees reconstructions only, so images decoded from
N(0, I) are not trained to look real.

Networks: the encoder has three convolutions with batch norm and LeakyReLU, and two heads for mean and log-variance. The
decoder is its mirror image and ends in a sigmoid. The critic has the same kind of convolutions, and one more that gives
a number.

The report compares these variants (figure 2), each a flag:
- `--units 256`: two fully connected layers;
- `--channels 64 128 256 256`: one more convolution;
- `--spectral-norm`;
- `--critic mixing`: ACAI's critic, which guesses alpha of decoded mixtures with squared error;
- `--upsampling nearest|bilinear`: resizing, then convolution, which leaves no checkerboard pattern.

Its VAE/GAN is the recipe `vae-gan`.

Corrections: the second term of the report's L_C lacks C(); a head called "sigma" must be a log-variance; a Bernoulli
likelihood of pixels between 0 and 1 gives no bound. The report does not state these numbers, so they were chosen here:
channels 64, 128, 256, a code of 128 numbers, kernels of 4, slope .2, Adam 2e-4 (.5), batch 64. The report trained on
the test images too; here they are left out, unless `--split train+test` is given. Give the recipe `--dataset cifar10
--classes horse,bird`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kgen import layers
from kgen.backend import Tensor, keras, replicas
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.recipe import Recipe
from kgen.errors import UsageError
from kgen.losses import reconstruction as reconstruction_losses
from kgen.losses.adversarial import LOSSES
from kgen.models.vae import VAE, drawn

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.priors import Uniform
    from kgen.data import Images

SLOPE = 0.2


class AdversarialVAE(VAE):
    """Student report 001, section 1.4.

    Args:
        autoencoder: player, with the layers `encoder`, which gives means and log-variances, and `decoder`, which gives
            logits.
        critic: player, images in [0, 1] -> logits `(batch, 1)`.
        prior: of codes, `kgen.core.priors.Normal`.
        weights: of the KL, reconstruction and adversarial terms.
    """

    reports = ("reconstruction", "kl", "adversarial")

    def __init__(
        self,
        autoencoder: Player,
        critic: Player,
        prior: "Normal | Uniform",
        weights: tuple[float | int, ...] = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__(autoencoder, prior, critic=critic)
        self.weights = weights

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Both players move, from one forward pass. Returns scalars; losses are sums over the batch."""
        mean, log_variance = self.encoder(real, training=True)
        codes = drawn(mean, log_variance)
        logits = self.decoder(codes, training=True)
        divergence = batch_sum(reconstruction_losses.kl_to_standard_normal(mean, log_variance))
        reconstruction = batch_sum(self.nats(real, logits))
        adversarial, critic = self.opinions(real, self.paint(logits), codes)
        parts = (divergence, reconstruction, adversarial)
        count = replicas.count() * real.shape[0]
        return {
            "autoencoder": sum(weight * part for weight, part in zip(self.weights, parts, strict=True)),
            "critic": critic,
            "reconstruction": reconstruction / count,
            "kl": divergence / count,
            "adversarial": adversarial / count,
        }

    def opinions(self, real: Tensor, made: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the adversarial term of the autoencoder's loss and the critic's loss, scalars, batch sums."""
        objective, count = LOSSES["non_saturating"], replicas.count() * real.shape[0]
        adversarial = objective.generator(self.critic(made, training=True))
        apart = self.critic(keras.ops.stop_gradient(made), training=True)
        return count * adversarial, count * objective.discriminator(self.critic(real, training=True), apart)


class MixingVAE(AdversarialVAE):
    """The adversarial VAE with the critic of Berthelot et al. 2019, which guesses alpha of decoded mixtures."""

    def opinions(self, real: Tensor, made: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the adversarial term of the autoencoder's loss and the critic's loss on mixed codes, scalars."""
        ops, (mixed, alpha) = keras.ops, autoencoding.mixed(codes)
        mixture = self.paint(self.decoder(mixed, training=True))
        adversarial = batch_sum(ops.square(self.critic(mixture, training=True)))
        guesses = self.critic(ops.stop_gradient(mixture), training=True)
        unmixed = self.critic(real, training=True)
        return adversarial, batch_sum(ops.square(guesses - alpha)) + batch_sum(ops.square(unmixed))


def batch_sum(values: Tensor) -> Tensor:
    """Returns the sum of the numbers of a batch, of any shape; its mean over replicas is the sum over all of them."""
    return replicas.count() * keras.ops.sum(values)


GAMES = {"real": AdversarialVAE, "mixing": MixingVAE}


def convolutions(x: Tensor, channels: tuple[int, ...], wrap: Callable = lambda layer: layer) -> Tensor:
    """Returns x `(batch, ...)` through convolutions of 4x4, stride 2, each with batch norm and LeakyReLU behind it."""
    for width in channels:
        x = layers.BatchNorm()(wrap(keras.layers.Conv2D(width, 4, 2, "same"))(x))
        x = keras.layers.LeakyReLU(SLOPE)(x)
    return x


def encoder(
    shape: tuple[int, ...], channels: tuple[int, ...], units: tuple[int, ...], latent_dim: int
) -> "keras.Model":
    """Returns images of `shape` -> [means, log-variances], each `(batch, latent_dim)`."""
    image = keras.Input(shape)
    x, heads = keras.layers.Flatten()(convolutions(image, channels)), []
    for _ in range(2):  # each head has fully connected layers of its own
        head = x
        for width in units:
            head = keras.layers.LeakyReLU(SLOPE)(keras.layers.Dense(width)(head))
        heads.append(keras.layers.Dense(latent_dim, dtype="float32")(head))
    return keras.Model(image, heads, name="encoder")


def decoder(
    shape: tuple[int, ...], channels: tuple[int, ...], units: tuple[int, ...], latent_dim: int, upsampling: str
) -> "keras.Model":
    """Returns codes -> logits of images of `shape`."""
    first, grow = (shape[0] >> len(channels), shape[1] >> len(channels), channels[-1]), layers.UPSAMPLINGS[upsampling]
    code = x = keras.Input((latent_dim,))
    for width in reversed(units):
        x = keras.layers.LeakyReLU(SLOPE)(keras.layers.Dense(width)(x))
    x = keras.layers.Reshape(first)(keras.layers.Dense(math.prod(first))(x))
    for width in reversed((shape[-1], *channels[:-1])):
        x = keras.layers.LeakyReLU(SLOPE)(layers.BatchNorm()(x))
        x = grow(x, width, 4)
    return keras.Model(code, keras.layers.Activation("linear", dtype="float32")(x), name="decoder")


def critic(shape: tuple[int, ...], channels: tuple[int, ...], normed: bool) -> "keras.Model":
    """Returns images of `shape` -> numbers `(batch, 1)`; kernels spectrally normalised if `normed`."""
    wrap = layers.SpectralNorm if normed else lambda layer: layer
    image = keras.Input(shape)
    x = convolutions(image, channels, wrap)
    x = wrap(keras.layers.Conv2D(1, x.shape[1:3]))(x)
    return keras.Model(image, keras.layers.Flatten(dtype="float32")(x), name="critic")


@dataclass(frozen=True, kw_only=True)
class AdversarialVAERecipe(Recipe):
    """Adversarial variational autoencoder, student report 001."""

    channels: tuple[int, ...] = (64, 128, 256)  # Channels of each convolution, which halves the map.
    units: tuple[int, ...] = ()  # Units of fully connected layers before each encoder head; the decoder mirrors them.
    latent_dim: int = 128  # Numbers of the code.
    upsampling: Literal["transposed", "nearest", "bilinear"] = "transposed"  # How the decoder doubles its maps.
    critic: Literal["real", "mixing"] = "real"  # It guesses which images are real, or how far codes are mixed (ACAI).
    spectral_norm: bool = False  # Whether the critic's kernels are divided by their largest singular values.
    kl_weight: float = 1.0  # Weight of the divergence from the prior.
    reconstruction_weight: float = 1.0  # Weight of the cross-entropy of pixels.
    adversarial_weight: float = 1.0  # Weight of the adversarial term.
    learning_rate: float = 2e-4  # Adam's, of both players.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(len(self.channels) >= 1, "channels", "at least one number")
        for name in ("channels", "units"):
            self.demand(all(number >= 1 for number in getattr(self, name)), name, "numbers of at least 1")
        self.demand(self.latent_dim >= 1, "latent_dim", "at least 1")
        for name in ("kl_weight", "reconstruction_weight", "adversarial_weight"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises UsageError unless images `(height, width, channels)` can be halved by the convolutions."""
        halvings = len(self.channels)
        if shape[0] % 2**halvings or shape[1] % 2**halvings:
            size, nearest = "x".join(map(str, shape[:2])), max(1, round(shape[0] / 2**halvings)) << halvings
            raise UsageError(f"{size} pixels cannot be halved {halvings} times: give --image-size {nearest}.")

    def game(self, data: "Images") -> "Game":
        """Returns the `AdversarialVAE`, or the `MixingVAE`, for images of this shape."""
        shape = data.images.shape[1:]
        self.check(shape)
        sizes = (shape, self.channels, self.units, self.latent_dim)
        return GAMES[self.critic](
            Player(autoencoding.autoencoder(encoder(*sizes), decoder(*sizes, self.upsampling)), self.adam()),
            Player(critic(shape, self.channels, self.spectral_norm), self.adam()),
            Normal(self.latent_dim),
            (self.kl_weight, self.reconstruction_weight, self.adversarial_weight),
        )

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=0.5, epsilon=1e-8)


RECIPES = {"adversarial-vae": AdversarialVAERecipe(steps=100_000, sample_every=500)}
