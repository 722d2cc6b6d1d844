"""Numbers from the times of a session: values of parts, their median, and ratios between contestants."""

import statistics
from typing import Any, NamedTuple

from kgen.studies.benchmark.case import value


class Spread(NamedTuple):
    """The median of some numbers, the least, the greatest, and how many they are."""

    median: float
    least: float
    most: float
    count: int


def spread(numbers: list[float]) -> Spread:
    """Returns the `Spread` of one or more numbers."""
    return Spread(statistics.median(numbers), min(numbers), max(numbers), len(numbers))


def values(entry: dict[str, Any], who: str) -> list[float]:
    """Returns all parts of a contestant in the unit of its case.

    Args:
        entry: of a case, in what `kgen.studies.benchmark.session.measure` returns.
        who: the contestant.
    """
    return [value(entry["unit"], part, run["amount"]) for run in entry["runs"][who] for part in run["seconds"]]


def speedups(entry: dict[str, Any], who: str, other: str) -> list[float]:
    """Returns how many times as fast one contestant is as another, for each round in which both were measured.

    Both numbers of a ratio are medians of one process, and the two processes ran one after the other.
    """
    runs = {name: {run["round"]: pace(run) for run in entry["runs"][name]} for name in (who, other)}
    return [runs[other][number] / runs[who][number] for number in runs[who] if number in runs[other]]


def pace(run: dict[str, Any]) -> float:
    """Returns the seconds for one of the unit in a process, the median of its parts."""
    return statistics.median(run["seconds"]) / run["amount"]
