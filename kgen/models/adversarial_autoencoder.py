"""Adversarial Autoencoders. Makhzani et al. 2016, arXiv:1511.05644.

A discriminator that sees codes, not images, makes the codes of an autoencoder look like draws from a prior (section 2).
In each step the autoencoder and the discriminator move from one forward pass:

    L_autoencoder   = error(x, g(f(x))) + weight E[-log D(f(x))]
    L_discriminator = E[-log D(z)] + E[-log(1 - D(f(x)))],  z ~ N(0, I)

So the decoder can be given codes from the prior. The encoder is deterministic.

Recipe `adversarial-autoencoder`: two hidden layers of 1,000 ReLU units in all three networks and a code of 8 numbers,
as for the paper's likelihoods on MNIST (appendix A.1). The recipe `acai-adversarial` has the same game on the networks
of Berthelot et al. 2019.

Deviations:
- The reconstruction error is the cross-entropy of sigmoid pixels.
- Adam replaces the paper's gradient descent with momentum and a falling learning rate.
- The prior has variance 1.
- One update of the encoder minimises both of its terms, as in the code of Berthelot et al. 2019. The paper alternates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen.backend import Tensor, keras
from kgen.core import autoencoding
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.recipe import Recipe
from kgen.losses.adversarial import LOSSES
from kgen.networks.conv_autoencoder import Plan, decoder, encoder

if TYPE_CHECKING:
    from kgen.core.autoencoding import Pixels
    from kgen.core.game import Game
    from kgen.core.priors import Uniform
    from kgen.data import Images


class AdversarialAutoencoder(autoencoding.AutoencodingGame):
    """Makhzani et al. 2016, section 2, with a deterministic encoder.

    Args:
        autoencoder: player, with layers `encoder` and `decoder`.
        discriminator: player, codes -> logits `(batch, 1)`.
        pixels: a `kgen.core.autoencoding.Pixels`.
        prior: of codes, `kgen.core.priors.Normal`.
        weight: of the adversarial term in the autoencoder's loss.
    """

    reports = ("reconstruction", "real_score", "fake_score")
    walks, draws = 2, 2

    def __init__(
        self,
        autoencoder: Player,
        discriminator: Player,
        pixels: "Pixels",
        prior: "Normal | Uniform",
        weight: float = 1.0,
    ) -> None:
        players = {"autoencoder": autoencoder, "discriminator": discriminator}
        super().__init__(autoencoder.network.input_shape[1:], pixels, **players)
        self.prior, self.weight = prior, weight

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Both players move at once."""
        yield self.turn, batches[0]

    def turn(self, real: Tensor) -> dict[str, Tensor]:
        """Both players move, from one forward pass. Returns scalars; the prior's draws are "real", the codes "fake"."""
        ops, objective = keras.ops, LOSSES["non_saturating"]
        codes = self.encoder(real, training=True)
        reconstruction = self.pixels.error(real, self.decoder(codes, training=True))
        on_prior = self.discriminator(self.prior.draw(real.shape[0]), training=True)
        on_codes = self.discriminator(codes, training=True)
        return {
            "autoencoder": reconstruction + self.weight * objective.generator(on_codes),
            "discriminator": objective.discriminator(on_prior, on_codes),
            "reconstruction": reconstruction,
            "real_score": ops.mean(objective.score(on_prior)),
            "fake_score": ops.mean(objective.score(on_codes)),
        }


def discriminator(size: int, units: tuple[int, ...], activation: str) -> "keras.Model":
    """Returns codes `(batch, size)` -> logits `(batch, 1)`, through dense layers of `units`."""
    code = x = keras.Input((size,))
    for width in units:
        x = keras.layers.Dense(width)(x)
        x = keras.layers.LeakyReLU(0.2)(x) if activation == "leaky_relu" else keras.layers.Activation(activation)(x)
    return keras.Model(code, keras.layers.Dense(1, dtype="float32")(x), name="discriminator")


@dataclass(frozen=True, kw_only=True)
class AdversarialAutoencoderRecipe(Recipe):
    """Adversarial autoencoder, Makhzani et al. 2016."""

    units: tuple[int, ...] = (1000, 1000)  # Units of the hidden layers of encoder, decoder and discriminator.
    latent_dim: int = 8  # Numbers of the code.
    weight: float = 0.05  # Weight of the adversarial term in the autoencoder's loss, whose error is a mean over pixels.
    learning_rate: float = 2e-4  # Adam's, of both players.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(all(number >= 1 for number in self.units), "units", "numbers of at least 1")
        self.demand(self.latent_dim >= 1, "latent_dim", "at least 1")
        self.demand(self.weight >= 0, "weight", "0 or more")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: "Images") -> "Game":
        """Returns the `AdversarialAutoencoder` of dense networks."""
        shape, plan = data.images.shape[1:], Plan((), (), (), (), self.units)
        network = autoencoding.autoencoder(encoder(shape, plan, self.latent_dim), decoder(shape, plan, self.latent_dim))
        return AdversarialAutoencoder(
            Player(network, self.adam()),
            Player(discriminator(self.latent_dim, self.units, "relu"), self.adam()),
            autoencoding.PIXELS["bce"],
            Normal(self.latent_dim),
            self.weight,
        )

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, epsilon=1e-8)


RECIPES = {"adversarial-autoencoder": AdversarialAutoencoderRecipe(batch_size=100, steps=50_000)}
