"""The results of a hyper-parameter search: a table of trials, pictures, the best recipe and its run."""

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgen.runs import directory

if TYPE_CHECKING:
    import optuna

    from kgen.core.recipe import Recipe
    from kgen.studies.search.study import Search
    from kgen.training.train import Result

ENOUGH = 10  # complete trials that importances need
COLUMNS = ("number", "state", "value", "loss", "minutes", "refused", "diverged", "hopeless")


def write(study: "optuna.Study", search: "Search", folder: Path) -> "Recipe | None":
    """Writes the results of a study, complete or not, into its folder. Returns the best recipe, or None.

    - `trials.csv`: every trial.
    - `history.png`: the values in the order of the trials, and the best so far.
    - `importances.png`: how much the values depend on each parameter; needs 10 complete trials.
    - `best.json`: the recipe of the best trial, in the format of recipe.json.
    """
    from optuna.trial import FixedTrial, TrialState

    trials = study.get_trials(deepcopy=False)
    _table(folder / "trials.csv", trials)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not complete:
        return None
    _pictures(study, folder, len(complete))
    best = search.candidate(FixedTrial(study.best_params))
    (folder / "best.json").write_text(best.to_json())
    return best


def train_best(
    search: "Search", best: "Recipe", folder: Path, runs_dir: Path, exports_dir: Path, train: Callable
) -> "Result":
    """Trains the best recipe in full and exports it. If its run was begun before, it is resumed.

    Args:
        train: `kgen.training.train.train`; its `Result` is returned.
    """
    note = folder / "best_run.txt"
    run = Path(note.read_text()) if note.exists() else None
    if not (run and (run / "recipe.json").exists() and directory.read_recipe(run) == best):
        run = directory.create(runs_dir, best)
        note.write_text(str(run.absolute()))
    result = train(best, runs_dir, exports_dir, run)
    if result.finished:
        curves(run, folder / "training.png")
    return result


def summary(study: "optuna.Study", folder: Path, result: Any = None) -> str:
    """Returns the best trial, and the result of its full training, as lines of text."""
    from optuna.trial import TrialState

    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return f"No trial is complete yet, see {folder / 'trials.csv'}."
    best = study.best_trial
    rows = [
        ("best trial", best.number),
        ("value", best.value),
        ("mean of its folds", best.user_attrs["loss"]),
        ("minutes a fold", best.user_attrs["minutes"]),
        *best.params.items(),
        ("all trials", folder / "trials.csv"),
    ]
    if result and result.finished:
        rows += [("run", result.run), ("export", result.exported)]
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{name:<{width}}  {value:.5g}" if type(value) is float else f"{name:<{width}}  {value}" for name, value in rows
    )


def curves(run: Path, path: Path) -> None:
    """Draws the losses of a run's log.jsonl and epochs.jsonl over its steps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, points in series(run).items():
        axes.plot(*zip(*points, strict=True), label=name.replace("_", " "))
    axes.set(xlabel="step", ylabel="loss", title=run.name)
    axes.legend(frameon=False)
    figure.savefig(path)


def series(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Returns `{name: [(step, value)]}` of the training losses and of the validation loss."""
    found = {}
    for log, chosen in (("log.jsonl", _losses), ("epochs.jsonl", _validation)):
        for line in directory.read_lines(run / log):
            for name in chosen(line):
                found.setdefault(name, []).append((line["step"], line[name]))
    return found


def _losses(line: dict[str, float]) -> list[str]:
    return [name for name in line if name.endswith("_loss")]


def _validation(line: dict[str, bool | float]) -> list[str]:
    return [name for name in line if name.startswith("validation_")][:1]


def _table(path: Path, trials: "list[optuna.trial.FrozenTrial]") -> None:
    params = sorted({name for trial in trials for name in trial.params})
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *params])
        writer.writeheader()
        for trial in trials:
            known = {name: trial.user_attrs[name] for name in COLUMNS if name in trial.user_attrs}
            value = {} if trial.value is None else {"value": trial.value}
            writer.writerow({"number": trial.number, "state": trial.state.name, **value, **known, **trial.params})


def _pictures(study: "optuna.Study", folder: Path, complete: int) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from optuna.visualization.matplotlib import plot_optimization_history, plot_param_importances

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = {"history": plot_optimization_history(study)}
        if complete >= ENOUGH:
            try:
                drawn["importances"] = plot_param_importances(study)
            except (RuntimeError, ValueError):  # all values are equal, or no parameter is in every trial
                pass
        for name, axes in drawn.items():
            axes.figure.savefig(folder / f"{name}.png", dpi=100, bbox_inches="tight")
        pyplot.close("all")
