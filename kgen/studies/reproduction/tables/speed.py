"""Speed of DCGAN beside PyTorch."""

from kgen.studies.reproduction.table import Table


def row(label: str, cell: str, ratio: str) -> tuple[str, ...]:
    """Returns a row of images a second with their ranges."""
    shown = (f"{{{cell}[{who}]:,.0f}} ({{{cell}[{who}-least]:,.0f}}-{{{cell}[{who}-most]:,.0f}})" for who in WHO)
    return (label, *shown, ratio)


WHO = ("pytorch", "kgen")

TABLE = Table(
    900,
    "Speed",
    "kgen's own",
    before="""
DCGAN at 64x64 (widths 64 to 512, kernels of 4, alternating updates), images/s. PyTorch and kgen ran in turn on the same
machine. Values are the median of five parts of a run of 1,200 steps after the warm-up, with their range; on the CPU, of
two runs of 36 steps.
""",
    columns=("", "PyTorch", "kgen", "ratio"),
    rows=(
        row("H200, batch 64, float32 (TF32)", "h200-64", "1.6"),
        row("H200, batch 256, float32 (TF32)", "h200-256", "1.06"),
        row("H200, batch 256, bfloat16", "h200-256-bfloat16", "1.6"),
        row("2 CPU cores with AMX, batch 64, float32", "cpu-64", "1.05"),
        row("2 CPU cores with AMX, batch 64, bfloat16", "cpu-64-bfloat16", "1.08"),
    ),
    after="""
These were measured before there was [`kgen bench`](guides/benchmarks.md), which repeats them: `kgen bench 'dcgan-64*'`.

PyTorch (2.11 on the H200, 2.13 on the CPU) is eager, channels last, with fused Adam on the GPU; its `torch.compile`
did not run there. kgen draws new images for the generator's turn, which is one generator pass more. XLA does not help
a CPU: `--jit auto` leaves it off.

The latency of served models is in [serving.md](serving.md#latency).
""",
    summary=(("DCGAN 64x64, H200, batch 64, images/s", "{h200-64[pytorch]:,.0f}, PyTorch", "{h200-64[kgen]:,.0f}"),),
)
