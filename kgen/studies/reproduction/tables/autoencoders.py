"""The autoencoders of student report 002 on MNIST."""

from kgen.studies.reproduction.numbers import figure
from kgen.studies.reproduction.table import Cell, Command, Table

LATENT = Command("latent --run {run} --out {folder}/latent")
FIGURES = "{folder}/latent/latent.json"
TINY = "--channels 2 --kernels 4 --strides 4 --paddings 0 --units 8"
BEST = (
    "--model autoencoder --dataset mnist --anneal --batch-size 128 --prune-every 0 --encoder-dropout 0 --l2 0 "
    "--patience 0"
)

TABLE = Table(
    30,
    "Autoencoders",
    "student report 002, sections 2.1 and 2.2, figures 1 and 2",
    before="""
Student report 002's autoencoders and kgen's on full MNIST: 48,000 images to train on, 12,000 to choose the epoch by.
Values are means of a pixel of the 10,000 test images, on two CPU cores.
""",
    columns=("", "report", "kgen", "PCA", "flags"),
    rows=(
        (
            "basic network, code of 4, squared error",
            "0.0321",
            "{basic[mse]:.4f}",
            "0.0479",
            "`--model autoencoder-basic --anneal --l2 0`",
        ),
        ("best network, code of 6, cross-entropy", "0.1246", "{best[bce]:.4f}", "0.1921", "see below"),
        ("best network found, code of 6", "-", "{large[bce]:.4f}", "0.1921", "`--model autoencoder-large`"),
    ),
    after="""
The second row is `--model autoencoder --anneal --warmup 2000 --learning-rate 1.5e-3 --batch-size 128 --steps 20625
--prune-every 0 --encoder-dropout 0 --l2 0 --patience 0`, then `--start-from` the run before, three times: `--warmup 400
--learning-rate 1.2e-3 --steps 12000` twice (0.1220, 0.1216), and `--warmup 200 --learning-rate 1e-3 --steps 7000`.

The lowest possible cross-entropy is 0.0581, the entropy of the pixels themselves. At a learning rate of 3e-3, about
that of the report, 35 of the 57 hidden rectifiers of its encoder end up dead (0.1253 after 58 epochs). With the warm-up
and half the rate, ten do.

![t-SNE of the codes of 5,000 test digits by autoencoder-large: 6 numbers each, learnt without labels](code.png)

The 6 numbers of `autoencoder-large` are learnt without labels, and they separate the digits: {large[clustering]:.1%} by
k-means (test images, Hungarian matching; 53.0 % on pixels), {large[probe]:.1%} by a linear probe.
""",
    cells={
        "basic": Cell(
            (Command("train --model autoencoder-basic --dataset mnist --anneal --l2 0", TINY), LATENT),
            {"mse": figure(FIGURES, "mean_squared_error")},
            pictures={
                "basic.png": ("{folder}/latent/reconstructions.png", "Test digits above those of a code of 4 numbers")
            },
        ),
        "best": Cell(
            (
                Command(f"train {BEST} --warmup 2000 --learning-rate 1.5e-3 --steps 20625", f"{TINY} --warmup 1"),
                Command(
                    f"train {BEST} --warmup 400 --learning-rate 1.2e-3 --steps 12000 --start-from {{run1}}",
                    f"{TINY} --warmup 1",
                ),
                Command(
                    f"train {BEST} --warmup 400 --learning-rate 1.2e-3 --steps 12000 --start-from {{run2}}",
                    f"{TINY} --warmup 1",
                ),
                Command(
                    f"train {BEST} --warmup 200 --learning-rate 1e-3 --steps 7000 --start-from {{run3}}",
                    f"{TINY} --warmup 1",
                ),
                LATENT,
            ),
            {"bce": figure(FIGURES, "binary_cross_entropy")},
        ),
        "large": Cell(
            (Command("train --model autoencoder-large --dataset mnist", "--units 8"), LATENT),
            {
                "bce": figure(FIGURES, "binary_cross_entropy"),
                "clustering": figure(FIGURES, "clustering_accuracy"),
                "probe": figure(FIGURES, "probe_accuracy"),
            },
            pictures={"large-slices.png": ("{folder}/latent/slices.png", "Slices of the code of `autoencoder-large`")},
        ),
    },
    summary=(
        (
            "autoencoder, code of 6, cross-entropy of a pixel",
            "0.1246, student report 002",
            "{best[bce]:.4f} (`autoencoder-large`: {large[bce]:.4f})",
        ),
    ),
)
