"""Least Squares Generative Adversarial Networks. Mao et al. 2017, arXiv:1611.04076.

The game and the networks are DCGAN's. The paper contributes the pair of losses: least squares of the discriminator's
output itself, with a = 0 and b = c = 1 (equation 9). The discriminator ends in a linear layer, without a sigmoid.

Recipes:
- `lsgan`: z of 1024 numbers from U(-1, 1), Adam 1e-3 with beta1 .5, batch 64 (section 4). Deviation: DCGAN's networks
  at the size of the data; the paper's have two more convolutions for its 112 pixels.
- `lsgan-report004`: what student report 004 called LSGAN and saw fail. Its discriminator kept the sigmoid and the
  cross-entropy (`--sigmoid`). Only its generator minimises 1/2 (D - 1)^2, whose gradient vanishes where D is sure.
"""

import dataclasses
from dataclasses import dataclass

from kgen.backend import Tensor, keras
from kgen.core.adversarial import LossName
from kgen.losses.adversarial import LOSSES, AdversarialLoss, least_squares_generator
from kgen.models import dcgan


def squashed_generator(fake_logits: Tensor) -> Tensor:
    """Returns the scalar `1/2 E[(sigmoid(l) - 1)^2]`, report 004's mistake: flat for logits `l` far below 0."""
    return least_squares_generator(keras.ops.sigmoid(keras.ops.cast(fake_logits, "float32")))


@dataclass(frozen=True, kw_only=True)
class LSGANRecipe(dcgan.DCGANRecipe):
    """Least Squares GAN, Mao et al. 2017."""

    loss: LossName = "least_squares"  # What the two players minimise.
    sigmoid: bool = False  # Report 004's losses: for D sigmoid and cross-entropy, for G sigmoid and least squares.

    def adversarial_loss(self) -> AdversarialLoss:
        """Returns the pair of losses; with `sigmoid` those of report 004."""
        if not self.sigmoid:
            return super().adversarial_loss()
        cross_entropy = LOSSES["non_saturating"]
        return AdversarialLoss(cross_entropy.discriminator, squashed_generator, cross_entropy.score)


RECIPES = {
    "lsgan": LSGANRecipe(latent_dim=1024, prior="uniform", learning_rate=1e-3, l2=0.0, steps=4_000),
    "lsgan-report004": LSGANRecipe(
        **{**dataclasses.asdict(dcgan.RECIPES["dcgan-report004"]), "loss": "non_saturating"}, sigmoid=True
    ),
}
