"""Animates the interpolation between two images: kgen interpolate --run latest --out interpolation"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import tyro

from kgen.cli import parsing
from kgen.inference import ends, interpolation

if TYPE_CHECKING:
    from kgen.inference.generator import TrainedGenerator


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Writes interpolations between two images, as a PNG strip and a GIF.

    They go from the second image of a seed to its first, or between two images of the sheet that `kgen sample` draws.
    With --from and --to that sheet is written too, with the ends framed in blue and red.
    """

    kind: Literal["linear", "spherical", "pixels", "all"] = "all"  # Of latents or of pixels.
    frames: int = 64  # Images of each interpolation, including both ends.
    until: float = 1.0  # Where it ends: 1 is the first image, 10 is far past it.
    seed: int = 0  # Of the noise; a run and its export make equal images for equal seeds.
    class_: Annotated[str | None, tyro.conf.arg(name="class")] = None  # Name or number; conditional generators only.
    from_: Annotated[str | None, tyro.conf.arg(name="from")] = None  # First image: row, column of the sheet, from 1.
    to: str | None = None  # Last image: row, column of the sheet, such as 7,2.
    out: Path = Path("interpolation")  # The files to write, without .png and .gif.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    parsing.demand((options.from_ is None) == (options.to is None), "Give both --from and --to, or neither.")
    cells = [(flag, ends.cell(text, flag)) for flag, text in (("to", options.to), ("from", options.from_)) if text]
    alphas, out = interpolation.positions(options.frames, options.until), interpolation.stem(options.out)
    from kgen.inference import loading

    generator = loading.load(path, options.trust).generator
    label = interpolation.chosen(generator, options.class_)
    latents = picked(generator, options.seed, label, cells, out) if cells else None
    films = interpolation.films(generator, options.seed, options.kind, alphas, label, latents)
    picture, film = interpolation.save(out, films)
    print(f"{picture} and {film}, {options.frames} frames of {', '.join(films)} from {path}")
    return 0


def picked(
    generator: "TrainedGenerator", seed: int, label: int | None, cells: list[tuple[str, tuple[int, int]]], out: Path
) -> np.ndarray:
    """Returns the latents `(2, size)` of two cells of the sheet, and writes it with both framed, `<out>-sheet.png`.

    Args:
        generator: a `TrainedGenerator`.
        seed, label: of the sheet, as `kgen sample` has them.
        cells: `(flag, (row, column))` of the last image and of the first one.
        out: the files to write, without an ending.
    """
    from kgen import images

    count, columns = generator.sheet(None, label)
    last, first = (ends.place(cell, flag, count, columns) for flag, cell in cells)
    pictures = images.to_bytes(generator.draw(seed, count, label))
    images.save_png(Path(f"{out}-sheet.png"), ends.sheet(pictures, columns, first, last))
    return generator.latents(seed, count, label)[[last, first]]
