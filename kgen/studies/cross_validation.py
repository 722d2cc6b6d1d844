"""k-fold cross-validation: a run for each fold of the images, which it holds out."""

import dataclasses
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.core.validation import Measure
from kgen.errors import UsageError
from kgen.runs import directory

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe
    from kgen.data import Images


def train_fold(recipe: "Recipe", fold: int, folder: Path, test: "Images | None" = None) -> dict[str, float]:
    """Trains a recipe with one fold held out, in the run directory `folder`. A run that is there is resumed.

    Args:
        recipe: a `kgen.core.held_out.HeldOutRecipe`.
        fold: from 0.
        folder: the run directory; it is made if needed.
        test: `kgen.data.Images` to measure the best weights on, or None.

    Returns:
        What is in `result.json` of the run: `fold`; for the best epoch its `step`, the training loss `loss` and
        `validation_<measure>`; `test_<measure>`. None if the training was interrupted.

    Raises:
        UsageError: `folder` holds a run of another recipe.
    """
    from kgen.training import train as training  # loads TensorFlow, which --help does not need

    recipe, folder = dataclasses.replace(recipe, fold=fold), Path(folder)
    directory.make_folder(folder)
    if not (folder / "recipe.json").exists():
        directory.write_recipe(folder, recipe)
    elif directory.read_recipe(folder) != recipe:
        raise UsageError(f"{folder} holds a run with other numbers: give another --out, or the flags of that one.")
    if (folder / "result.json").exists():
        return json.loads((folder / "result.json").read_text())
    done = training.train(recipe, folder.parent, None, resume=folder)
    if not done.finished:
        return None
    result = {"fold": fold, **best_epoch(folder)}
    if test is not None:
        found = Measure(done.trainer.best_game(), test, recipe.seed)()
        result |= {f"test_{name}": value for name, value in found.items()}
    aside = folder / ".result.partial"
    aside.write_text(json.dumps(result) + "\n")
    aside.rename(folder / "result.json")
    return result


def best_epoch(run: Path) -> dict[str, float]:
    """Returns the best line of epochs.jsonl as `{"step", "loss", "validation_...": ...}`.

    `loss` is the training loss, with noise and dropout, from the last line of log.jsonl up to the best step. If there
    is no such line, it is from the first line.
    """
    epochs, log = (directory.read_lines(Path(run) / name) for name in ("epochs.jsonl", "log.jsonl"))
    best = [line for line in epochs if line.get("best")][-1]
    before = [line for line in log if line["step"] <= best["step"]] or log[:1]
    losses = [value for name, value in (before[-1] if before else {}).items() if name.endswith("_loss")]
    measured = {name: value for name, value in best.items() if name.startswith("validation_")}
    return {"step": best["step"], "loss": losses[0] if losses else None, **measured}


def best(results: list[dict[str, float]]) -> int:
    """Returns the fold with the least validation loss."""
    return min(results, key=lambda result: result[validated(result)])["fold"]


def validated(result: dict[str, float]) -> str:
    """Returns the name of the measure that decides which is best: the first whose name begins with `validation_`."""
    return next(name for name in result if name.startswith("validation_"))


def column(results: list[dict[str, float]], name: str) -> tuple[float, float]:
    """Returns `(mean, standard deviation)` of a figure over folds; with one fold the deviation is 0."""
    values = [result[name] for result in results]
    return float(statistics.mean(values)), float(statistics.stdev(values)) if len(values) > 1 else 0.0


def table_of_folds(results: list[dict[str, float]]) -> str:
    """Returns a Markdown table: a row for each fold, then a row of means and a row of standard deviations."""
    names = list(results[0])
    rows = [[result[name] for name in names] for result in results]
    columns = [column(results, name) for name in names[1:]]
    return table(names, [*rows, ["mean", *(mean for mean, _ in columns)], ["deviation", *(sd for _, sd in columns)]])


def table(header: list[str], rows: list) -> str:
    """Returns a Markdown table; numbers have four decimals."""
    shown = [[f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    lines = [header, ["---"] * len(header), *shown]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
