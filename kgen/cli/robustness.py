"""Tests autoencoders under noise: kgen robustness --runs runs/autoencoder-mnist-0001"""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

from kgen.augmentation import noise as noises
from kgen.cli import parsing
from kgen.data.joined import warning
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Prints the test loss of every run under every noise, and shows their reconstructions."""

    runs: tuple[str, ...] = ("latest",)  # Run directories of autoencoders, or latest.
    noise: tuple[str, ...] = ("clean", "salt-and-pepper:0.1", "uniform:0.7")  # What the encoders see; clean is none.
    split: str = "test"  # Part of the first run's dataset.
    seed: int = 0  # Of the noise.
    out: Path = Path("robustness")  # The files to write, without .md, .json and .png.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    parsing.demand(options.runs and options.noise, "Give at least one of --runs and one --noise.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    parsing.demand(options.out.parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}.")
    for text in options.noise:
        noises.parse("" if text == "clean" else text)
    found = [directory.find(name, options.runs_dir) for name in options.runs]
    from kgen import images
    from kgen.studies import robustness

    games, recipes = zip(*map(robustness.opened, found), strict=True)
    for run, recipe in zip(found, recipes, strict=True):
        if words := warning(recipe.split, options.split):
            warnings.warn(f"{run}: {words}", stacklevel=1)
    test = robustness.test_images(recipes[0], options.split)
    losses = robustness.test_losses(games, options.noise, test, options.seed)
    text = robustness.table(losses, recipes, [run.name for run in found], options.noise)
    options.out.with_suffix(".md").write_text(text + "\n")
    figures = robustness.figures(losses, found, options.noise, games[0].loss)
    options.out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    images.save_png(options.out.with_suffix(".png"), robustness.picture(games, options.noise, test, options.seed))
    print(f"{text}\n{games[0].loss} of {len(test.images)} images, {options.out}.md; what they see: {options.out}.png")
    return 0
