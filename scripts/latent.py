#!/usr/bin/env python
"""Shows what an autoencoder's code has learnt: python scripts/latent.py --run latest --out latent"""

import dataclasses
import functools
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from kgen import cli, runs
from kgen.studies import lab, latent


@dataclass(frozen=True)
class Options:
    """Writes maps of the codes, slices, reconstructions, a TensorBoard projector and a table of figures."""

    run: str | None = None  # Run directory, or latest; its newest checkpoint is used.
    saved_model: Path | None = None  # An export, saved_models/<name>/<version>, instead of a run.
    out: Path = Path("latent")  # The folder to write to; what it has of these names is replaced.
    count: int = 10_000  # The most images of each split; t-SNE shows 5,000 of them.
    seed: int = 0  # Of the choice of images, of t-SNE, k-means and noise.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    options = cli.parse(Options, arguments, "latent.py")
    cli.demand((options.run is None) != (options.saved_model is None), "Give either --run or --saved-model.")
    cli.demand(options.count >= latent.LEAST, f"--count must be at least {latent.LEAST}, not {options.count}.")
    cli.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    lab.demand(*latent.PACKAGES)
    path = runs.find(options.run, options.runs_dir) if options.run else options.saved_model
    from kgen import codec, matches
    from kgen.data import lines
    from kgen.metrics import interpolation

    opened = codec.of_run(path) if options.run else codec.of_saved_model(path)
    model, recipe = runs.read_recipe(path)
    runs.make_folder(options.out)

    def load(split):
        return matches.load(dataclasses.replace(recipe, split=split))

    say = functools.partial(print, file=sys.stderr)
    train, test = latent.splits(load, recipe.split, options.count, options.seed, say)
    about = {"model": model, "dataset": recipe.dataset, "from": str(path)}
    if recipe.dataset == "lines" and train.images.shape[1] == lines.SIZE:  # whose interpolations can be measured
        scores = interpolation.line_scores(opened, options.seed)
        about |= {name: None if math.isnan(score) else score for name, score in scores.items()}
    print(latent.table(latent.study(opened, train, test, options.out, options.seed, about, say)))
    print(f"{options.out}; turn the codes by hand: tensorboard --logdir {options.out / 'projector'}")
    return 0


if __name__ == "__main__":
    cli.run(main)
