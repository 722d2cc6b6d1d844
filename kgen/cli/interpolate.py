"""Films the way from one image to another: python scripts/interpolate.py --run latest --out interpolation"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from kgen.cli import parsing
from kgen.inference import interpolation
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Writes a PNG strip and a GIF of the ways from the second image of a seed to its first."""

    run: str | None = None  # Run directory, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    kind: Literal["linear", "spherical", "pixels", "all"] = "all"  # By latents or by pixels.
    frames: int = 64  # How many images each way has, both ends among them.
    until: float = 1.0  # Where the way ends: 1 is the first image, 10 is far past it.
    seed: int = 0  # Of the noise; equal seeds give equal ends, from the run and from its export.
    class_: Annotated[str | None, tyro.conf.arg(name="class")] = None  # Name or number; conditional generators only.
    out: Path = Path("interpolation")  # The files to write, without .png and .gif.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    options = parsing.parse(Options, arguments)
    parsing.demand((options.run is None) != (options.saved_model is None), "Give either --run or --saved-model.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    alphas, out = interpolation.positions(options.frames, options.until), interpolation.stem(options.out)
    run = directory.find(options.run, options.runs_dir) if options.run else None
    from kgen.inference import sampling

    source = sampling.from_run(run) if run else sampling.from_saved_model(options.saved_model)
    films = interpolation.films(
        source, options.seed, options.kind, alphas, interpolation.chosen(source, options.class_)
    )
    picture, film = interpolation.save(out, films)
    print(f"{picture} and {film}, {options.frames} frames of {', '.join(films)} from {run or options.saved_model}")
    return 0
