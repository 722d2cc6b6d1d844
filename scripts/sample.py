#!/usr/bin/env python
"""Draws images from a run or an export: python scripts/sample.py --run latest --count 64 --out x.png"""

from dataclasses import dataclass
from pathlib import Path

from kgen import cli, runs


@dataclass(frozen=True)
class Options:
    """Draws images of random noise and writes them as one PNG grid."""

    run: str | None = None  # Run directory, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    count: int = 64  # How many images.
    seed: int = 0  # Of the noise; equal seeds give equal images, from the run and from its export.
    out: Path = Path("samples.png")  # The picture to write.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    options = cli.parse(Options, arguments, "sample.py")
    cli.demand((options.run is None) != (options.saved_model is None), "Give either --run or --saved-model.")
    cli.demand(1 <= options.count <= 10_000, f"--count must be from 1 to 10000, not {options.count}.")
    cli.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    cli.demand(options.out.parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}.")
    cli.demand(options.out.suffix == ".png", f"--out must be a PNG file, such as samples.png, not {options.out}.")
    run = runs.find(options.run, options.runs_dir) if options.run else None
    from kgen import images, sampling

    draw = sampling.from_run(run) if run else sampling.from_saved_model(options.saved_model)
    images.save_png(options.out, images.grid(images.to_bytes(draw(options.seed, options.count))))
    print(f"{options.out}, {options.count} images from {run or options.saved_model}")
    return 0


if __name__ == "__main__":
    cli.run(main)
