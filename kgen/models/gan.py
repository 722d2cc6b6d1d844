"""Generative Adversarial Nets. Goodfellow et al. 2014, arXiv:1406.2661.

Algorithm 1: a discriminator learns to tell real images x from generated ones G(z), and a generator learns to make
images that it takes for real. In each training step, k times: the discriminator D descends on

    L_D = -E[log D(x)] - E[log(1 - D(G(z)))]

then once: the generator descends on L_G = -E[log D(G(z))], the form of section 3 that does not saturate. `--loss` puts
another pair in their place. Each step of the discriminator sees a fresh batch.

This file is the algorithm. Networks and recipes: `kgen.models.gan_maxout` (the authors' code), `kgen.models.dcgan`, ...

Deviation: the generator may move several times too (`--generator-steps`); the paper's moves once.
"""

from collections.abc import Callable, Iterator
from typing import Any

from kgen.backend import Tensor
from kgen.core.adversarial import AdversarialGame


class GAN(AdversarialGame):
    """Goodfellow et al. 2014, Algorithm 1."""

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """For k steps the discriminator moves, then the generator."""
        for batch in batches[: self.discriminator_steps]:
            yield self.discriminator_turn, batch
        for batch in batches[-self.generator_steps :]:
            yield self.generator_turn, batch

    def discriminator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The discriminator compares images `(batch, height, width, channels)` with as many generated ones."""
        real_logits = self.discriminate(real)
        fake_logits = self.discriminate(self.sample(real.shape[0]))
        loss = self.loss.discriminator(real_logits, fake_logits)
        return self.with_r1({self.discriminator_name: loss, **self.scores(real_logits, fake_logits)}, real)

    def generator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The generator makes as many images; a loss of pairs looks at the real ones too. Returns a scalar."""
        fake_logits = self.discriminate(self.sample(real.shape[0]))
        real_logits = self.discriminate(real) if self.loss.paired else None
        return {"generator": self.loss.generator_loss(real_logits, fake_logits)}
