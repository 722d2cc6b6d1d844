"""Figure 2 of student report 001: variants of its adversarial VAE."""

from kgen.studies.reproduction.table import Table
from kgen.studies.reproduction.tables import hybrids

AVAE = "train --model adversarial-vae --dataset cifar10 --classes horse,bird --steps 40000"
TINY = "--channels 4 4 4 --latent-dim 4 --split train"
VARIANTS = {
    "as-coded": ("as coded", "-", AVAE, TINY),
    "all-images": (
        "trained on train and test together, `--split train+test`",
        "as coded",
        f"{AVAE} --split train+test",
        "--channels 4 4 4 --latent-dim 4",
    ),
    "two-layers": ("two fully connected layers", "rougher edges", f"{AVAE} --units 256", f"{TINY} --units 8"),
    "one-more": (
        "one more convolution",
        "blurrier, shape slightly better",
        f"{AVAE} --channels 64 128 256 256",
        "--channels 4 4 4 4 --latent-dim 4 --split train",
    ),
    "spectral-norm": ("spectral norm", "more blur and checkerboard", f"{AVAE} --spectral-norm", TINY),
    "mixing-critic": ("ACAI's critic", "pixels laid over each other", f"{AVAE} --critic mixing", TINY),
    "vae-gan": (
        "VAE/GAN",
        "high contrast, good horses, bad birds",
        "train --model vae-gan --dataset cifar10 --classes horse,bird --steps 40000",
        "--width 4 --latent-dim 4 --split train",
    ),
    "nearest": ("`--upsampling nearest`", "not tried", f"{AVAE} --upsampling nearest", TINY),
}

TABLE = Table(
    82,
    "Student report 001's variants",
    "student report 001, figure 2",
    before="""
`adversarial-vae --classes horse,bird` on CIFAR-10, 40,000 steps (256 epochs; the report's 1,000 epochs were of train
and test images together, which the second row repeats; its hybrids are of images that it was trained on). The report
compares by eye. Measures are those of the hybrids above.
""",
    columns=("", "the report says", *hybrids.HEADS),
    rows=tuple((label, says, *hybrids.row(label, name)[1:]) for name, (label, says, *_) in VARIANTS.items()),
    cells={name: hybrids.cell(train, quick, name) for name, (_, _, train, quick) in VARIANTS.items()},
)
