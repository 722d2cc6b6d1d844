#!/usr/bin/env python
"""Fine-tunes a trained encoder to different depths: python scripts/finetune.py --run runs/autoencoder-mnist-0001"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from kgen import cli, runs
from kgen.models.classifier import ClassifierRecipe


@dataclass(frozen=True)
class Options:
    """Classifies by a linear layer on a trained encoder, and lets more and more of its layers learn along.

    Prints means over folds. The same command goes on where it stopped.
    """

    recipe: Annotated[ClassifierRecipe, tyro.conf.arg(name="")]
    run: str = "latest"  # Run directory of the encoder, or latest.
    depths: tuple[int, ...] = (0, 1, 2, 3)  # How many layers of the encoder, from its code, learn; 0 is none.
    test_split: str = "test"  # Split to measure accuracy on.
    out: Path | None = None  # Where runs and finetune.md are written; finetune-<run> beside the run when not given.
    runs_dir: Path = Path("runs")  # Where latest is looked for.


def main(arguments):
    known = cli.peek(arguments, run="latest", runs_dir="runs")
    asks = {"-h", "--help"} & set(arguments)
    run = None if asks else runs.find(known.run, known.runs_dir).expanduser().absolute()
    from kgen.studies import finetune

    base = ClassifierRecipe(**finetune.REPORT) if asks else finetune.recipe_for(run)
    options = cli.parse(Options, arguments, "finetune.py", default=Options(base))
    recipe = cli.anchored(dataclasses.replace(options.recipe, start_from=run))
    names = finetune.layers_of(recipe)
    finetune.check(options.depths, names)
    from kgen import matches

    out = options.out or run.parent / f"finetune-{run.name}"
    test = matches.load(dataclasses.replace(recipe, split=options.test_split))
    found = finetune.fine_tune(recipe, options.depths, out, test)
    if found is None:
        print("Stopped with a checkpoint. Go on: the same command again.")
        return 130
    text = finetune.table(found, names)
    (out / "finetune.md").write_text(text + "\n")
    print(f"{text}\n{out}, means of {recipe.folds} folds")
    return 0


if __name__ == "__main__":
    cli.run(main)
