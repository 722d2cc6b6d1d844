"""Digits that a classifier recognises: GANs on MNIST."""

from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.table import Cell, Command, Table

NARROW = "--width 4"


def cell(flags: str, quick: str = NARROW) -> Cell:
    """Returns the cell of a GAN, whose 10,000 samples are classified."""
    return Cell(
        (
            Command(f"train {flags} --dataset mnist --ema 0.999", quick),
            Command("evaluate --run {run} --metrics classes,fid --classifier {classifier}"),
            Command("sample --run {run} --count 100 --out {folder}/samples.png"),
        ),
        {"counts": metric("classes", "counts"), "classes": metric("classes"), "fid": metric("fid")},
        needs={"classifier": "classifiers/mnist"},
    )


TABLE = Table(
    10,
    "Digits, classified",
    "Odena et al. 2017, Gulrajani et al. 2017, Arjovsky et al. 2017; student report 002, section 3",
    before="""
Student report 002 got white blobs from its GAN and WGAN. Its 11-class game made digits without a 6 and without variety.

10,000 samples were drawn from exports that were trained on MNIST on two CPU cores with `--ema 0.999`. A classifier with
a test accuracy of 99.07 % (for `acgan`, 99.19 %) labelled them. It shares nothing with kgen
(`scripts/bench/judge_digits.py`).
""",
    columns=("", "steps", "samples labelled 0, 1, ..., 9", "within-class distance / that of real digits"),
    rows=(
        (
            "`acgan`, asked for 1,000 of each",
            "4,040",
            "{acgan[counts]}; agreement at least {acgan[agreement]:.1%} in every class",
            "{acgan[least]:.2f} to {acgan[greatest]:.2f}",
        ),
        (
            "`wgan-gp --width 32`",
            "5,000",
            "{wgan-gp[counts]}",
            "{wgan-gp[least]:.2f} to {wgan-gp[greatest]:.2f}",
        ),
        ("`wgan`", "8,051", "{wgan[counts]}", "{wgan[least]:.2f} to {wgan[greatest]:.2f}"),
    ),
    after="""
The distance is the mean over pairs of images of a class, as pixels. Above 1 it also measures rough strokes, which the
digits of `wgan` still have.

![Ten classes by AC-GAN, a class in each row](classes.png)
""",
    cells={
        "acgan": cell("--model acgan --steps 4040", "--width 4 --discriminator-width 4"),
        "wgan-gp": cell("--model wgan-gp --width 32 --steps 5000"),
        "wgan": cell("--model wgan --steps 8051"),
    },
)
