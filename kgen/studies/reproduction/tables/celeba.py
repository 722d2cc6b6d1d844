"""Faces, measured: the variants of student report 004, and the papers' models."""

from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.table import Cell, Command, Table

DATA = "--dataset celeba --split train[:10000] --image-size 64"
ENDS = "--from 3,5 --to 7,2"  # cells of the sheet of samples, as the report picked two
REPORT = f"{DATA} --crop squash"
MEASURES = {"fid": ".1f", "is": ".2f", "is_report004": ".2f", "mmd": ".4f", "mmd_report004": ".4f"}


def cell(name: str, flags: str, quick: str = "--width 4") -> Cell:
    """Returns the cell of a GAN on 10,000 faces."""
    return Cell(
        (
            Command(f"train {flags}", f"{quick} --split train"),
            Command(
                "evaluate --run {run} --metrics fid,is,is-report004,mmd,mmd-report004 --reference train[:10000] "
                "--inception {inception}",
                "--reference train",
            ),
            Command("sample --run {run} --count 64 --out {folder}/samples.png"),
            Command(f"interpolate --run {{run}} {ENDS} --out {{folder}}/walk", "--frames 4"),
            Command(f"interpolate --run {{run}} {ENDS} --until 10 --out {{folder}}/far", "--frames 4"),
        ),
        {measure: metric(measure) for measure in MEASURES},
        pictures={
            f"{name}.png": ("{folder}/samples.png", f"64 faces by `{name}`"),
            f"{name}-sheet.png": ("{folder}/walk-sheet.png", f"64 faces by `{name}`, the ends of the walks framed"),
            f"{name}-walk.png": ("{folder}/walk.png", f"Walks of latents and of pixels, `{name}`"),
        },
    )


def row(label: str, name: str, report: str) -> tuple[str, ...]:
    """Returns the row of a cell; `report` is what student report 004 has."""
    return (label, report, *(f"{{{name}[{measure}]:{form}}}" for measure, form in MEASURES.items()))


TABLE = Table(
    110,
    "Faces, measured",
    "student report 004, tables 1 to 3 and figures 3 to 9; Radford et al. 2016; Mao et al. 2017; Miyato et al. 2018",
    before="""
10,000 faces of CelebA at 64 pixels to train on and to compare with, 10,000 samples, the Inception of 2015. The recipes
of student report 004 squash the frame, as it did. Its Inception Score, 2.75, is of 64 images and another network, and
its MMD ends at 0.0447; neither compares with the figures here. Published on all images, cropped: SNGAN FID 5.71 and
Inception Score 2.68 (Lee and Town 2020), DCGAN FID 12.5 to 21.4 (Heusel et al. 2017).
""",
    columns=(
        "",
        "report 004",
        "FID",
        "Inception Score",
        "of 64 images, as in the report",
        "MMD^2 of pixels",
        "MMD of report 004",
    ),
    rows=(
        row("`dcgan-report004`, z of 100", "report004", "IS 2.75, MMD 0.0447"),
        row("z of 50", "report004-z50", "pictures"),
        row("`--upsampling nearest`", "report004-nearest", "described"),
        row("`--upsampling bilinear`", "report004-bilinear", "described"),
        row("`lsgan-report004`", "lsgan-report004", "failed"),
        row("`dcgan-faces`", "dcgan-faces", "-"),
        row("`dcgan-faces --ema 0.999`", "dcgan-faces-average", "-"),
        row("`lsgan`", "lsgan", "-"),
        row("`improved-gan`, virtual batch norm", "improved-gan", "-"),
        row("`sngan`", "sngan", "-"),
    ),
    cells={
        "report004": cell("report004", f"--model dcgan-report004 {REPORT}"),
        "report004-z50": cell("report004-z50", f"--model dcgan-report004 {REPORT} --latent-dim 50"),
        "report004-nearest": cell("report004-nearest", f"--model dcgan-report004 {REPORT} --upsampling nearest"),
        "report004-bilinear": cell("report004-bilinear", f"--model dcgan-report004 {REPORT} --upsampling bilinear"),
        "lsgan-report004": cell("lsgan-report004", f"--model lsgan-report004 {REPORT}"),
        "dcgan-faces": cell("dcgan-faces", f"--model dcgan-faces {DATA} --steps 6000"),
        "dcgan-faces-average": cell("dcgan-faces-average", f"--model dcgan-faces {DATA} --steps 6000 --ema 0.999"),
        "lsgan": cell("lsgan", f"--model lsgan {DATA} --steps 6000 --ema 0.999"),
        "improved-gan": cell(
            "improved-gan",
            f"--model improved-gan {DATA} --steps 6000 --ema 0.999",
            "--width 4 --minibatch-kernels 4 --reference 8",
        ),
        "sngan": cell("sngan", f"--model sngan {DATA} --steps 10000 --ema 0.999"),
    },
)
