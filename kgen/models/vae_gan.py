"""Autoencoding beyond pixels using a learned similarity metric. Larsen et al. 2016, arXiv:1512.09300.

A variational autoencoder and a GAN share the decoder. Images are not compared pixel by pixel, but in a layer of the
discriminator, `Dis_l` (equation 7). Let x~ = Dec(z) with z drawn from q(z|x), and x_p = Dec(z_p) with z_p ~ N(0, I)
(Algorithm 1):

    L_prior = KL(q(z|x) || N(0, I))
    L_llike = 1/2 ||Dis_l(x) - Dis_l(x~)||^2
    L_GAN   = log Dis(x) + log(1 - Dis(x~)) + log(1 - Dis(x_p))

    Enc minimises L_prior + L_llike
    Dec minimises gamma L_llike + (1 - gamma) L_GAN
    Dis minimises -L_GAN

All three move from one forward pass. The discriminator learns nothing from L_llike, the encoder nothing from L_GAN.

These follow the authors' code (andersbll/autoencoding_beyond_pixels):
- the weight 1 - gamma;
- half of the discriminator's loss is for real images, half for generated ones, with log(D + .001);
- RMSprop whose rate falls from .025 / 64 to 1e-5 / 64 with the power .75; weight decay;
- the layer compared is a convolution before its batch norm;
- an equilibrium decides which player may move (`kgen.core.update_rules.Equilibrium`).

Recipes, whose networks have 5x5 convolutions with batch norm and ReLU, and tanh pixels:
- `vae-gan`: 32 pixels, a code of 256 numbers, gamma 1e-5, images are compared in the third convolution. Give it
  `--dataset cifar10`.
- `vae-gan-faces`: 64 pixels, a code of 128 numbers, gamma 1e-6, images are compared in the fourth convolution. Give it
  `--dataset celeba --image-size 64`.

Deviations: real, reconstructed and generated images pass through the discriminator as one batch, so batch norm takes
its statistics from all three. The code passes the first two once more by themselves. Initial weights are Glorot's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kgen import layers, optimizers
from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.recipe import Recipe
from kgen.core.update_rules import Equilibrium
from kgen.losses import reconstruction as reconstruction_losses
from kgen.models.vae import drawn
from kgen.networks.sizes import checked

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.core.priors import Uniform
    from kgen.core.update_rules import UpdateRule
    from kgen.data import Images
    from kgen.optimizers.rmsprop import RMSprop

EPSILON = 1e-3  # added inside the logarithms of L_GAN


class Sizes(NamedTuple):
    """Channels of the networks' convolutions for one size of images, in units of the recipe's `width`.

    The decoder starts from maps that are `start` pixels high and wide, with `8 width` channels. The discriminator's
    first convolution keeps the size of the maps. All others halve or double it.
    """

    start: int
    encoder: tuple
    decoder: tuple
    discriminator: tuple


SIZES = {
    32: Sizes(start=4, encoder=(2, 4, 8), decoder=(6, 4, 1), discriminator=(1, 4, 6, 8)),
    64: Sizes(start=8, encoder=(2, 4, 8), decoder=(8, 4, 1), discriminator=(1, 4, 8, 8)),
}


class VAEGAN(autoencoding.AutoencodingGame):
    """Larsen et al. 2016, Algorithm 1.

    Args:
        encoder: player, images in [-1, 1] -> [means, log-variances].
        decoder: player, codes -> images in [-1, 1].
        discriminator: player, images -> [logits `(batch, 1)`, features].
        prior: of codes, `kgen.core.priors.Normal`.
        gamma: weight of the likelihood in the decoder's loss.
        real_share: weight of real images in the discriminator's loss, in (0, 1).
        judge_reconstructions: whether L_GAN includes reconstructions, besides images of codes from the prior.
        update_rule: rule that decides who may move, or None.
    """

    exported = ("encoder", "decoder")
    encoder = decoder = None  # players, not layers of one
    reports = ("kl", "similarity", "real_cost", "fake_cost")
    walks, draws = 2, 2

    def __init__(
        self,
        encoder: Player,
        decoder: Player,
        discriminator: Player,
        prior: "Normal | Uniform",
        gamma: float,
        real_share: float,
        judge_reconstructions: bool,
        update_rule: "UpdateRule | None",
    ) -> None:
        players = {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}
        super().__init__(encoder.network.input_shape[1:], **players)
        self.prior, self.gamma, self.real_share = prior, gamma, real_share
        self.judge_reconstructions, self.update_rule = judge_reconstructions, update_rule

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """All three players move from one forward pass."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """All three move, from one forward pass. Returns scalars; losses are means over images."""
        ops, count = keras.ops, real.shape[0]
        mean, log_variance = self.encoder(real, training=True)
        made = self.decoder(ops.concatenate([drawn(mean, log_variance), self.prior.draw(count)]), training=True)
        logits, features = self.discriminator(ops.concatenate([real, made]), training=True)
        divergence = ops.mean(reconstruction_losses.kl_to_standard_normal(mean, log_variance))
        similarity = ops.mean(reconstruction_losses.squared_error_per_image(*ops.split(features, 3)[:2])) / 2
        kinds = 2 if self.judge_reconstructions else 1  # of generated images
        real_cost, fake_cost = cost(logits[:count], real=True), cost(logits[-kinds * count :], real=False)
        return {
            "encoder": divergence + similarity,
            "decoder": self.gamma * similarity - (1 - self.gamma) * kinds * fake_cost,
            "discriminator": self.real_share * real_cost + (1 - self.real_share) * fake_cost,
            "kl": divergence,
            "similarity": similarity,
            "real_cost": real_cost,
            "fake_cost": fake_cost,
        }


def cost(logits: Tensor, real: bool) -> Tensor:
    """Returns the scalar mean of `-log(D + EPSILON)` on real images, of `-log(1 - D + EPSILON)` on others; nats."""
    right = keras.ops.sigmoid(keras.ops.cast(logits if real else -logits, "float32"))
    return -keras.ops.mean(keras.ops.log(right + EPSILON))


def normed(x: Tensor) -> Tensor:
    """Returns x `(batch, ...)` after batch norm and ReLU."""
    return keras.layers.ReLU()(layers.BatchNorm(momentum=0.9, epsilon=1e-6)(x))


def encoder(shape: tuple[int, ...], latent_dim: int, width: int) -> "keras.Model":
    """Returns images of `shape` -> [means, log-variances]."""
    image = x = keras.Input(shape)
    for units in SIZES[shape[0]].encoder:
        x = normed(keras.layers.Conv2D(units * width, 5, 2, "same", use_bias=False)(x))
    x = normed(keras.layers.Dense(32 * width, use_bias=False)(keras.layers.Flatten()(x)))
    heads = [keras.layers.Dense(latent_dim, dtype="float32")(x) for _ in range(2)]
    return keras.Model(image, heads, name="encoder")


def decoder(shape: tuple[int, ...], latent_dim: int, width: int) -> "keras.Model":
    """Returns codes -> images of `shape` in [-1, 1]."""
    start = SIZES[shape[0]].start
    code = keras.Input((latent_dim,))
    x = normed(keras.layers.Dense(start * start * 8 * width, use_bias=False)(code))
    x = keras.layers.Reshape((start, start, 8 * width))(x)
    for units in SIZES[shape[0]].decoder:
        x = normed(layers.transposed(x, units * width, 5, use_bias=False))
    x = keras.layers.Conv2D(shape[-1], 5, padding="same")(x)
    return keras.Model(code, keras.layers.Activation("tanh", dtype="float32")(x), name="decoder")


def discriminator(shape: tuple[int, ...], width: int, compared: int) -> "keras.Model":
    """Returns images of `shape` -> [logits `(batch, 1)`, output of convolution `compared`, counted from 1, flat]."""
    image = x = keras.Input(shape)
    first, *others = SIZES[shape[0]].discriminator
    outputs = [keras.layers.Conv2D(first * width, 5, padding="same")(x)]
    x = keras.layers.ReLU()(outputs[0])
    for units in others:
        outputs.append(keras.layers.Conv2D(units * width, 5, 2, "same", use_bias=False)(x))
        x = normed(outputs[-1])
    x = normed(keras.layers.Dense(16 * width, use_bias=False)(keras.layers.Flatten()(x)))
    logits = keras.layers.Dense(1, dtype="float32")(x)
    features = keras.layers.Flatten(dtype="float32")(outputs[compared - 1])
    return keras.Model(image, [logits, features], name="discriminator")


@dataclass(frozen=True, kw_only=True)
class VAEGANRecipe(Recipe):
    """VAE/GAN, Larsen et al. 2016."""

    latent_dim: int = 256  # Numbers of the code.
    width: int = 32  # Channels of the smallest convolution, of which the others are multiples.
    compared_layer: int = 3  # Convolution of the discriminator in which images are compared, 1 to 4.
    gamma: float = 1e-5  # Weight of that comparison in the decoder's loss; L_GAN has the weight 1 - gamma.
    real_share: float = 0.5  # Weight of real images in the discriminator's loss.
    judge_reconstructions: bool = True  # Whether the discriminator sees reconstructions besides images of prior codes.
    equilibrium: float = 0.68  # Value near which the discriminator's two costs are kept, in nats.
    margin: float = 0.35  # Distance from --equilibrium at which a player rests, in nats; 0 lets all move always.
    learning_rate: float = 0.025 / 64  # RMSprop's, of all players, at the first step.
    final_learning_rate: float = 1e-5 / 64  # RMSprop's, of all players, at the last step.
    l2: float = 1e-5 / 64  # Weight decay added to the gradient.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.latent_dim >= 1, "latent_dim", "at least 1")
        self.demand(self.width >= 1, "width", "at least 1")
        self.demand(1 <= self.compared_layer <= 4, "compared_layer", "from 1 to 4")
        for name in ("gamma", "real_share"):
            self.demand(0 < getattr(self, name) < 1, name, "above 0 and below 1")
        for name in ("equilibrium", "margin", "final_learning_rate", "l2"):
            self.demand(getattr(self, name) >= 0, name, "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `VAEGAN` of encoder, decoder and discriminator for images of this shape."""
        shape = checked(data.images.shape[1:], SIZES)
        networks = {
            "encoder": encoder(shape, self.latent_dim, self.width),
            "decoder": decoder(shape, self.latent_dim, self.width),
            "discriminator": discriminator(shape, self.width, self.compared_layer),
        }
        return VAEGAN(
            **{name: Player(network, self.rmsprop(), self.l2) for name, network in networks.items()},
            prior=Normal(self.latent_dim),
            gamma=self.gamma,
            real_share=self.real_share,
            judge_reconstructions=self.judge_reconstructions,
            update_rule=Equilibrium(self.equilibrium, self.margin) if self.margin else None,
        )

    def rmsprop(self) -> "RMSprop":
        """Returns a new optimizer: every player has its own."""
        falling = keras.optimizers.schedules.PolynomialDecay(
            self.learning_rate, decay_steps=self.steps, end_learning_rate=self.final_learning_rate, power=0.75
        )
        # The code adds 1e-5 to roots of summed gradients; these are means over its batches of 64.
        return optimizers.RMSprop(falling, rho=0.9, epsilon=1e-5 / 64)


RECIPES = {
    "vae-gan": VAEGANRecipe(steps=156_250),  # 200 epochs of 50,000 images
    "vae-gan-faces": VAEGANRecipe(latent_dim=128, compared_layer=4, gamma=1e-6, image_size=64, steps=62_500),
}
