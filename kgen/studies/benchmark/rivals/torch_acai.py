"""ACAI in PyTorch: the networks of `kgen.networks.acai` for lines of 32 pixels, both players from one forward pass."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import torch_variant
from kgen.studies.benchmark.rivals.torch_variant import Variant

DEPTH, SCALES, LATENT, SIDE, IMAGES = 16, 4, 16, 32, 2_000
WEIGHT, GAMMA = 0.5, 0.2


def convolution(before: int, after: int) -> list[nn.Module]:
    """Returns the layers of a 3x3 convolution from `before` to `after` channels, with a leaky ReLU."""
    return [nn.Conv2d(before, after, 3, padding=1), nn.LeakyReLU(0.2, True)]


def encoder() -> nn.Module:
    """Returns the network images `(batch, 1, 32, 32)` -> codes `(batch, 16, 2, 2)`."""
    layers, before = [nn.Conv2d(1, DEPTH, 1)], DEPTH
    for scale in range(SCALES):
        layers += [*convolution(before, DEPTH << scale), *convolution(DEPTH << scale, DEPTH << scale), nn.AvgPool2d(2)]
        before = DEPTH << scale
    layers += [*convolution(before, DEPTH << SCALES), nn.Conv2d(DEPTH << SCALES, LATENT, 3, padding=1)]
    return nn.Sequential(*layers)


def decoder() -> nn.Module:
    """Returns the network codes `(batch, 16, 2, 2)` -> images `(batch, 1, 32, 32)`."""
    layers, before = [], LATENT
    for scale in reversed(range(SCALES)):
        layers += [*convolution(before, DEPTH << scale), *convolution(DEPTH << scale, DEPTH << scale)]
        layers += [nn.Upsample(scale_factor=2)]
        before = DEPTH << scale
    return nn.Sequential(*layers, *convolution(before, DEPTH), nn.Conv2d(DEPTH, 1, 3, padding=1))


def steps(meter: Meter, mode: str, precision: str, batch_size: int) -> dict[str, Any]:
    """Trains until the meter has enough; returns how many images a step takes. Arguments as in `torch_dcgan.steps`."""
    variant = Variant(mode, precision)
    networks = [variant.placed(network) for network in (encoder(), decoder(), encoder())]
    pictures = torch_variant.images(variant, IMAGES, (1, SIDE, SIDE))
    torch_variant.play(meter, variant, step_of(variant, networks, pictures, batch_size))
    return {"amount": batch_size}


def step_of(variant: Variant, networks: list[nn.Module], pictures: torch.Tensor, size: int) -> Callable[[], None]:
    """Returns a function that plays a step on `size` of the images `(count, channels, height, width)`.

    Args:
        networks: encoder, decoder and critic. The critic's guess is the mean of its maps.
    """
    encode, decode, criticise = map(variant.called, networks)
    autoencoder = nn.ModuleList(networks[:2])
    players = [autoencoder, networks[2]]
    weights = [list(player.parameters()) for player in players]
    adams = [variant.adam(player, 1e-4, 0.9) for player in players]

    def step() -> None:
        real = torch_variant.batch(variant, pictures, size)
        with variant.arithmetic():
            codes = encode(real)
            alpha = 0.5 - (torch.rand(size, 1, 1, 1, device=variant.device) - 0.5).abs()
            mixed = alpha * codes + (1 - alpha) * codes.flip(0)
            decoded, decoded_mixed = decode(torch.cat([codes, mixed])).float().split(size)
            guesses, unmixed = (
                criticise(torch.cat([decoded_mixed, decoded + GAMMA * (real - decoded)])).float().mean((1, 2, 3))
            ).split(size)
            reconstruction = (real - decoded).square().mean()
            losses = (
                reconstruction + WEIGHT * guesses.square().mean(),
                (guesses - alpha.flatten()).square().mean() + unmixed.square().mean(),
            )
        gradients = [torch.autograd.grad(losses[0], weights[0], retain_graph=True)]
        gradients.append(torch.autograd.grad(losses[1], weights[1]))
        for each, found, adam in zip(weights, gradients, adams, strict=True):
            for weight, gradient in zip(each, found, strict=True):
                weight.grad = gradient
            adam.step()

    return step
