"""Wasserstein GAN. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875; code: martinarjovsky/WassersteinGAN.

Algorithm 1: the output of the critic is a number, not a probability. The critic moves n_critic = 5 times
(`--discriminator-steps`). After each step its weights are clipped to [-.01, .01], so that it stays Lipschitz. Then the
generator moves once. The optimizer is RMSprop with rate 5e-5, because momentum hurts a critic that is trained so long.

As in the code, the critic takes 100 steps (`--warm-up`) before each of the first 25 steps of the generator and before
every 500th. Meanwhile the generator waits for 20 training steps. So the critic's estimate of the distance is good from
the start.

Networks: DCGAN with kernels of 4, 64 channels at the largest map and batch norm in both players. All trained weights of
the critic are clipped, also batch norm's gains and offsets. z ~ N(0, I), weights N(0, .02). RMSprop is PyTorch's, with
rho .99 and an epsilon of 1e-8 outside of the root (`kgen.optimizers.RMSprop`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kgen import images, optimizers
from kgen.backend import Tensor
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.core.update_rules import CriticFirst
from kgen.losses import penalties
from kgen.losses.adversarial import LOSSES
from kgen.models.gan import GAN
from kgen.networks.dcgan import ConvolutionalRecipe

if TYPE_CHECKING:
    from kgen.core.game import Game
    from kgen.data import Images
    from kgen.optimizers.rmsprop import RMSprop


class WGAN(GAN):
    """Arjovsky et al. 2017, Algorithm 1.

    Args:
        clip: greatest absolute value of the critic's weights.
        warm_up: critic steps before each of the first 25 generator steps and every 500th; 0 for none.
        others: as in `GAN`.
    """

    discriminator_name = "critic"

    def __init__(self, *args: Any, clip: float, warm_up: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clip = clip
        if warm_up > self.discriminator_steps:
            self.update_rule = CriticFirst(warm_up, per_step=self.discriminator_steps)

    def move(self, name: str, gradients: list[Tensor]) -> None:
        """Applies gradients of the weights' shapes; clips the critic's weights."""
        super().move(name, gradients)
        if name == self.discriminator_name:
            penalties.clip_weights(self.critic.trainable_variables, self.clip)


@dataclass(frozen=True, kw_only=True)
class WGANRecipe(ConvolutionalRecipe):
    """Wasserstein GAN with weight clipping, Arjovsky et al. 2017."""

    clip: float = 0.01  # Greatest absolute value of the critic's weights, c of Algorithm 1.
    warm_up: int = 100  # Critic steps before each of the first 25 generator steps and every 500th; 0 for none.

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.clip > 0, "clip", "above 0")
        self.demand(self.warm_up >= 0, "warm_up", "0 or more")
        self.demand(not self.balance, "balance", "0, since a critic's losses have no common scale")

    def game(self, data: "Images") -> "Game":
        """Returns the `WGAN` of the convolutional networks."""
        generator, critic = self.networks(data)
        return WGAN(
            generator=Player(generator, self.rmsprop()),
            discriminator=Player(critic, self.rmsprop()),
            loss=LOSSES["wasserstein"],
            prior=Normal(self.latent_dim),
            image_range=images.SYMMETRIC,
            clip=self.clip,
            warm_up=self.warm_up,
            **self.rules(),
        )

    def rmsprop(self) -> "RMSprop":
        """Returns a new optimizer: every player has its own."""
        return optimizers.RMSprop(self.learning_rate)


RECIPES = {
    "wgan": WGANRecipe(kernel_size=4, learning_rate=5e-5, discriminator_steps=5, steps=10_000),
}
