"""Parzen log-likelihoods: the GANs of Goodfellow et al. 2014, student report 003's, and others that report them."""

from kgen.studies.reproduction.numbers import greatest, metric
from kgen.studies.reproduction.table import Cell, Command, Table

WIDE = "--generator-width 16 --discriminator-units 8"
MAPS = "--generator-width 64 --generator-maps 4 --discriminator-channels 4 --discriminator-units 8"


def cell(flags: str, quick: str, seeds: tuple[int, ...] = (0, 1, 2)) -> Cell:
    """Returns the cell of a model that draws images."""
    name = flags.split()[1]
    return Cell(
        (
            Command(f"train {flags}", quick),
            Command("evaluate --run {run} --metrics parzen"),
            Command("sample --run {run} --count 64 --out {folder}/samples.png"),
        ),
        {
            "parzen": metric("parzen"),
            "fine": metric("parzen_fine"),
            "sigma": metric("parzen", "sigma"),
        },
        seeds,
        pictures={f"{name}.png": ("{folder}/samples.png", f"64 samples of `{name}`")},
    )


def as_reported(name: str, data: str, quick: str, seeds: tuple[int, ...] = (0, 1, 2)) -> Cell:
    """Returns the cell of a model of student report 003, measured as there: sigma by training images, best on test."""
    flags = f"--model {name} --dataset {data} --evaluate parzen-report003 --evaluate-on test --evaluate-count 10000"
    return Cell(
        (
            Command(
                f"train {flags} --evaluate-every 2000 --best-by parzen-report003",
                f"{quick} --evaluate-count 40 --evaluate-every 2",
            ),
        ),
        {"best": greatest("parzen_report003")},
        seeds,
    )


def row(name: str, data: str, report: str, published: str) -> tuple[str, ...]:
    """Returns the row of a cell; `report` is student report 003's figure."""
    forms = (f"{{{name}[parzen]:.1f}}", f"{{{name}[fine]:.1f}}", f"{{{name}[sigma]:.3f}}")
    return (f"`{name}`", data, report, published, *forms)


REPORTED = (
    ("gan-report003-mnist", "MNIST", "97 ± 6"),
    ("gan-report003-dense", "CIFAR-10", "847 ± 12"),
    ("gan-report003-conv", "CIFAR-10", "558 ± 12"),
)

TABLE = Table(
    100,
    "Parzen log-likelihood",
    "Goodfellow et al. 2014, table 1; Makhzani et al. 2016, table 1; student report 003, table 1 and figures 1 to 4",
    before="""
Nats, by the [protocol](metrics.md#parzen-log-likelihood) of the 2014 code: 10,000 samples, sigma from 10 points by
1,000 validation images, all test images. Student report 003's figures are the best epoch on test images, with sigma
from training images. The papers' figures are of their last or best epoch by validation. On MNIST 10,000 real training
images score 242.5 ± 2.1 and their k-means centres 334.6 ± 1.7: above these the metric says nothing. The rows "measured
as in report 003" have sigma from training images and the best of all evaluations on test images, as its figures: they
compare with these alone.
""",
    columns=("", "data", "report 003", "published", "kgen", "91 points", "sigma"),
    rows=(
        row("gan-report003-mnist", "MNIST", "97 ± 6", "-"),
        row("gan", "MNIST", "-", "225 ± 2"),
        row("vae", "MNIST", "-", "-"),
        row("adversarial-autoencoder", "MNIST", "-", "340 ± 2"),
        row("gan-report003-dense", "CIFAR-10", "847 ± 12", "-"),
        row("gan-report003-conv", "CIFAR-10", "558 ± 12", "-"),
        row("gan-report003-transposed", "CIFAR-10", "-", "-"),
        *(
            (f"`{name}`, measured as in report 003", data, report, "-", f"{{{name}-as-reported[best]:.1f}}", "-", "-")
            for name, data, report in REPORTED
        ),
        row("gan-cifar-dense", "CIFAR-10", "-", "-"),
        row("gan-cifar-conv", "CIFAR-10", "-", "-"),
    ),
    cells={
        "gan-report003-mnist": cell("--model gan-report003-mnist --dataset mnist", WIDE),
        "gan": cell("--model gan --dataset mnist --split train[:50000]", WIDE),
        "vae": cell("--model vae --dataset mnist --split train[:50000]", "--units 8"),
        "adversarial-autoencoder": cell(
            "--model adversarial-autoencoder --dataset mnist --split train[:50000]", "--units 8 8"
        ),
        "gan-report003-dense": cell("--model gan-report003-dense --dataset cifar10", WIDE),
        "gan-report003-conv": cell("--model gan-report003-conv --dataset cifar10", MAPS, (0,)),
        "gan-report003-transposed": cell("--model gan-report003-transposed --dataset cifar10", "--width 4"),
        "gan-report003-mnist-as-reported": as_reported("gan-report003-mnist", "mnist", WIDE),
        "gan-report003-dense-as-reported": as_reported("gan-report003-dense", "cifar10", WIDE),
        "gan-report003-conv-as-reported": as_reported("gan-report003-conv", "cifar10", MAPS, (0,)),
        "gan-cifar-dense": cell("--model gan-cifar-dense --dataset cifar10 --split train[:40000]", WIDE, (0,)),
        "gan-cifar-conv": cell("--model gan-cifar-conv --dataset cifar10 --split train[:40000]", MAPS, (0,)),
    },
)
