"""What student report 000 tried against the collapse of its training."""

from kgen.studies.reproduction.table import Table
from kgen.studies.reproduction.tables import hybrids


def cell(name: str, flags: str) -> hybrids.Cell:
    """Returns the cell of a variant of `acai-report000`."""
    train = f"train --model acai-report000 --dataset cifar10 --precision mixed_bfloat16 --steps 9360 {flags}"
    return hybrids.cell(train, "--depth 4 --split train", name)


VARIANTS = {
    "as-coded": ("as coded", ""),
    "free-critic": ("no spectral norm in the critic", "--no-spectral-norm"),
    "no-extra-steps": ("no extra critic step", "--extra-critic-steps 0"),
    "more-extra-steps": ("five extra critic steps", "--extra-critic-steps 5"),
    "squared-error": ("squared error", "--loss mse"),
    "no-flips": ("no flips", "--no-flip"),
}

TABLE = Table(
    81,
    "Student report 000's variants",
    "student report 000, sections 2 and 4",
    before="""
`acai-report000` for 30 epochs, beyond the 20th near which the report lost its runs: "the critic won, and images became
one colour". The report has no numbers. Measures are those of the hybrids above.
""",
    columns=("", *hybrids.HEADS),
    rows=tuple(hybrids.row(label, name) for name, (label, _) in VARIANTS.items()),
    cells={name: cell(name, flags) for name, (_, flags) in VARIANTS.items()},
)
