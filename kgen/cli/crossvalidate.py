"""Trains a recipe once for each fold: kgen crossvalidate --model autoencoder --out runs/folds"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic

import tyro

from kgen.cli import parsing
from kgen.data.joined import demand_unseen


@dataclass(frozen=True)
class Options(Generic[parsing.R]):
    """k-fold cross-validation: holds out each part of the images in turn. Repeat the command to resume it."""

    recipe: Annotated[parsing.R, tyro.conf.arg(name="")]
    model: str = "autoencoder"  # Which recipe to train; its numbers are the defaults of the flags below.
    out: Path = Path("runs/folds")  # Where the run directories fold-0, fold-1, ... and folds.md are written.
    test_split: str | None = None  # Split such as test, on which the best weights of each fold are measured too.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code: 0, or 130 after Ctrl-C."""
    options = parsing.parse_with_recipe(Options, arguments, "autoencoder")
    recipe = options.recipe
    parsing.demand(recipe.holds_out, f"--model {options.model} holds out no images, so it cannot be cross-validated.")
    if options.test_split:
        demand_unseen(recipe.split, options.test_split, "test-split")
    from kgen.runs import build
    from kgen.studies import cross_validation

    split = options.test_split
    test = build.load(dataclasses.replace(recipe, split=split)) if split else None
    results = []
    for fold in range(recipe.folds):
        result = cross_validation.train_fold(recipe, fold, options.out / f"fold-{fold}", test)
        if result is None:
            print("Stopped with a checkpoint. Go on: the same command again.")
            return 130
        results.append(result)
    text = cross_validation.table_of_folds(results)
    (options.out / "folds.md").write_text(text + "\n")
    print(f"{text}\nBest: {options.out}/fold-{cross_validation.best(results)}")
    return 0
