"""Table 1 of student report 002: autoencoders under noise."""

from kgen.studies.reproduction.numbers import figure
from kgen.studies.reproduction.table import Cell, Command, Table
from kgen.studies.reproduction.tables.autoencoders import TINY

NOISES = {"clean": "clean", "pepper": "salt-and-pepper:0.1", "uniform": "uniform:0.7"}
TAKES = {
    name: figure("{folder}/robustness.json", 0, "losses", noise) for name, noise in NOISES.items()
}  # of the one run


def robustness(run: str) -> Command:
    """Returns the command that measures a run under each noise."""
    return Command(f"robustness --runs {run} --noise {' '.join(NOISES.values())} --out {{folder}}/robustness")


def cell(noise: str, steps: int, flags: str = "--warmup 400 --learning-rate 1.2e-3") -> Cell:
    """Returns the cell of the best autoencoder, trained on against a noise."""
    return Cell(
        (
            Command(
                f"train --model denoising --dataset mnist --start-from {{best}} --noise {noise} --steps {steps} "
                f"{flags} --anneal --batch-size 128 --prune-every 0 --encoder-dropout 0 --l2 0 --patience 0",
                f"{TINY} --warmup 1",
            ),
            robustness("{run}"),
        ),
        TAKES,
        needs={"best": "autoencoders/best"},
    )


def row(trained: str, name: str, report: tuple[str, ...], epochs: str) -> tuple[str, ...]:
    """Returns the row of a cell; the report's figures are in brackets."""
    own = (f"{{{name}[{noise}]:.4f}} ({figure})" for noise, figure in zip(NOISES, report, strict=True))
    return (trained, *own, epochs)


TABLE = Table(
    40,
    "Denoising",
    "student report 002, section 2.3, table 1 and figure 3",
    before="""
Student report 002's best network. Values are the cross-entropy on the 10,000 test images as they are, with a tenth of
the pixels salt and pepper, and with uniform noise of width 0.7. The report's figures are in brackets.
""",
    columns=("trained against", "clean", "`salt-and-pepper:0.1`", "`uniform:0.7`", "epochs"),
    rows=(
        row("-", "none", ("0.1246", "0.2459", "0.3150"), "55 + 32"),
        row("`salt-and-pepper:0.1`", "pepper", ("0.1239", "0.1249", "0.2920"), "20"),
        row("`uniform:0.7`", "uniform", ("0.1233", "0.2539", "0.1239"), "12"),
        row("`uniform:0.7+salt-and-pepper:0.1`", "both", ("0.1236", "0.1248", "0.1242"), "40"),
        row("`uniform:2+salt-and-pepper:0.1`", "both-wide", ("0.1407", "0.1404", "0.1403"), "80"),
    ),
    after="""
The flags are `--model denoising --start-from` the first, `--anneal --warmup 400 --learning-rate 1.2e-3 --batch-size
128 --prune-every 0 --encoder-dropout 0 --l2 0 --patience 0`. The fourth row took 1.5e-3, the last one 2e-3 with a
warm-up of 1,000.
""",
    short="""
the first row under salt and pepper, and the third on clean images. An autoencoder that is better
on the images that it was trained on need not be better on others.
""",
    cells={
        "none": Cell((robustness("{best}"),), TAKES, needs={"best": "autoencoders/best"}),
        "pepper": cell("salt-and-pepper:0.1", 7_500),
        "uniform": cell("uniform:0.7", 4_500),
        "both": cell("uniform:0.7+salt-and-pepper:0.1", 15_000, "--warmup 400 --learning-rate 1.5e-3"),
        "both-wide": cell("uniform:2+salt-and-pepper:0.1", 30_000, "--warmup 1000 --learning-rate 2e-3"),
    },
)
