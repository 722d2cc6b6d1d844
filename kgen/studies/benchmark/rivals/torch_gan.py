"""The maxout GAN of Goodfellow et al. in PyTorch: the networks of `kgen.models.gan_maxout`, both players at once."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import torch_variant
from kgen.studies.benchmark.rivals.torch_variant import Variant

LATENT, WIDTH, UNITS, PIECES, SIDE, IMAGES = 100, 1200, 240, 5, 28, 2_000


class Maxout(nn.Module):
    """The largest of each `PIECES` consecutive numbers: `(batch, units * PIECES)` -> `(batch, units)`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns `(batch, units)`."""
        return x.unflatten(1, (-1, PIECES)).amax(2)


def networks() -> tuple[nn.Module, nn.Module]:
    """Returns `(generator, discriminator)` for images `(1, 28, 28)`."""
    generator = [nn.Linear(LATENT, WIDTH), nn.ReLU(True), nn.Linear(WIDTH, WIDTH), nn.ReLU(True)]
    generator += [nn.Linear(WIDTH, SIDE**2), nn.Sigmoid(), nn.Unflatten(1, (1, SIDE, SIDE))]
    discriminator = [nn.Flatten(), nn.Dropout(0.2), nn.Linear(SIDE**2, UNITS * PIECES), Maxout(), nn.Dropout(0.5)]
    discriminator += [nn.Linear(UNITS, UNITS * PIECES), Maxout(), nn.Dropout(0.5), nn.Linear(UNITS, 1)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


def steps(meter: Meter, mode: str, precision: str, batch_size: int) -> dict[str, Any]:
    """Trains until the meter has enough; returns how many images a step takes. Arguments as in `torch_dcgan.steps`."""
    variant = Variant(mode, precision)
    generator, discriminator = map(variant.placed, networks())
    pictures = torch_variant.images(variant, IMAGES, (1, SIDE, SIDE))
    torch_variant.play(meter, variant, step_of(variant, generator, discriminator, pictures, batch_size))
    return {"amount": batch_size}


def step_of(
    variant: Variant, generator: nn.Module, discriminator: nn.Module, pictures: torch.Tensor, size: int
) -> Callable[[], None]:
    """Returns a function that plays a step on `size` of the images `(count, channels, height, width)`."""
    players = (discriminator, generator)
    weights = [list(network.parameters()) for network in players]
    optimizers = [torch.optim.SGD(each, 0.1, momentum=0.5, fused=True) for each in weights]
    make, judge = variant.called(generator), variant.called(discriminator)
    ones, zeros = (torch.full((size, 1), number, device=variant.device) for number in (1.0, 0.0))

    def step() -> None:
        real = (torch_variant.batch(variant, pictures, size) + 1) / 2
        with variant.arithmetic():
            fake = make(torch.rand(size, LATENT, device=variant.device) * 12**0.5 - 3**0.5)
            real_logits, fake_logits = judge(real).float(), judge(fake).float()
            losses = (
                (cross_entropy(real_logits, ones) + cross_entropy(fake_logits, zeros)) / 2,
                cross_entropy(fake_logits, ones),
            )
        gradients = [torch.autograd.grad(losses[0], weights[0], retain_graph=True)]
        gradients.append(torch.autograd.grad(losses[1], weights[1]))
        for each, found, optimizer in zip(weights, gradients, optimizers, strict=True):
            for weight, gradient in zip(each, found, strict=True):
                weight.grad = gradient
            optimizer.step()

    return step
