"""One trial of a hyper-parameter search: its recipe is trained on a few folds and scored.

    value = mean over folds of the best validation loss + a * mean minutes + b * latent_dim

Source: student report 002, section 2.2, with a = 1e-5 and b = 1e-2. Its code trained 2 of 5 folds, and stopped a trial
if the loss of its first fold was above 0.2.
"""

import dataclasses
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

KEPT = ("recipe.json", "log.jsonl", "epochs.jsonl")  # files of a run to keep; the rest would fill the disk
LOGS = ("log.jsonl", "epochs.jsonl", "diagnosis.jsonl")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a trial is judged."""

    search_folds: int = 2  # How many of the recipe's folds each trial is trained on.
    objective: str | None = None  # A number in the last line of a log; it replaces the best validation loss.
    maximize: bool = False  # Whether a greater --objective is better.
    minutes_weight: float = 1e-5  # Penalty for each minute that a fold takes on average.
    latent_weight: float = 1e-2  # Penalty for each number of the code or latent.
    hopeless: float | None = None  # Stops a trial if fold 0 is worse than this; without it, than the median trial.

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
        """Returns the value of a trial, which the study optimises.

        Args:
            scores: score of each fold.
            minutes: duration of each fold in minutes.
            latent_dim: size of the code, 0 for recipes without one.
        """
        penalty = self.minutes_weight * np.mean(minutes) + self.latent_weight * latent_dim
        return float(np.mean(scores) + (-penalty if self.maximize else penalty))

    def pruner(self) -> Any:
        """Returns the Optuna pruner that stops hopeless trials."""
        from optuna import pruners

        if self.hopeless is None:
            return pruners.MedianPruner()
        return pruners.ThresholdPruner(**{"lower" if self.maximize else "upper": self.hopeless})


@dataclass(frozen=True)
class Search:
    """What is searched.

    Args:
        recipe: the recipe; fields that are not searched keep its values.
        vary: texts, see `kgen.studies.search.space.parse`; without any, the recipe's own space is searched.
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
        """Returns the recipe that an Optuna trial, or `optuna.trial.FixedTrial`, tries; raises UsageError."""
        return dataclasses.replace(self.recipe, **space.suggest(self.axes, self.recipe, trial))

    def of_fold(self, recipe: "Recipe", fold: int) -> "Recipe":
        """Returns the recipe for one fold of a trial. It keeps one checkpoint."""
        held = {"fold": fold} if recipe.holds_out else {}
        return dataclasses.replace(recipe, **held, checkpoint_every=recipe.steps, keep=1)


def objective(trial: "optuna.Trial", search: Search, folder: Path, shape: tuple[int, ...], train: Callable) -> float:
    """Trains the folds of an Optuna trial in `<folder>/trial-<n>/fold-<k>`; returns its value.

    Args:
        trial: gets the attributes `losses`, `loss` and `minutes`; or the reason as `refused`, `diverged` or `hopeless`.
        search: a `Search`.
        folder: folder of the study.
        shape: of an image, `(height, width, channels)`.
        train: `kgen.training.train.train`.

    Raises:
        optuna.TrialPruned: the recipe was refused, a loss was NaN or infinite, or the trial is hopeless.
        UsageError: no log has the number that `--objective` names.
        SystemExit: the training was interrupted.
    """
    place = folder_of(folder, trial.number)
    shutil.rmtree(place, ignore_errors=True)  # left from a deleted study of this name
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
    """Returns the folder of the runs of a trial."""
    return folder / f"trial-{number:04d}"


def score(run: Path, name: str | None = None) -> float:
    """Returns the score of a run: its least validation loss, or the number `name` in the last line of a log.

    Raises:
        UsageError: no log has this number.
    """
    if name is None:
        lines = directory.read_lines(run / "epochs.jsonl")
        first = next((key for key in (lines or [{}])[0] if key.startswith("validation_")), None)
        if first is None:
            raise UsageError(f"{run} has no validation loss: name a number of its logs with --objective.")
        return min(line[first] for line in lines if first in line)
    last = {}
    for line in (directory.read_lines(run / log)[-1:] for log in LOGS):
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
        if (run / "environment.json").exists():  # training had begun, so the recipe is not the cause
            raise
        shutil.rmtree(place)
        _give_up(trial, "refused", error)
    except Diverged as error:
        _tidy(run)
        _give_up(trial, "diverged", error)
    if not result.finished:
        raise SystemExit(130)  # the trial stays "running", and is repeated later
    found = score(run, search.rules.objective)
    _tidy(run)
    if not math.isfinite(found):
        _give_up(trial, "diverged", f"Fold {fold} came to {found}.")
    return found


def _give_up(trial: "optuna.Trial", how: str, reason: Diverged | UsageError | str) -> None:
    from optuna import TrialPruned

    trial.set_user_attr(how, str(reason))
    raise TrialPruned(str(reason))


def _tidy(run: Path) -> None:
    """Removes files that a run does not need after its score is known."""
    for path in run.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in KEPT:
            path.unlink()
