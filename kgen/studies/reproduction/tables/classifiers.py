"""The classifiers whose features and classes other tables are measured by."""

from kgen.studies.reproduction.numbers import least_loss
from kgen.studies.reproduction.table import Cell, Command, Table


def cell(flags: str) -> Cell:
    """Returns the cell of a classifier; other cells take the one of seed 0."""
    return Cell((Command(f"train --model classifier {flags}", "--width 4 --features 8 --split train"),), {}, seeds=(0,))


def held_out(flags: str) -> Cell:
    """Returns the cell of a classifier that holds out a fifth of the images."""
    found = cell(flags)
    return Cell(found.commands, {"loss": least_loss("validation_cross_entropy")}, found.seeds)


TABLE = Table(
    910,
    "Classifiers",
    "kgen's own; the convolutional network of `classifier`",
    before="""
What FID on features of a classifier, classes found and hybrids are measured by. The one of CIFAR-10 holds
out no images.
""",
    columns=("", "cross-entropy of held-out images"),
    rows=(
        ("MNIST", "{mnist[loss]:.4f}"),
        ("mnist5k", "{mnist5k[loss]:.4f}"),
    ),
    cells={
        "mnist5k": held_out("--dataset mnist5k"),
        "mnist": held_out("--dataset mnist"),
        "cifar10": cell("--dataset cifar10 --anneal --folds 0 --patience 0 --steps 7000"),
    },
)
