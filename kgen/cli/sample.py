"""Draws images from a run or an export: python scripts/sample.py --run latest --count 64 --out x.png"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from kgen.cli import parsing
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Draws images of random noise and writes them as one PNG grid."""

    run: str | None = None  # Run directory, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    count: int | None = None  # How many images; 64 when not given, 100 in rows of one class each from acgan's kind.
    class_: Annotated[str | None, tyro.conf.arg(name="class")] = None  # Only this class, by name or number (acgan).
    seed: int = 0  # Of the noise; equal seeds give equal images, from the run and from its export.
    out: Path = Path("samples.png")  # The picture to write.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    options = parsing.parse(Options, arguments)
    parsing.demand((options.run is None) != (options.saved_model is None), "Give either --run or --saved-model.")
    known = options.count is None or 1 <= options.count <= 10_000
    parsing.demand(known, f"--count must be from 1 to 10000, not {options.count}.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    parsing.demand(options.out.parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}.")
    parsing.demand(options.out.suffix == ".png", f"--out must be a PNG file, such as samples.png, not {options.out}.")
    run = directory.find(options.run, options.runs_dir) if options.run else None
    from kgen import images
    from kgen.inference import sampling

    source = sampling.from_run(run) if run else sampling.from_saved_model(options.saved_model)
    label = None if options.class_ is None else source.index(options.class_)
    count, columns = source.sheet(options.count, label)
    pictures = images.to_bytes(source.draw(options.seed, count, label))
    images.save_png(options.out, images.grid(pictures, columns))
    print(f"{options.out}, {count} images from {run or options.saved_model}")
    return 0
