"""Reads every image of a dataset and names the bad ones: kgen check folder:pictures"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from kgen.cli import parsing

if TYPE_CHECKING:
    from kgen.data import Images

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Options:
    """Reads every image of a dataset, as training does, and prints a line for each one that cannot be used."""

    dataset: tyro.conf.Positional[str]  # A name of docs/datasets.md, folder:PATH, or the path of a folder.
    data_dir: Path | None = None  # Where the official archives lie.
    image_size: int | str | None = None  # Pixels, 64 or 64x96 (height x width); the dataset's own by default.
    background: str | None = None  # Colour behind transparent pixels: white, black or #rrggbb.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code: 0, or 2 if an image is bad."""
    options = parsing.parse(Options, arguments)
    from kgen import data
    from kgen.data.bad import BadImages, glass

    known = options.dataset.partition(":")[0] in data.names()
    dataset = options.dataset if known or not Path(options.dataset).is_dir() else f"folder:{options.dataset}"
    bad = 0
    for split in SPLITS:
        try:
            size, background = options.image_size, options.background
            images = data.load(dataset, split, options.data_dir, size, background=background, in_memory=False)
            print(f"{split}: {described(images)}")
        except data.NoSplit:
            continue
        except BadImages as error:
            for name, reason in error.found:
                print(f"{name}: {reason}")
            print(f"{split}: {len(error.found)} of {error.total} pictures cannot be used{glass(error.found)}")
            bad += len(error.found)
    parsing.demand(not bad, f"{bad} bad pictures. Remove or replace them, or train without them by --skip-bad.")
    return 0


def described(images: "Images") -> str:
    """Returns how many images there are, of which shape, and how many of each class."""
    shape = "x".join(map(str, images.images.shape[1:]))
    counts = [f"{name} ({(images.labels == number).sum()})" for number, name in enumerate(images.classes)]
    return f"{len(images.images)} images {shape}, all can be used" + (
        f"; classes {', '.join(counts)}" if counts else ""
    )
