"""Generative Adversarial Nets. Goodfellow et al. 2014, arXiv:1406.2661.

Algorithm 1: a discriminator D learns to tell real images x from generated ones G(z). A generator G learns to make
images that the discriminator takes for real. In each training step D first takes k steps of descent on

    L_D = -E[log D(x)] - E[log(1 - D(G(z)))]

and each of them sees a fresh batch. Then the generator takes one step of descent on L_G = -E[log D(G(z))], the
non-saturating loss of section 3. `--loss` replaces both losses by another pair.

This file has the algorithm alone. Networks and recipes are in `kgen.models.gan_maxout` (those of the authors' code),
`kgen.models.dcgan` and others.

Deviation: the generator may take several steps too (`--generator-steps`); the paper's takes one.
"""

from collections.abc import Callable, Iterator
from typing import Any

from kgen.backend import Tensor
from kgen.core.adversarial import AdversarialGame
from kgen.core.regularisation import Discriminated


class GAN(AdversarialGame):
    """Goodfellow et al. 2014, Algorithm 1."""

    def play(self, batches: list) -> Iterator[tuple[Callable, Any]]:
        """Yields `discriminator_steps` turns of the discriminator, then `generator_steps` turns of the generator."""
        for batch in batches[: self.discriminator_steps]:
            yield self.discriminator_turn, batch
        for batch in batches[-self.generator_steps :]:
            yield self.generator_turn, batch

    def discriminator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The discriminator compares images `(batch, height, width, channels)` with as many generated ones."""
        real, fake = self.discriminated(real)
        loss = self.loss.discriminator(real.logits, fake.logits)
        values = {self.discriminator_name: loss, **self.scores(real.logits, fake.logits)}
        return self.regularised(values, real, fake)

    def discriminated(self, images: Tensor) -> tuple[Discriminated, Discriminated]:
        """Returns images `(batch, height, width, channels)` and as many generated ones, each with their logits."""
        real = Discriminated(images, self.discriminate(images))
        made = self.sample(images.shape[0])
        return real, Discriminated(made, self.discriminate(made))

    def generator_turn(self, real: Tensor) -> dict[str, Tensor]:
        """The generator makes as many images as `real` has. A paired loss sees `real` too. Returns a scalar."""
        fake_logits = self.discriminate(self.sample(real.shape[0]))
        real_logits = self.discriminate(real) if self.loss.paired else None
        return {"generator": self.loss.generator_loss(real_logits, fake_logits)}
