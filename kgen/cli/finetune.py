"""Fine-tunes a trained encoder to different depths: kgen finetune --run runs/autoencoder-mnist-0001"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from kgen.cli import parsing
from kgen.data.joined import demand_unseen
from kgen.models.classifier import ClassifierRecipe
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Trains a linear classifier on a trained encoder, and with it none, one or more of the encoder's layers.

    Prints means over folds. Repeat the command to resume it.
    """

    recipe: Annotated[ClassifierRecipe, tyro.conf.arg(name="")]
    run: str = "latest"  # Run directory of the encoder, or latest.
    depths: tuple[int, ...] = (0, 1, 2, 3)  # How many layers of the encoder are trained, from its code backwards.
    test_split: str = "test"  # Split to measure accuracy on.
    out: Path | None = None  # Folder to write to; finetune-<run> beside the run when not given.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code: 0, or 130 after Ctrl-C."""
    known = parsing.peek(arguments, run="latest", runs_dir="runs")
    asks = {"-h", "--help"} & set(arguments)
    run = None if asks else parsing.absolute(directory.find(known.run, known.runs_dir))
    from kgen.studies import finetuning

    base = ClassifierRecipe(**finetuning.REPORT) if asks else finetuning.recipe_for(run)
    options = parsing.parse(Options, arguments, default=Options(base))
    recipe = parsing.anchored(dataclasses.replace(options.recipe, start_from=run))
    names = finetuning.layers_of(recipe)
    finetuning.check(options.depths, names)
    for split in (base.split, recipe.split):  # of the encoder, and of the classifier
        demand_unseen(split, options.test_split, "test-split")
    from kgen.runs import build

    out = options.out or run.parent / f"finetune-{run.name}"
    test = build.load(dataclasses.replace(recipe, split=options.test_split))
    found = finetuning.fine_tune(recipe, options.depths, out, test)
    if found is None:
        print("Stopped with a checkpoint. Go on: the same command again.")
        return 130
    text = finetuning.table(found, names)
    (out / "finetune.md").write_text(text + "\n")
    print(f"{text}\n{out}, means of {recipe.folds} folds")
    return 0
