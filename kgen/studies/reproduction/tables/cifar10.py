"""CIFAR-10 by its usual measures."""

from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.table import Cell, Command, Table

MEASURES = {"fid": ".1f", "kid": ".4f", "is": ".2f", "recall": ".3f"}


def cell(name: str, flags: str, seeds: tuple[int, ...] = (0,)) -> Cell:
    """Returns the cell of a GAN on CIFAR-10."""
    return Cell(
        (
            Command(f"train {flags} --dataset cifar10", "--width 4"),
            Command(
                "evaluate --run {run} --metrics fid,kid,is,pr --reference train --count 50000 --inception {inception}"
            ),
            Command("sample --run {run} --count 64 --out {folder}/samples.png"),
        ),
        {measure: metric(measure) for measure in MEASURES},
        seeds,
        pictures={f"{name}.png": ("{folder}/samples.png", f"64 samples of `{name}`")},
    )


def row(name: str, steps: str, published: str) -> tuple[str, ...]:
    """Returns the row of a cell."""
    return (f"`{name}`", steps, published, *(f"{{{name}[{measure}]:{form}}}" for measure, form in MEASURES.items()))


TABLE = Table(
    120,
    "CIFAR-10",
    "Radford et al. 2016; Mao et al. 2017; Gulrajani et al. 2017; Miyato et al. 2018, table 2",
    before="""
50,000 samples, the 50,000 training images, the Inception of 2015. The published figures are FID and Inception Score, of
other counts in part: DCGAN of the repository chainer-gan-lib, LSGAN of StudioGAN, WGAN-GP and SNGAN as Miyato et al.
2018 have them (5,000 samples).
""",
    columns=("", "steps", "published FID, Inception Score", "FID", "KID", "Inception Score", "recall"),
    rows=(
        row("dcgan", "50,000", "34.3, 6.64"),
        row("lsgan", "50,000", "66.7, 5.58"),
        row("wgan-gp-cifar", "200,000", "40.2, 6.68"),
        row("sngan", "50,000", "29.3, 7.42"),
        row("sngan-resnet", "50,000", "21.7, 8.22"),
    ),
    cells={
        "dcgan": cell("dcgan", "--model dcgan --width 64 --learning-rate 2e-4 --steps 50000 --ema 0.999"),
        "lsgan": cell("lsgan", "--model lsgan --steps 50000 --ema 0.999"),
        "wgan-gp-cifar": cell("wgan-gp-cifar", "--model wgan-gp-cifar"),
        "sngan": cell("sngan", "--model sngan --steps 50000 --ema 0.999"),
        "sngan-resnet": cell("sngan-resnet", "--model sngan-resnet"),
    },
)
