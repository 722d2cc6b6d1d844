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
    "listing": ("the listing: slope .01, a border of 1", "--slope 0.01 --border 1"),
    "tanh": ("tanh in hidden layers", "--activation tanh"),
    "tanh-pixels": ("tanh pixels, squared error", "--loss tanh"),
    "crop-and-noise": ("random crops and noise", "--random-crop --noise uniform:0.1"),
    "sgd-critic": ("a critic moved by gradient descent", "--critic-sgd 0.01"),
    "decay": ("weight decay of 1e-5", "--l2 1e-5"),
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
