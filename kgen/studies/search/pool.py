"""Hyper-parameter search with Optuna. Machines may share its database, and it can continue after it was killed.

Each trial has its own process, since TensorFlow does not free all memory of a model and its `fit`. This module starts
the processes itself, since a `ProcessPoolExecutor` fails as a whole when one of its processes is killed.
"""

import functools
import multiprocessing
import os
import pkgutil
import platform
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from kgen.errors import UsageError
from kgen.studies.search import trial as search_trial
from kgen.studies.search.study import adopt, finished, open_storage

if TYPE_CHECKING:
    import optuna

FAILURES = 3  # the search ends after so many failed processes in a row
PATIENCE = 30  # seconds that a process has to end


@dataclass(frozen=True)
class Job:
    """What the process of a trial needs.

    `train` is `module:name` of `kgen.training.train.train`. It is imported only after output is redirected to a file.
    """

    url: str
    study: str
    search: search_trial.Search
    folder: Path
    shape: tuple[int, ...]
    train: str


def go(study: "optuna.Study", job: Job, trials: int, jobs: int) -> bool:
    """Runs trials, `jobs` at a time, until the study has `trials` that are complete or pruned.

    Args:
        study: what `kgen.studies.search.study.begin` returns.
        job: a `Job`.
        trials: number of trials of the study, on all machines together.

    Returns:
        True at the end, False after Ctrl-C or SIGTERM. No process is left.

    Raises:
        UsageError: a trial has an error that every trial would have, or three processes in a row failed.
    """
    children, failures = {}, 0
    threads = max(1, len(os.sched_getaffinity(0)) // jobs)
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    resource_tracker.ensure_running()  # else the first child starts it, and it gets Ctrl-C
    bar = tqdm(total=trials, unit="trial", dynamic_ncols=True, mininterval=0.5 if sys.stderr.isatty() else 30)
    try:
        adopt(study, job.folder)
        while finished(study) < trials or children:
            for _ in range(min(jobs - len(children), _room(study, trials, children))):
                output = job.folder / f".output-{time.time_ns()}.txt"
                child = _start(job, threads, output)
                children[child.pid] = (child, output)
            connection.wait([child.sentinel for child, _ in children.values()], timeout=1) if children else _idle(
                study, job.folder
            )
            for child, output in [pair for pair in children.values() if not pair[0].is_alive()]:
                child.join()
                del children[child.pid]
                failures = _ended(study, job.folder, child.exitcode, output, failures)
            _show(bar, study)
        return True
    except KeyboardInterrupt:
        return False
    finally:
        _end(children)
        adopt(study, job.folder)
        bar.close()
        signal.signal(signal.SIGTERM, previous)


def work(job: Job, threads: int, output: Path) -> None:
    """Runs one trial. This is the main function of a trial's process.

    Args:
        job: a `Job`.
        threads: number of threads for TensorFlow.
        output: the file for everything that is printed.
    """
    import optuna

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is for the parent, which then sends SIGTERM
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else the first process takes the GPU's whole memory
    study = optuna.load_study(study_name=job.study, storage=open_storage(job.url), pruner=job.search.rules.pruner())
    try:
        study.optimize(functools.partial(_tried, job=job), n_trials=1)
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _tried(trial: "optuna.Trial", job: Job) -> float:
    import optuna

    trial.set_user_attr("host", platform.node())
    trial.set_user_attr("pid", os.getpid())
    # Each process has its own sampler. With one seed for all, every trial would draw the same numbers.
    seed = int(np.random.SeedSequence([job.search.recipe.seed, trial.number]).generate_state(1)[0])
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    trial.study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return search_trial.objective(trial, job.search, job.folder, job.shape, pkgutil.resolve_name(job.train))


def _room(study: "optuna.Study", trials: int, children: dict) -> int:
    """Returns how many more trials may be started now, so that the study gets no more than `trials`."""
    from optuna.trial import TrialState

    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    mine = [t for t in running if t.user_attrs.get("host") == platform.node() and t.user_attrs.get("pid") in children]
    return max(0, trials - finished(study) - len(children) - (len(running) - len(mine)))


def _start(job: Job, threads: int, output: Path) -> Any:
    """Starts the process of a trial; Ctrl-C is blocked in it from the start."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=(job, threads, output), daemon=True)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return child


def _idle(study: "optuna.Study", folder: Path) -> None:
    """Waits a second for trials of other machines. Repeats trials of machines that no longer answer."""
    from optuna.storages import fail_stale_trials

    time.sleep(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fail_stale_trials(study)
    adopt(study, folder)


def _ended(study: "optuna.Study", folder: Path, code: int, output: Path, failures: int) -> int:
    """Returns how many processes in a row have failed, including this one."""
    text = output.read_text(errors="replace").strip() if output.exists() else ""
    last = text.splitlines()[-1] if text else "it said nothing"
    if code == 2:
        output.unlink(missing_ok=True)
        raise UsageError(last)
    if code == 0:
        output.unlink(missing_ok=True)
        return 0
    adopt(study, folder)
    kept = output.rename(folder / "failed.txt") if output.exists() else output
    if failures + 1 == FAILURES:
        raise UsageError(f"{FAILURES} trials in a row failed, the last with exit code {code}: {last}. See {kept}.")
    return failures + 1


def _end(children: dict) -> None:
    """Ends processes: first with SIGTERM, which stops a training between two steps, then with SIGKILL."""
    try:
        for child, _ in children.values():
            child.terminate()
        deadline = time.monotonic() + PATIENCE
        for child, _ in children.values():
            child.join(max(0, deadline - time.monotonic()))
    finally:
        for child, output in children.values():
            child.kill()
            child.join()
            output.unlink(missing_ok=True)


def _show(bar: Any, study: "optuna.Study") -> None:
    from optuna.trial import TrialState

    done = finished(study)
    if done > bar.n:
        if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            bar.set_postfix_str(f"best {study.best_value:.5g}", refresh=False)
        bar.update(done - bar.n)
