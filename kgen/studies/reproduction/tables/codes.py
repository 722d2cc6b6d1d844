"""Digits told apart by their codes: ACAI and its baselines on MNIST."""

from kgen.studies.reproduction.numbers import figure
from kgen.studies.reproduction.table import Cell, Command, Table

FLAGS = "--dataset mnist --image-size 32 --latent-width 4 --latent-channels 2 --steps 40960 --precision mixed_bfloat16"
FIGURES = "{folder}/latent/latent.json"


def cell(flags: str) -> Cell:
    """Returns the cell of an autoencoder on digits of 32 pixels."""
    return Cell(
        (
            Command(f"train {flags} {FLAGS}", "--depth 4"),
            Command("latent --run {run} --out {folder}/latent --count 60000"),
        ),
        {"probe": figure(FIGURES, "probe_accuracy"), "clustering": figure(FIGURES, "clustering_accuracy")},
        seeds=(0,),
    )


def row(label: str, name: str, probe: str, clustering: str) -> tuple[str, ...]:
    """Returns the row of a cell, with the figures of Berthelot et al. 2019 in brackets."""
    return label, f"{{{name}[probe]:.2%}} ({probe})", f"{{{name}[clustering]:.1%}} ({clustering})"


TABLE = Table(
    70,
    "Digits told apart by their codes",
    "Berthelot et al. 2019, section 4.2 and 4.3, tables 2 and 3",
    before="""
MNIST's digits at 32 pixels (`--dataset mnist --image-size 32 --latent-width 4 --latent-channels 2`), a code of 32 after
40,960 steps of 64 images (2.6 million), bfloat16 on one CPU core. Values are the share of test images that a linear
classifier on the code, and K-means (best of 20 starts; the paper takes 1,000), tell apart. The figures of Berthelot et
al. 2019 are in brackets.
""",
    columns=("", "linear classifier", "K-means"),
    rows=(
        row("`acai`", "acai", "98.25", "94.38"),
        row("`acai-autoencoder`", "acai-autoencoder", "94.90", "77.56"),
        row("`acai-autoencoder --input-noise 1`", "denoising", "96.00", "82.59"),
        row("`acai-autoencoder --code-dropout 0.5`", "dropout", "96.45", "82.67"),
        row("`acai-vae`", "acai-vae", "96.56", "75.74"),
        row("`acai-adversarial`", "acai-adversarial", "70.74", "79.19"),
    ),
    short="`acai` by both measures: it was trained on 16 % of the paper's images, and K-means had fewer starts.",
    cells={
        "acai": cell("--model acai"),
        "acai-autoencoder": cell("--model acai-autoencoder"),
        "denoising": cell("--model acai-autoencoder --input-noise 1"),
        "dropout": cell("--model acai-autoencoder --code-dropout 0.5"),
        "acai-vae": cell("--model acai-vae"),
        "acai-adversarial": cell("--model acai-adversarial"),
    },
    summary=(("`acai`, MNIST, linear classifier on the code of 32", "98.25 %, the paper", "{acai[probe]:.2%}"),),
)
