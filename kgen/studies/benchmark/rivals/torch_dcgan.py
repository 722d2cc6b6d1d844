"""DCGAN in PyTorch: the networks of `kgen.networks.dcgan`, alternating updates as in PyTorch's example.

The discriminator moves by real and generated images. Then the generator moves, through the moved discriminator, by the
same generated images; kgen draws new ones, which is one more pass through the generator.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import torch_variant
from kgen.studies.benchmark.rivals.torch_variant import Variant

LATENT, IMAGES = 100, 2_000


def networks(size: int, channels: int, width: int, kernel: int) -> tuple[nn.Module, nn.Module]:
    """Returns `(generator, discriminator)` for square images of `size` pixels, 28 or 64.

    Args:
        channels: of an image.
        width: channels of the largest map.
        kernel: size of every convolution's kernel, 4 or 5.
    """
    doublings = 2 if size == 28 else 4
    small, most = size >> doublings, width << (doublings - 1)
    padding, odd = (kernel - 1) // 2, kernel % 2
    widths = [width << i for i in range(doublings)]
    generator = [nn.Linear(LATENT, most * small**2, bias=False), nn.Unflatten(1, (most, small, small))]
    for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
        generator += [nn.BatchNorm2d(wide), nn.ReLU(True)]
        generator += [nn.ConvTranspose2d(wide, narrow, kernel, 2, padding, odd, bias=False)]
    generator += [nn.BatchNorm2d(width), nn.ReLU(True)]
    generator += [nn.ConvTranspose2d(width, channels, kernel, 2, padding, odd, bias=False), nn.Tanh()]
    discriminator = [nn.Conv2d(channels, width, kernel, 2, padding, bias=False), nn.LeakyReLU(0.2, True)]
    for narrow, wide in zip(widths, widths[1:], strict=False):
        discriminator += [nn.Conv2d(narrow, wide, kernel, 2, padding, bias=False)]
        discriminator += [nn.BatchNorm2d(wide), nn.LeakyReLU(0.2, True)]
    discriminator += [nn.Flatten(), nn.Linear(most * small**2, 1, bias=False)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


def steps(meter: Meter, mode: str, precision: str, batch_size: int, **sizes: int) -> dict[str, Any]:
    """Trains until the meter has enough; returns how many images a step takes.

    Args:
        meter: what is told of each step.
        mode, precision: see `Variant`.
        batch_size: images in a batch.
        sizes: see `networks`.
    """
    variant = Variant(mode, precision)
    generator, discriminator = map(variant.placed, networks(**sizes))
    pictures = torch_variant.images(variant, IMAGES, (sizes["channels"], sizes["size"], sizes["size"]))
    torch_variant.play(meter, variant, step_of(variant, generator, discriminator, pictures, batch_size))
    return {"amount": batch_size}


def step_of(
    variant: Variant, generator: nn.Module, discriminator: nn.Module, pictures: torch.Tensor, size: int
) -> Callable[[], None]:
    """Returns a function that plays a step on `size` of the images `(count, channels, height, width)`."""
    adams = [variant.adam(network, 2e-4, 0.5) for network in (discriminator, generator)]
    make, judge = variant.called(generator), variant.called(discriminator)
    ones, zeros = (torch.full((size, 1), number, device=variant.device) for number in (1.0, 0.0))

    def step() -> None:
        real = torch_variant.batch(variant, pictures, size)
        with variant.arithmetic():
            fake = make(torch.randn(size, LATENT, device=variant.device))
            real_loss = cross_entropy(judge(real).float(), ones)
            loss = real_loss + cross_entropy(judge(fake.detach()).float(), zeros)
        adams[0].zero_grad(set_to_none=True)
        loss.backward()
        adams[0].step()
        with variant.arithmetic():
            loss = cross_entropy(judge(fake).float(), ones)
        adams[1].zero_grad(set_to_none=True)
        loss.backward()
        adams[1].step()

    return step
