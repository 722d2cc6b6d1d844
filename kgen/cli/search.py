"""Searches hyper-parameters: kgen search --model autoencoder --vary learning_rate=1e-4..1e-2:log"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic

import tyro

from kgen.cli import parsing
from kgen.studies import extras
from kgen.studies.search import pool
from kgen.studies.search import results as search_results
from kgen.studies.search import study as search_study
from kgen.studies.search import trial as search_trial


@dataclass(frozen=True)
class Options(Generic[parsing.R]):
    """Finds good numbers of a recipe, trains the best ones in full and exports them. Repeat the command to go on."""

    recipe: Annotated[parsing.R, tyro.conf.arg(name="")]
    rules: Annotated[search_trial.Rules, tyro.conf.arg(name="")] = search_trial.Rules()
    model: str = "autoencoder"  # Recipe whose numbers are searched; the flags below set the other numbers.
    vary: tyro.conf.UseAppendAction[
        tuple[str, ...]
    ] = ()  # FIELD=LOW..HIGH, FIELD=LOW..HIGH:log or FIELD=a,b,c; repeatable.
    trials: int = 60  # Trials of the study in all, complete or given up.
    jobs: int = 1  # Trials that run at the same time on this machine.
    study: str = "search"  # Name of the study and of its folder in the runs' directory.
    storage: str | None = None  # URL of a shared database, such as postgresql://...; else a file.
    train_best: bool = True  # Whether the best recipe is trained in full and exported.
    runs_dir: Path = Path("runs")  # Where the study's folder and run directories are made.
    exports_dir: Path = Path("saved_models")  # Where the export is written, as <model>-<dataset>/<version>.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code: 0, or 130 after Ctrl-C."""
    options = parsing.parse_with_recipe(Options, arguments, "autoencoder")
    parsing.demand(min(options.trials, options.jobs) >= 1, "--trials and --jobs must be at least 1.")
    named = Path(options.study).name == options.study and options.study not in ("", "..")
    parsing.demand(named, f"--study must be the name of a folder, not {options.study!r}.")
    extras.demand(*search_study.PACKAGES)
    plan = search_trial.Search(options.recipe, options.vary, options.rules)
    from kgen.runs import build
    from kgen.training import train as training

    data, folder = build.load(options.recipe), options.runs_dir / options.study
    study, url = search_study.begin(plan, data, folder, options.study, options.storage)
    train = f"{training.train.__module__}:{training.train.__name__}"
    job = pool.Job(url, options.study, plan, folder, data.images.shape[1:], train)
    ended = pool.go(study, job, options.trials, options.jobs)
    best, result = search_results.write(study, plan, folder), None
    if ended and best and options.train_best:
        places = folder, options.runs_dir, options.exports_dir
        result = search_results.train_best(plan, best, *places, training.train)
        ended = result.finished
    print(search_results.summary(study, folder, result))
    if not ended:
        print(f"Stopped with {search_study.finished(study)} of {options.trials} trials. Go on: the same command again.")
    return 0 if ended else 130
