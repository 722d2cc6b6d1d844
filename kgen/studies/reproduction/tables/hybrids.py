"""Hybrids of horses and birds: the pegasi of student reports 000 and 001."""

from kgen.studies.reproduction.numbers import figure
from kgen.studies.reproduction.table import Cell, Command, Table

FIGURES = "{folder}/hybrids/hybrids.json"
SETS = {"": "hybrids", "fade-": "cross-fades of pixels", "real-": "real, both kinds"}
ERRORS = {"body": "body_error", "wing": "wing_error", "both": "both_error", "nearest": "nearest_error"}
PLAIN = {"frechet": "frechet_distance", "distance": "pairwise_distance"}
HEADS = (
    "P(horse)",
    "P(bird)",
    "both at once",
    "Frechet distance to real ones",
    "distance from each other / of real",
    "to the nearest training image",
)
MEASURE = Command("hybrids --run {run} --bodies horse --wings bird --classifier {classifier} --out {folder}/hybrids")


def takes() -> dict:
    """Returns what is taken of hybrids, of cross-fades and of real images."""
    found = {}
    for prefix, name in SETS.items():
        found |= {
            f"{prefix}{key}": figure(FIGURES, "measures", name, key, error=error) for key, error in ERRORS.items()
        }
        found |= {f"{prefix}{key}": figure(FIGURES, "measures", name, path) for key, path in PLAIN.items()}
    return found


def row(label: str, cell: str, prefix: str = "") -> tuple[str, ...]:
    """Returns the row of one of a cell's `SETS`."""
    forms = {"body": ".3f", "wing": ".3f", "both": ".3f", "frechet": ".0f", "distance": ".2f", "nearest": ".1f"}
    return (label, *(f"{{{cell}[{prefix}{key}]:{form}}}" for key, form in forms.items()))


def cell(train: str, quick: str, name: str, seeds: tuple[int, ...] = (0,)) -> Cell:
    """Returns the cell of an autoencoder that mixes horses and birds."""
    picture = {f"{name}.png": ("{folder}/hybrids/pairs.png", f"Horses, hybrids, birds and cross-fades by {name}")}
    return Cell(
        (Command(train, quick), MEASURE),
        takes(),
        seeds,
        needs={"classifier": "classifiers/cifar10"},
        pictures=picture,
    )


TABLE = Table(
    80,
    "Hybrids of horses and birds",
    "student report 000; student report 001, figures 4 to 7",
    before="""
![Hybrids of horses and birds](pegasi.png)

64 hybrids of horses and birds of CIFAR-10's test split, measured by `classifier` (`--anneal --folds 0 --patience 0
--steps 7000`). ACAI is `acai-report000` after its whole schedule, 46,800 steps (150 epochs; the report lost its runs
near the 20th). The VAE is `vae-conv --classes horse,bird` after 4,000 steps. Both ran in bfloat16 on one CPU core.
""",
    columns=("", *HEADS),
    rows=(
        row("ACAI", "acai"),
        row("VAE", "vae"),
        row("cross-fade of pixels", "acai", "fade-"),
        row("real, half of them horses", "acai", "real-"),
    ),
    after="""
The hybrids of ACAI are sharper than those of a VAE, and show both kinds more often. A network that knows only
photographs still prefers two photographs laid over each other.
""",
    cells={
        "vae": cell(
            "train --model vae-conv --dataset cifar10 --classes horse,bird --steps 4000 --precision mixed_bfloat16",
            "--channels 4 4 4 --units 8 --latent-dim 4 --split train",
            "vae",
            (0, 1, 2),
        ),
        "acai": cell(
            "train --model acai-report000 --dataset cifar10 --precision mixed_bfloat16",
            "--depth 4 --split train",
            "acai",
        ),
    },
)
