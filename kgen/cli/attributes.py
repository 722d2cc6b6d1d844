"""Adds attributes to faces: kgen attributes --run latest --attributes Smiling Eyeglasses"""

import json
from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Finds the directions of CelebA's attributes in a code, and shows test faces with each of them added.

    Needs list_attr_celeba.txt in the run's data directory. Writes <out>.png, rows of faces, of reconstructions, and of
    one attribute each, and <out>.json with the directions.
    """

    attributes: tuple[str, ...] = ("Smiling", "Eyeglasses", "Blond_Hair", "Male")  # Names in list_attr_celeba.txt.
    run: str = "latest"  # Run directory of a model with an encoder, trained on celeba.
    count: int = 10_000  # At most so many training images to compute the directions from.
    columns: int = 10  # Faces to show: of the test split, or the last ones if there is no such split.
    strength: float = 1.0  # Factor on a direction when it is added.
    out: Path = Path("attributes")  # The files to write, without .png and .json.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    parsing.demand(options.attributes, "Give at least one of --attributes.")
    parsing.demand(options.count >= 20, f"--count must be at least 20, not {options.count}.")
    parsing.demand(1 <= options.columns <= 100, f"--columns must be from 1 to 100, not {options.columns}.")
    parsing.demand(options.out.parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}.")
    run = directory.find(options.run, options.runs_dir)
    recipe = directory.read_recipe(run)
    name, _, archive = recipe.dataset.partition(":")
    parsing.demand(name == "celeba", f"{run} was trained on {recipe.dataset}: only celeba has attributes.")
    from kgen import images
    from kgen.data import Request
    from kgen.data.datasets import celeba
    from kgen.data.spellings import colour
    from kgen.inference import loading
    from kgen.runs import build
    from kgen.studies import attributes

    known = celeba.attributes(
        Request(
            split=recipe.split,
            data_dir=recipe.data_dir,
            crop=recipe.crop,
            argument=archive,
            skip_bad=recipe.skip_bad,
            background=colour(recipe.background),
        )
    )
    values = attributes.chosen(*known, options.attributes)
    opened, faces = loading.load(run).autoencoder, build.load(recipe).images
    directions = attributes.vectors(opened.encode(faces[: options.count]), values[: options.count])
    picture = attributes.picture(opened, attributes.shown(recipe, faces, options.columns), directions, options.strength)
    images.save_png(options.out.with_suffix(".png"), picture)
    found = dict(zip(options.attributes, directions.tolist(), strict=True))
    options.out.with_suffix(".json").write_text(json.dumps({"run": str(run), "directions": found}) + "\n")
    print(f"{options.out}.png: faces, reconstructions, then with {', '.join(options.attributes)}; {options.out}.json")
    return 0
