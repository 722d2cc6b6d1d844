"""Numbers, and where the outputs of commands have them."""

import json
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgen.errors import UsageError
from kgen.runs import directory

if TYPE_CHECKING:
    from kgen.studies.reproduction.place import Place


@dataclass(frozen=True)
class Number:
    """A number of one seed.

    Args:
        value: a number, or several, such as counts of classes.
        spread: its uncertainty within the seed; None if it is not known.
        spread_is: what the spread is, such as `standard error`.
        n: how many repetitions within the seed it is the mean of, such as folds.
        protocol: conditions of the measurement, JSON.
    """

    value: float | list[float]
    spread: float | None = None
    spread_is: str = ""
    n: int = 1
    protocol: dict = field(default_factory=dict)


def metric(name: str, found: str = "", times: float = 1.0, run: str = "{run}") -> Callable:
    """Returns a function of a place to a measurement of `kgen evaluate`, the last one in the run's metrics.jsonl.

    Args:
        name: of the measurement, such as `fid`.
        found: takes this further result instead of the value, such as `sigma`.
        times: factor of value and spread.
        run: the run, as in commands.
    """

    def take(place: "Place") -> Number:
        file = Path(place.fill(run)) / "metrics.jsonl"
        lines = [line for line in directory.read_lines(file) if line["name"] == name]
        if not lines:
            raise UsageError(f"{file} has no measurement {name}.")
        line = lines[-1]
        protocol = {key: _below(value, place.where.runs_dir) for key, value in line["protocol"].items()}
        if found:
            return Number(_demanded(line["found"].get(found), file, found), protocol=protocol)
        spread = None if line["spread"] is None else times * line["spread"]
        if line["value"] is None and place.where.quick:  # the smoothness of lines, of a network that is not trained
            return Number(0.0, protocol=protocol)
        value = times * _demanded(line["value"], file, name)
        return Number(value, spread, line["spread_is"], protocol=protocol)

    return take


def figure(path: str, *keys: str | int, times: float = 1.0, error: str = "") -> Callable:
    """Returns a function of a place to a number of a JSON file that a command wrote.

    Args:
        path: of the file, as in commands.
        keys: the way to the number in the file.
        times: factor of the number.
        error: name beside the last key whose number is its standard error.
    """

    def take(place: "Place") -> Number:
        file = Path(place.fill(path))
        found = _read(file)
        try:
            for key in keys[:-1]:
                found = found[key]
            value, spread = found[keys[-1]], found[error] if error else None
        except (KeyError, IndexError, TypeError):
            raise UsageError(f"{file} has no {' '.join(map(str, keys))}.") from None
        value = times * _demanded(value, file, keys[-1])
        return Number(value, times * spread, "standard error") if error else Number(value)

    return take


def folds(path: str, name: str) -> Callable:
    """Returns a function of a place to the mean of a figure over folds, with the standard deviation over them.

    Args:
        path: folder of `fold-0`, `fold-1`, ..., as in commands.
        name: of the figure in their result.json.
    """

    def take(place: "Place") -> Number:
        folder = Path(place.fill(path))
        values = [_read(file)[name] for file in sorted(folder.glob("fold-*/result.json"))]
        if len(values) < 2:
            raise UsageError(f"{folder} has no two folds.")
        spread = statistics.stdev(values)
        return Number(statistics.mean(values), spread, f"standard deviation over {len(values)} folds", len(values))

    return take


def least_loss(name: str) -> Callable:
    """Returns a function of a place to the least value of `name` in epochs.jsonl of the last run."""

    def take(place: "Place") -> Number:
        file = place.runs()[-1] / "epochs.jsonl"
        values = [line[name] for line in directory.read_lines(file) if name in line]
        return Number(min(values) if values else _demanded(None, file, name))

    return take


def greatest(name: str) -> Callable:
    """Returns a function of a place to the greatest measurement of `name` that the last run took while it trained."""

    def take(place: "Place") -> Number:
        file = place.runs()[-1] / "metrics.jsonl"
        lines = [line for line in directory.read_lines(file) if line["name"] == name and line["value"] is not None]
        if not lines:
            raise UsageError(f"{file} has no measurement {name}.")
        best = max(lines, key=lambda line: line["value"])
        chosen = f"greatest of {len(lines)} evaluations on {best['protocol']['reference']}"
        protocol = {**best["protocol"], "chosen": chosen, "step": best.get("step")}
        return Number(best["value"], best["spread"], best["spread_is"], protocol=protocol)

    return take


def _below(value: Any, folder: Path) -> Any:
    """Returns a value of a protocol; of a path in a folder, such as that of a classifier, the part below it."""
    return value.removeprefix(f"{folder}/") if isinstance(value, str) else value


def _read(file: Path) -> Any:
    """Returns what a JSON file holds; raises UsageError if there is no such file."""
    if not file.is_file():
        raise UsageError(f"There is no {file}, which the commands should have written.")
    return json.loads(file.read_text())


def _demanded(value: Any, file: Path, name: str | int) -> Any:
    """Returns a number or a list of numbers; raises UsageError if it is None or not finite."""
    every = value if isinstance(value, list) else [value]
    if any(each is None or not math.isfinite(each) for each in every):
        raise UsageError(f"{file} has no finite {name}.")
    return value
