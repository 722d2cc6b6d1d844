"""Draws images from a run or an export: kgen sample --run latest --count 64 --out x.png"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tqdm import tqdm

from kgen.cli import parsing

if TYPE_CHECKING:
    from kgen.inference.generator import TrainedGenerator

MOST_ON_A_SHEET, MOST_FILES, MOST_SCORED = 10_000, 10_000_000, 256
OTHERS = (".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")  # endings that mean a picture, not a folder


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Draws images of random noise, as one PNG grid, or as one PNG file each in a folder."""

    count: int | None = None  # How many images; when not given 64, or 10 of each class if there are classes (acgan).
    class_: Annotated[str | None, tyro.conf.arg(name="class")] = None  # Only this class, by name or number (acgan).
    seed: int = 0  # Of the noise; a run and its export make equal images for equal seeds.
    scores: tyro.conf.FlagCreatePairsOff[bool] = False  # Print the discriminator's score or class above each image.
    out: Path = Path("samples.png")  # The picture to write; or a new folder, for one file an image.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path, suffix = options.path(), options.out.suffix.lower()
    sheet = suffix == ".png"
    most = MOST_ON_A_SHEET if sheet else MOST_FILES
    known = options.count is None or 1 <= options.count <= most
    parsing.demand(known, f"--count must be from 1 to {most}, not {options.count}.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    parsing.demand(options.out.parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}.")
    plain = suffix not in OTHERS
    parsing.demand(plain, f"--out must be a PNG file, such as samples.png, or a folder, not {options.out}.")
    new = sheet or not options.out.exists() or options.out.is_dir() and not any(options.out.iterdir())
    parsing.demand(new, f"--out {options.out} is not a new or an empty folder.")
    parsing.demand(sheet or not options.scores, "--scores prints on a sheet: give a PNG file as --out.")
    few = not options.scores or (options.count or 0) <= MOST_SCORED
    parsing.demand(few, f"--scores takes a --count of at most {MOST_SCORED}, not {options.count}.")
    from kgen.inference import loading

    model = loading.load(path, options.trust)
    generator = model.generator
    label = None if options.class_ is None else generator.index(options.class_)
    count, columns = generator.sheet(options.count, label)
    if sheet:
        from kgen import images

        drawn = generator.draw(options.seed, count, label)
        sheet_of = images.grid
        if options.scores:
            from kgen.inference import captions

            sheet_of = functools.partial(captions.captioned, texts=captions.captions(model.game, drawn))
        images.save_png(options.out, sheet_of(images.to_bytes(drawn), columns=columns))
    else:
        save_each(generator, options.seed, count, label, options.out)
    print(f"{options.out}, {count} images from {path}")
    return 0


def save_each(generator: "TrainedGenerator", seed: int, count: int, label: int | None, folder: Path) -> None:
    """Writes images as `folder/000000.png`, ..., or as `folder/<class>/000000.png` where there are classes.

    `folder:` of kgen and `ImageFolder` of torchvision read such a folder, and tools for FID take the flat one.
    """
    from kgen import images

    names = generator.classes or ("",)
    odd = [name for name in generator.classes if Path(name).name != name or name == ".."]
    parsing.demand(not odd, f"The class {odd[0]!r} cannot name a folder: write a sheet instead." if odd else "")
    for name in names if label is None else [names[label]]:
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = 0
    with tqdm(total=count, unit=" images", disable=None) as progress:
        for pictures, labels in generator.stream(seed, count, label):
            for picture, number in zip(images.to_bytes(pictures), labels, strict=True):
                images.save_png(folder / names[number] / f"{written:06d}.png", picture)
                written += 1
            progress.update(len(pictures))
