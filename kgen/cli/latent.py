"""Shows what the latent code of an autoencoder has learnt: kgen latent --run latest --out latent"""

import dataclasses
import functools
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.cli import parsing
from kgen.runs import directory
from kgen.studies import extras
from kgen.studies.latent import study as latent

if TYPE_CHECKING:
    from kgen.data import Images


@dataclass(frozen=True, kw_only=True)
class Options(parsing.ModelOptions):
    """Writes maps of the codes, slices, reconstructions, a TensorBoard projector and a table of figures."""

    out: Path = Path("latent")  # Folder to write to; files of the same names are replaced.
    count: int = 10_000  # At most so many images of each split; t-SNE shows at most 5,000 of them.
    seed: int = 0  # Of the choice of images, t-SNE, k-means and noise.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    path = options.path()
    parsing.demand(options.count >= latent.LEAST, f"--count must be at least {latent.LEAST}, not {options.count}.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    extras.demand(*latent.PACKAGES)
    from kgen.data.datasets import lines
    from kgen.inference import loading
    from kgen.metrics import lines as line_metrics
    from kgen.runs import build

    opened = loading.load(path, options.trust).autoencoder
    recipe = directory.read_recipe(path)
    directory.make_folder(options.out)

    def load(split: str) -> "Images":
        return build.load(dataclasses.replace(recipe, split=split))

    say = functools.partial(print, file=sys.stderr)
    train, test = latent.splits(load, recipe.split, options.count, options.seed, say)
    about = {"model": recipe.name, "dataset": recipe.dataset, "from": str(path)}
    if recipe.dataset == "lines" and train.images.shape[1] == lines.SIZE:  # the metric of lines needs their own size
        scores = line_metrics.line_scores(opened, options.seed)
        about |= {name: None if math.isnan(score) else score for name, score in scores.items()}
    print(latent.table(latent.study(opened, train, test, options.out, options.seed, about, say)))
    print(f"{options.out}; turn the codes by hand: tensorboard --logdir {options.out / 'projector'}")
    return 0
