"""The variants of a PyTorch training loop: eager, channels last, `torch.compile`, CUDA graphs.

Each of them has fused optimizers, bfloat16 by autocast where it is asked for, and TF32 on a GPU. Images lie on the
device as bytes.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from kgen.studies.benchmark.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Iterator

WARM = 3  # steps before a CUDA graph is captured


@dataclass(frozen=True)
class Variant:
    """How a loop is run.

    Args:
        mode: `eager`; `channels-last`, which the others are too; `compile`; `cuda-graphs`.
        precision: `float32` or `mixed_bfloat16`, as in kgen.
    """

    mode: str
    precision: str

    @property
    def device(self) -> str:
        """The device of networks and images."""
        return "cuda" if torch.cuda.is_available() else "cpu"

    @property
    def layout(self) -> torch.memory_format:
        """The order of the axes of maps in memory."""
        return torch.contiguous_format if self.mode == "eager" else torch.channels_last

    def placed(self, network: torch.nn.Module) -> torch.nn.Module:
        """Returns a network on the device."""
        return network.to(self.device, memory_format=self.layout)

    def called(self, network: torch.nn.Module) -> Callable:
        """Returns what a loop calls in place of a placed network."""
        return torch.compile(network, dynamic=False) if self.mode == "compile" else network

    def adam(self, network: torch.nn.Module, rate: float, beta1: float) -> torch.optim.Optimizer:
        """Returns the optimizer of a network."""
        capturable = self.mode == "cuda-graphs"
        return torch.optim.Adam(network.parameters(), rate, (beta1, 0.999), fused=True, capturable=capturable)

    @contextlib.contextmanager
    def arithmetic(self) -> "Iterator[None]":
        """Makes networks that are called inside the `with` block compute in `precision`."""
        bfloat16 = self.precision == "mixed_bfloat16"
        with torch.autocast(self.device, torch.bfloat16, enabled=bfloat16, cache_enabled=self.mode != "cuda-graphs"):
            yield


def images(variant: Variant, count: int, shape: tuple[int, int, int]) -> torch.Tensor:
    """Returns random images on the device, uint8 `(count, channels, height, width)`; `shape` is that of one image."""
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, device=variant.device)


def batch(variant: Variant, pictures: torch.Tensor, size: int) -> torch.Tensor:
    """Returns random ones of images `(count, channels, height, width)`, float32 `(size, ...)` in [-1, 1]."""
    chosen = torch.randint(0, len(pictures), (size,), device=variant.device)
    return (pictures[chosen].float() / 127.5 - 1).contiguous(memory_format=variant.layout)


def play(meter: Meter, variant: Variant, step: Callable[[], object]) -> None:
    """Repeats a step until the meter has enough."""
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    step = captured(step) if variant.mode == "cuda-graphs" else step
    wait = torch.cuda.synchronize if variant.device == "cuda" else lambda: None
    meter.start()
    step()
    while meter.did(wait=wait):
        step()


def captured(step: Callable[[], object]) -> Callable[[], object]:
    """Returns a function that replays a step, which is recorded once as a CUDA graph."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
