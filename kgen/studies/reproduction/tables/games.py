"""The GANs of student report 002 beside those that make digits, by classes found and distance of features."""

from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.table import Cell, Command, Table


def cell(flags: str, quick: str) -> Cell:
    """Returns the cell of a GAN on MNIST."""
    return Cell(
        (
            Command(f"train {flags} --dataset mnist", quick),
            Command("evaluate --run {run} --metrics classes,fid,pr --classifier {classifier}"),
            Command("sample --run {run} --count 64 --scores --out {folder}/samples.png"),
        ),
        {name: metric(name) for name in ("classes", "fid", "precision", "recall")},
        needs={"classifier": "classifiers/mnist"},
        pictures={
            f"{flags.split()[1]}.png": (
                "{folder}/samples.png",
                f"64 samples of `{flags.split()[1]}`, what its discriminator says above each",
            )
        },
    )


def row(name: str, report: str) -> tuple[str, ...]:
    """Returns the row of a GAN; `report` is what student report 002 says of it."""
    measures = (f"{{{name}[{measure}]:.{digits}f}}" for measure, digits in MEASURES.items())
    return (f"`{name}`", report, *measures)


MEASURES = {"classes": 1, "fid": 1, "precision": 3, "recall": 3}

TABLE = Table(
    12,
    "Games on MNIST",
    "student report 002, section 3 and figure 5",
    before="""
Full MNIST, 10,000 samples, the 10,000 test images, and the features of the cell `classifiers/mnist`. A class is found
when it has a tenth of an even share of the samples.
""",
    columns=("", "student report 002", "classes of 10", "FID on mnist-classifier features", "precision", "recall"),
    rows=(
        row("gan-report002", "white blobs"),
        row("wgan-report002", "white blobs"),
        row("improved-gan-report002", "digits without a 6, without variety"),
        row("dcgan", ""),
        row("wgan-gp", ""),
        row("acgan", ""),
    ),
    cells={
        "gan-report002": cell("--model gan-report002", ""),
        "wgan-report002": cell("--model wgan-report002", ""),
        "improved-gan-report002": cell("--model improved-gan-report002", "--minibatch-kernels 4"),
        "dcgan": cell("--model dcgan --steps 6000 --ema 0.998", "--width 4"),
        "wgan-gp": cell("--model wgan-gp --ema 0.999", "--width 4"),
        "acgan": cell("--model acgan --ema 0.999", "--width 4 --discriminator-width 4"),
    },
)
