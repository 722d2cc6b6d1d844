"""Draws images from a run or an export: kgen sample --run latest --count 64 --out x.png"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from kgen.cli import parsing


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Draws images of random noise and writes them as one PNG grid."""

    count: int | None = None  # How many images; when not given 64, or 10 of each class if there are classes (acgan).
    class_: Annotated[str | None, tyro.conf.arg(name="class")] = None  # Only this class, by name or number (acgan).
    seed: int = 0  # Of the noise; a run and its export make equal images for equal seeds.
    out: Path = Path("samples.png")  # The picture to write.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    known = options.count is None or 1 <= options.count <= 10_000
    parsing.demand(known, f"--count must be from 1 to 10000, not {options.count}.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    parsing.demand(options.out.parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}.")
    parsing.demand(options.out.suffix == ".png", f"--out must be a PNG file, such as samples.png, not {options.out}.")
    from kgen import images
    from kgen.inference import loading

    generator = loading.load(path, options.trust).generator
    label = None if options.class_ is None else generator.index(options.class_)
    count, columns = generator.sheet(options.count, label)
    pictures = images.to_bytes(generator.draw(options.seed, count, label))
    images.save_png(options.out, images.grid(pictures, columns))
    print(f"{options.out}, {count} images from {path}")
    return 0
