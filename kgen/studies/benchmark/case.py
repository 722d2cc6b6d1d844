"""What is measured, by whom and for how long."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Timing(NamedTuple):
    """How long a contestant is measured.

    Args:
        parts: how many parts are timed; each gives one number.
        seconds: least length of a part.
        warm_up: least length of the work between the first repetition and the first part. With 0 the first repetition
            is the first part.
    """

    parts: int = 5
    seconds: float = 2.0
    warm_up: float = 2.0


ONCE = Timing(1, 0.0, 0.0)  # for work of which already the first repetition counts


class Contestant(NamedTuple):
    """Who does the work.

    Args:
        make: `module:function`. The function takes a `kgen.studies.benchmark.meter.Meter` and the arguments, repeats
            the work until the meter has enough, and returns facts as JSON. The fact `amount` says how much of the
            case's unit one repetition is.
        arguments: of the function, as JSON.
        needs: packages that have to be installed, and `gpu` for a GPU.
    """

    make: str
    arguments: dict[str, Any] = {}
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """What is measured.

    Args:
        about: in a few words.
        unit: `images/s` and the like, of which more is better, or `s`, of which less is better.
        contestants: by name; the first is kgen, and the others are its rivals.
        timing: how long each of them is measured.
    """

    about: str
    unit: str
    contestants: dict[str, Contestant]
    timing: Timing = Timing()


def value(unit: str, seconds: float, amount: float) -> float:
    """Returns a part in the unit of its case.

    Args:
        unit: of the case.
        seconds: that a repetition took.
        amount: how much of the unit a repetition is.
    """
    return amount / seconds if unit.endswith("/s") else seconds
