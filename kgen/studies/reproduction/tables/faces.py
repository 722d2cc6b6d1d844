"""Faces by DCGAN."""

from kgen.studies.reproduction.table import Cell, Command, Table

TABLE = Table(
    20,
    "Faces",
    "Radford et al. 2016, figure 1 of the recipe; student report 004, figure 3",
    before="""
![Faces by DCGAN, CelebA 64x64](faces.png)

`dcgan-faces` with `--dataset celeba --ema 0.999`, 6,000 steps on 10,000 images.
""",
    cells={
        "dcgan-faces": Cell(
            (
                Command(
                    "train --model dcgan-faces --dataset celeba --split train[:10000] --ema 0.999 --steps 6000",
                    "--width 4",
                ),
                Command("sample --run {run} --count 64 --out {folder}/samples.png"),
                Command("interpolate --run {run} --out {folder}/walk", "--frames 4"),
            ),
            {},
            seeds=(0,),
            pictures={"walk.png": ("{folder}/walk.png", "Walks between two faces: latents and pixels")},
        )
    },
)
