"""The relativistic discriminator: a key element missing from standard GAN. Jolicoeur-Martineau 2018, arXiv:1807.00734.

The discriminator C tells how much more real an image looks than the mean image of the other kind. This is the
relativistic average of the standard GAN (RaSGAN), s is the sigmoid:

    L_D = -E[log s(C(x) - E[C(G(z))])] - E[log(1 - s(C(G(z)) - E[C(x)]))]

The generator's loss is the same with x and G(z) exchanged, so it looks at real images too. The means are over a whole
batch, also on several devices. The players alternate as in Goodfellow 2014.

Recipe `ragan`: the stable CIFAR-10 setting of the authors' code. It has the convolutional networks of
`kgen.models.sngan`, with spectral norm in the discriminator, Adam 2e-4 (.5, .999) and batches of 32. The authors'
runs are `--dataset cifar10 --steps 100000`.

Deviation: the authors' code halves the losses of RaSGAN; Adam does not see it.
"""

from dataclasses import dataclass

from kgen import images
from kgen.backend import Tensor, keras, replicas
from kgen.core.adversarial import AdversarialRecipe
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.data import Images
from kgen.losses.adversarial import AdversarialLoss
from kgen.models.gan import GAN
from kgen.models.sngan import CNN_SIZES, cnn_discriminator, cnn_generator
from kgen.networks.sizes import checked


def relativistic(first_logits: Tensor, second_logits: Tensor) -> Tensor:
    """Returns the loss of taking the first images for real and the second for generated, a scalar in nats."""
    ops = keras.ops
    first, second = ops.cast(first_logits, "float32"), ops.cast(second_logits, "float32")
    first_mean, second_mean = replicas.mean([ops.mean(first), ops.mean(second)])
    return ops.mean(ops.softplus(second_mean - first)) + ops.mean(ops.softplus(second - first_mean))


LOSS = AdversarialLoss(relativistic, lambda real, fake: relativistic(fake, real), paired=True)


class RaGAN(GAN):
    """Jolicoeur-Martineau 2018. Both losses sum over real and generated images, so they are on one scale."""

    share = 1.0


@dataclass(frozen=True, kw_only=True)
class RaGANRecipe(AdversarialRecipe):
    """Relativistic average GAN, Jolicoeur-Martineau 2018."""

    latent_dim: int = 128  # Size of z ~ N(0, I).
    width: int = 64  # Channels of the largest map.
    learning_rate: float = 2e-4  # Adam's, of both players.

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("latent_dim", "width"):
            self.demand(getattr(self, name) >= 1, name, "at least 1")
        self.demand(self.learning_rate > 0, "learning_rate", "above 0")

    def game(self, data: Images) -> RaGAN:
        """Returns the `RaGAN` for images of this shape."""
        shape = checked(data.images.shape[1:], CNN_SIZES)
        return RaGAN(
            generator=Player(cnn_generator(shape, self.latent_dim, self.width), self.adam()),
            discriminator=Player(cnn_discriminator(shape, self.width), self.adam()),
            loss=LOSS,
            prior=Normal(self.latent_dim),
            image_range=images.SYMMETRIC,
            **self.rules(),
        )

    def adam(self) -> "keras.optimizers.Optimizer":
        """Returns a new optimizer: every player has its own."""
        return keras.optimizers.Adam(self.learning_rate, beta_1=0.5, epsilon=1e-8)


RECIPES = {"ragan": RaGANRecipe(batch_size=32, steps=10_000)}
