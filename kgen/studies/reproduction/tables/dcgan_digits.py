"""The recipe dcgan on the digits that come with a package: widths, rates and lengths of training."""

from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.table import Cell, Command, Table

MEASURES = {"fid": metric("fid"), "parzen": metric("parzen"), "mmd": metric("mmd")}


def cell(flags: str) -> Cell:
    """Returns the cell of `dcgan` with other numbers."""
    return Cell(
        (
            Command(f"train --model dcgan --dataset mnist5k {flags}", "--width 4"),
            Command("evaluate --run {run} --metrics fid,parzen,mmd --count 2000 --classifier {classifier}"),
            Command("sample --run {run} --count 64 --out {folder}/samples.png"),
        ),
        MEASURES,
        needs={"classifier": "classifiers/mnist5k"},
    )


def row(label: str, name: str, seconds: str = "{{{0}[cpu_seconds]:.0f}}") -> tuple[str, ...]:
    """Returns the row of a cell; `seconds` is the form of its processor time."""
    measures = "{{{0}[fid]:.1f}}", "{{{0}[parzen]:.1f}}", "{{{0}[mmd]:.4f}}", seconds
    return (label, *(form.format(name) for form in measures))


TABLE = Table(
    11,
    "DCGAN on 4,500 digits",
    "Radford et al. 2016",
    before="""
The recipe `dcgan` is chosen for the 4,500 digits of mnist5k. The first row is the authors' scale, `--width 64
--learning-rate 2e-4 --ema 0 --steps 4000`. All have batches of 64 and seed 0, the last row three seeds; the
average has a decay of .998, or .995 where it is marked. FID is of 2,000 samples, the 500 test images and the features
of `classifier` on mnist5k; MMD^2 is of pixels. CPU seconds are those of two cores together.
""",
    columns=("width, rate, steps", "FID", "Parzen, nats", "MMD^2", "CPU seconds"),
    rows=(
        row("64, 2e-4, 4,000, no average", "authors", "{{{0}[cpu_seconds]:.0f}} (of 160 steps, scaled)"),
        row("32, 2e-4, 2,000 (.995)", "2e-4"),
        row("32, 4e-4, 2,000 (.995)", "4e-4"),
        row("32, 1e-3, 2,000 (.995)", "1e-3"),
        row("32, 2e-3, 2,000", "2e-3"),
        row("32, 1e-3, 3,000", "1e-3-long"),
        row("32, 2e-3, 3,000: `dcgan`", "dcgan"),
    ),
    after="""
![Digits by DCGAN after the first command of the README](digits.png)
""",
    cells={
        "dcgan": cell(""),
        "authors": cell("--width 64 --learning-rate 2e-4 --ema 0 --steps 4000"),
        "2e-4": cell("--learning-rate 2e-4 --ema 0.995 --steps 2000"),
        "4e-4": cell("--learning-rate 4e-4 --ema 0.995 --steps 2000"),
        "1e-3": cell("--learning-rate 1e-3 --ema 0.995 --steps 2000"),
        "2e-3": cell("--learning-rate 2e-3 --steps 2000"),
        "1e-3-long": cell("--learning-rate 1e-3 --steps 3000"),
    },
)
