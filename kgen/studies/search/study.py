"""The study of a hyper-parameter search: its database, its settings, and trials whose process died.

Such trials are repeated. On this machine, whose processes are known, that happens at once; for other machines Optuna's
heartbeat finds them.
"""

import copy
import dataclasses
import datetime
import json
import os
import platform
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgen.core.options import MAY_CHANGE, marked
from kgen.errors import UsageError
from kgen.runs import directory
from kgen.studies.search import trial as search_trial

if TYPE_CHECKING:
    import optuna

    from kgen.data import Images
    from kgen.studies.search.trial import Search

PACKAGES = ("optuna", "sklearn", "matplotlib")
HEARTBEAT, GRACE = 30, 120  # seconds between signs of life, and until a trial counts as dead
RETRIES = 3  # repetitions of a trial whose process died


def begin(
    search: "Search", images: "Images", folder: Path, name: str, storage: str | None = None
) -> "tuple[optuna.Study, str]":
    """Returns `(study, url)`: the study of this name, or a new one.

    Args:
        search: a `kgen.studies.search.trial.Search`.
        images: `kgen.data.Images` that every trial is trained on.
        folder: folder of the study; it is made if needed.
        name: name of the study.
        storage: URL of a database; None is `<folder>/study.db`.

    Raises:
        UsageError: the database cannot be opened, or the study was started with other settings or images.
    """
    import optuna

    directory.make_folder(folder)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = storage or f"sqlite:///{Path(folder).absolute() / 'study.db'}"
    direction = "maximize" if search.rules.maximize else "minimize"
    try:
        study = optuna.create_study(
            storage=open_storage(url), study_name=name, direction=direction, load_if_exists=True
        )
    except ImportError:
        driver = "pip install 'psycopg[binary]'"
        raise UsageError(f"The driver of the database is not installed; for PostgreSQL: {driver}") from None
    except Exception as error:  # whatever a driver raises
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"The study's database cannot be opened: {reason}") from None
    _refuse_changes(study, settings(search, images))
    return study, url


def open_storage(url: str) -> Any:
    """Returns Optuna's storage with a heartbeat, which repeats trials whose process died."""
    import optuna

    sqlite = url.startswith("sqlite")
    engine = {"connect_args": {"timeout": 100}} if sqlite else {"pool_pre_ping": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.RDBStorage(
            url,
            engine_kwargs=engine,
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            heartbeat_stale_trial_callback=again,
        )


def settings(search: "Search", images: "Images") -> dict[str, Any]:
    """Returns the settings that must stay the same so that values can be compared, as JSON."""
    fields = dataclasses.asdict(search.recipe)
    elsewhere = {"dataset": search.recipe.dataset.partition(":")[0], "images": directory.digest(images)}
    # What a resumed run may change has no effect on values, except steps and log_every (the log's last line).
    free = {"name", *marked(search.recipe, MAY_CHANGE)} - {"steps", "log_every"}
    fixed = {name: value for name, value in fields.items() if name not in free}
    rules = dataclasses.asdict(search.rules)
    return json.loads(
        json.dumps({"model": search.recipe.name, "vary": search.vary, **rules, **fixed, **elsewhere}, default=str)
    )


def finished(study: "optuna.Study") -> int:
    """Returns how many trials are complete or pruned."""
    from optuna.trial import TrialState

    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def adopt(study: "optuna.Study", folder: Path) -> None:
    """Marks running trials as failed if their process on this machine died, and enqueues them again."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if _is_dead(trial):
            try:
                study.tell(trial.number, state=TrialState.FAIL)
            except (UpdateFinishedTrialError, ValueError):  # another search has just done this
                continue
            shutil.rmtree(search_trial.folder_of(folder, trial.number), ignore_errors=True)
            again(study, trial)


def again(study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
    """Enqueues the parameters of a trial whose process died. Optuna calls it for processes of other machines."""
    import optuna

    fresh = copy.deepcopy(trial)
    fresh.user_attrs = {}  # they name the dead process
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)(study, fresh)


def _refuse_changes(study: "optuna.Study", now: dict[str, Any]) -> None:
    if "settings" not in study.user_attrs:
        study.set_user_attr("settings", now)
    then = study.user_attrs["settings"]
    for name in sorted({*then, *now}, key=lambda name: list({**now, **then}).index(name)):
        if then.get(name) != now.get(name):
            was, given = ("other images", "these") if name == "images" else (then.get(name), now.get(name))
            flag = "--dataset" if name == "images" else f"--{name.replace('_', '-')}"
            raise UsageError(
                f"The study {study.study_name} was started with {flag} {was}, not {given}: its values would "
                "not compare. Give the same, or a new --study."
            )


def _is_dead(trial: "optuna.trial.FrozenTrial") -> bool:
    """Returns whether a running trial certainly has no process any more."""
    if "pid" not in trial.user_attrs:  # killed before it wrote its pid, and before Optuna's first heartbeat
        return (datetime.datetime.now() - trial.datetime_start).total_seconds() > GRACE
    return trial.user_attrs["host"] == platform.node() and not _alive(trial.user_attrs["pid"])


def _alive(pid: int) -> bool:
    """Returns whether a process of this machine runs. A zombie does not run: it has ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except ProcessLookupError:
        return False
    except OSError:  # the process is another user's, or there is no /proc
        return True
