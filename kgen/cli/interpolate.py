"""Animates the interpolation between two images: kgen interpolate --run latest --out interpolation"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kgen.cli import parsing
from kgen.inference import interpolation


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Writes interpolations from the second image of a seed to its first, as a PNG strip and a GIF."""

    kind: Literal["linear", "spherical", "pixels", "all"] = "all"  # Of latents or of pixels.
    frames: int = 64  # Images of each interpolation, including both ends.
    until: float = 1.0  # Where it ends: 1 is the first image, 10 is far past it.
    seed: int = 0  # Of the noise; a run and its export make equal images for equal seeds.
    class_: Annotated[str | None, tyro.conf.arg(name="class")] = None  # Name or number; conditional generators only.
    out: Path = Path("interpolation")  # The files to write, without .png and .gif.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    alphas, out = interpolation.positions(options.frames, options.until), interpolation.stem(options.out)
    from kgen.inference import loading

    generator = loading.load(path, options.trust).generator
    films = interpolation.films(
        generator, options.seed, options.kind, alphas, interpolation.chosen(generator, options.class_)
    )
    picture, film = interpolation.save(out, films)
    print(f"{picture} and {film}, {options.frames} frames of {', '.join(films)} from {path}")
    return 0
