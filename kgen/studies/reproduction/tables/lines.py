"""ACAI's benchmark of lines."""

from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.table import Cell, Command, Table

FLAGS = "--dataset lines --steps 6144 --learning-rate 3e-4 --precision mixed_bfloat16"


def cell(flags: str) -> Cell:
    """Returns the cell of an autoencoder on lines."""
    return Cell(
        (
            Command(f"train {flags} {FLAGS}", "--depth 4"),
            Command("evaluate --run {run} --metrics lines"),
            Command("latent --run {run} --out {folder}/latent"),
        ),
        {"distance": metric("mean_distance", times=1000), "smoothness": metric("smoothness")},
    )


def row(label: str, name: str, distance: str, smoothness: str) -> tuple[str, ...]:
    """Returns the row of a cell, with the figures of Berthelot et al. 2019 in brackets."""
    return label, f"{{{name}[distance]:.2f}} ({distance})", f"{{{name}[smoothness]:.3f}} ({smoothness})"


TABLE = Table(
    60,
    "Lines",
    "Berthelot et al. 2019, section 4.1 and table 1",
    before="""
![Mean Distance and Smoothness against the images trained on](lines.png)

6,144 steps of 64 images (393,000; the paper trains on 16.8 million). Every model had `--learning-rate 3e-4 --precision
mixed_bfloat16` on one CPU core. The figures of Berthelot et al. 2019 are in brackets.
""",
    columns=("", "Mean Distance, 1e-3", "Smoothness"),
    rows=(
        row("`acai`", "acai", "0.24", "0.10"),
        row("`acai-autoencoder`", "acai-autoencoder", "6.88", "0.44"),
        row("`acai-autoencoder --input-noise 1`", "denoising", "4.21", "0.66"),
        row("`acai-autoencoder --code-dropout 0.5`", "dropout", "2.85", "0.74"),
        row("`acai-vae`", "acai-vae", "1.21", "0.49"),
        row("`acai-adversarial`", "acai-adversarial", "3.26", "0.14"),
    ),
    after="""
The smoothness of both autoencoders gets worse as they train on. After 655,000 images `acai` is at
{acai-655k[distance]:.2f}e-3 and {acai-655k[smoothness]:.3f}.
""",
    short="the Mean Distance of `acai` and of `acai-vae`: they were trained on 2 % of the paper's images.",
    cells={
        "acai": cell("--model acai"),
        "acai-autoencoder": cell("--model acai-autoencoder"),
        "denoising": cell("--model acai-autoencoder --input-noise 1"),
        "dropout": cell("--model acai-autoencoder --code-dropout 0.5"),
        "acai-vae": cell("--model acai-vae"),
        "acai-adversarial": cell("--model acai-adversarial"),
    },
    summary=(
        (
            "`acai`, lines, Mean Distance",
            "0.24e-3, the paper",
            "{acai[distance]:.2f}e-3, after 2 % of the paper's images",
        ),
    ),
)
