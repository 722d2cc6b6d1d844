"""One trial of a hyper-parameter search: its recipe is trained on a few folds and scored.

    value = mean over folds of the best validation loss + a * mean minutes + b * latent_dim

Source: student report 002, section 2.2, with a = 1e-5 and b = 1e-2; its code trained 2 of 5 folds, and gave up a trial
whose first fold came to more than 0.2.
"""

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.core import recipe as recipes
from kgen.errors import Diverged, UsageError
from kgen.runs import directory
from kgen.studies.search import space

if TYPE_CHECKING:
    import optuna

    from kgen.core.recipe import Recipe

KEPT = ("recipe.json", "log.jsonl", "epochs.jsonl")  # of a trial's run; the rest fills the disk
LOGS = ("log.jsonl", "epochs.jsonl", "diagnosis.jsonl")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a trial is judged."""

    search_folds: int = 2  # How many of the recipe's folds each trial is trained on.
    objective: str | None = None  # Number in the last line of a log, instead of the best validation loss.
    maximize: bool = False  # Whether more of --objective is better.
    minutes_weight: float = 1e-5  # Added for each minute that a fold takes, on average.
    latent_weight: float = 1e-2  # Added for each number of the code or latent.
    hopeless: float | None = None  # Gives up when fold 0 is worse than this; without it, than the median of the others.

    def __post_init__(self) -> None:
        positive = all(math.isfinite(w) and w >= 0 for w in (self.minutes_weight, self.latent_weight))
        if not positive:
            raise UsageError("--minutes-weight and --latent-weight must be 0 or more.")
        if self.search_folds < 1:
            raise UsageError(f"--search-folds must be at least 1, not {self.search_folds}.")
        if self.hopeless is not None and not math.isfinite(self.hopeless):
            raise UsageError(f"--hopeless must be a finite number, not {self.hopeless}.")
        if self.maximize and not self.objective:
            raise UsageError("--maximize needs --objective: a validation loss is minimised.")

    def value(self, scores: list[float], minutes: list[float], latent_dim: int) -> float:
        """Returns what a study optimises.

        Args:
            scores: of the folds.
            minutes: that each of them took.
            latent_dim: numbers of a code, 0 for recipes without one.
        """
        penalty = self.minutes_weight * np.mean(minutes) + self.latent_weight * latent_dim
        return float(np.mean(scores) + (-penalty if self.maximize else penalty))

    def pruner(self) -> Any:
        """Returns the Optuna pruner that gives hopeless trials up."""
        from optuna import pruners

        if self.hopeless is None:
            return pruners.MedianPruner()
        return pruners.ThresholdPruner(**{"lower" if self.maximize else "upper": self.hopeless})


@dataclass(frozen=True)
class Search:
    """What is searched.

    Args:
        recipe: its values hold where nothing is searched.
        vary: texts, see `kgen.studies.search.space.parse`; none searches the recipe's own space.
        rules: how a trial is scored.

    Raises:
        UsageError: there is nothing to search, or nothing to score by.
    """

    recipe: recipes.Recipe
    vary: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", space.parse(self.vary, self.recipe))
        if not self.axes:
            space.demand_own(self.recipe, recipes.find(self.recipe.name))
        rules, recipe = self.rules, self.recipe
        if not (recipe.holds_out or rules.objective):
            raise UsageError(
                f"{self.recipe.name} holds no images out here, so it has no validation loss: name with --objective "
                "a number of log.jsonl, epochs.jsonl or diagnosis.jsonl."
            )
        if recipe.holds_out and rules.search_folds > recipe.folds:
            raise UsageError(f"--search-folds must be at most --folds {recipe.folds}, not {rules.search_folds}.")
        if rules.hopeless is not None and self.folds == 1:
            raise UsageError("--hopeless needs a second fold to save: leave it out, or give --search-folds 2.")

    @property
    def folds(self) -> int:
        """How many times each trial is trained."""
        return self.rules.search_folds if self.recipe.holds_out else 1

    def candidate(self, trial: "optuna.Trial") -> "Recipe":
        """Returns the recipe that an Optuna trial, or `optuna.trial.FixedTrial`, asks for; raises UsageError."""
        return dataclasses.replace(self.recipe, **space.suggest(self.axes, self.recipe, trial))

    def of_fold(self, recipe: "Recipe", fold: int) -> "Recipe":
        """Returns the recipe of one training of a trial, which keeps one checkpoint."""
        held = {"fold": fold} if recipe.holds_out else {}
        return dataclasses.replace(recipe, **held, checkpoint_every=recipe.steps, keep=1)


def objective(trial: "optuna.Trial", search: Search, folder: Path, shape: tuple[int, ...], train: Callable) -> float:
    """Trains the folds of an Optuna trial in `<folder>/trial-<n>/fold-<k>`; returns its value.

    Args:
        trial: it gets `losses`, `loss`, `minutes`, or the sentence why it was `refused` or has `diverged`.
        search: a `Search`.
        folder: of the study.
        shape: of an image, `(height, width, channels)`.
        train: `kgen.training.train.train`.

    Raises:
        optuna.TrialPruned: the recipe was refused, a loss was no number, or the first fold is hopeless.
        UsageError: `--objective` names nothing.
        SystemExit: interrupted.
    """
    place = folder_of(folder, trial.number)
    shutil.rmtree(place, ignore_errors=True)  # of a study of this name that is no more
    try:
        recipe = search.candidate(trial)
        recipe.check(shape)
    except UsageError as error:
        _give_up(trial, "refused", error)
    scores, minutes = [], []
    for fold in range(search.folds):
        begun = time.monotonic()
        scores.append(_train(trial, search, recipe, fold, place, train))
        minutes.append((time.monotonic() - begun) / 60)
        trial.set_user_attr("losses", scores)
        trial.set_user_attr("loss", float(np.mean(scores)))
        trial.set_user_attr("minutes", float(np.mean(minutes)))
        trial.report(scores[-1], fold)
        if fold + 1 < search.folds and trial.should_prune():
            _give_up(trial, "hopeless", f"Fold {fold} came to {scores[-1]:.5g}.")
    return search.rules.value(scores, minutes, getattr(recipe, "latent_dim", 0))


def folder_of(folder: Path, number: int) -> Path:
    """Returns where the runs of a trial lie."""
    return folder / f"trial-{number:04d}"


def score(run: Path, name: str | None = None) -> float:
    """Returns what a run has come to: its least validation loss, or the number `name` of the last line of a log.

    Raises:
        UsageError: no log has it.
    """
    if name is None:
        lines = _lines(run / "epochs.jsonl")
        first = next((key for key in (lines or [{}])[0] if key.startswith("validation_")), None)
        if first is None:
            raise UsageError(f"{run} has no validation loss: name a number of its logs with --objective.")
        return min(line[first] for line in lines if first in line)
    last = {}
    for line in (_lines(run / log)[-1:] for log in LOGS):
        last |= {key: value for key, value in (line[0] if line else {}).items() if key not in last}
    numbers = [key for key, value in last.items() if type(value) in (int, float) and key != "step"]
    if name not in numbers:
        raise UsageError(f"--objective {name} is in the last line of no log; there are: {', '.join(numbers)}.")
    return float(last[name])


def _train(trial: "optuna.Trial", search: Search, recipe: "Recipe", fold: int, place: Path, train: Callable) -> float:
    """Returns the score of one fold."""
    run, changed = place / f"fold-{fold}", search.of_fold(recipe, fold)
    directory.make_folder(run)
    directory.write_recipe(run, changed)
    try:
        result = train(changed, place, None, run)
    except UsageError as error:
        if (run / "environment.json").exists():  # it had begun: no fault of the numbers
            raise
        shutil.rmtree(place)
        _give_up(trial, "refused", error)
    except Diverged as error:
        _tidy(run)
        _give_up(trial, "diverged", error)
    if not result.finished:
        raise SystemExit(130)  # the trial stays "running", and is tried again
    found = score(run, search.rules.objective)
    _tidy(run)
    if not math.isfinite(found):
        _give_up(trial, "diverged", f"Fold {fold} came to {found}.")
    return found


def _give_up(trial: "optuna.Trial", how: str, reason: Diverged | UsageError | str) -> None:
    from optuna import TrialPruned

    trial.set_user_attr(how, str(reason))
    raise TrialPruned(str(reason))


def _lines(path: Path) -> list:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _tidy(run: Path) -> None:
    """Removes what a judged run need not keep."""
    for path in run.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in KEPT:
            path.unlink()
