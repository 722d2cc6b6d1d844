"""A measurement: a number, its spread, and its protocol, without which the number has no meaning."""

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import kgen


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A number with all that is needed to quote it.

    Args:
        name: the metric's name in log lines and TensorBoard, such as `fid`.
        label: the metric's name in a table, with its unit or its features.
        value: the number.
        spread: its uncertainty; None if it is not known.
        spread_is: what the spread is, such as `standard error`.
        higher: whether higher is better; None if neither is.
        protocol: the conditions of the measurement, JSON: counts, splits, seeds, network. Numbers of different
            protocols cannot be compared.
        found: further results, JSON, such as the sigma of a Parzen window.
        warnings: sentences, each a reason not to quote the number.
    """

    name: str
    label: str
    value: float
    spread: float | None = None
    spread_is: str = ""
    higher: bool | None = False
    protocol: dict = field(default_factory=dict)
    found: dict = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def line(self, **where: Any) -> str:
        """Returns a line of metrics.jsonl; `where` has fields that say what was measured, such as `step`."""
        fields = {name: value for name, value in dataclasses.asdict(self).items() if name not in ("label", "higher")}
        fields["value"] = self.value if math.isfinite(self.value) else None  # JSON has no NaN
        return json.dumps({**where, **fields, "kgen": kgen.__version__}) + "\n"


ARROWS = {True: "↑", False: "↓", None: ""}  # of `Measurement.higher`


class Metric(NamedTuple):
    """An entry of `METRICS` in a metric's file, under its name on the command line.

    measure: function of a `kgen.metrics.evidence.Evidence` to a list of `Measurement`.
    of_features: whether it needs a network that takes features of images, and the images for nothing else.
    of_moments: whether it needs only the mean and the covariance of the features, so that none are kept.
    of_training: whether it needs the training images.
    ranks: whether its first number tells the better of two models.
    """

    measure: Callable
    of_features: bool = False
    of_moments: bool = False
    of_training: bool = False
    ranks: bool = True


def over_seeds(repeated: list[list[Measurement]]) -> list[Measurement]:
    """Returns the mean of each measurement over several seeds, with its standard deviation and variance over them.

    Args:
        repeated: lists of the same measurements, one list a seed, two or more.
    """
    return [_mean(each) for each in zip(*repeated, strict=True)]


def _mean(each: tuple[Measurement, ...]) -> Measurement:
    values = [measurement.value for measurement in each]
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return dataclasses.replace(
        each[0],
        value=mean,
        spread=math.sqrt(variance),
        spread_is=f"standard deviation over {len(values)} seeds",
        protocol={**each[0].protocol, "seeds": len(values)},
        found={"variance": variance, "values": values},
        warnings=tuple(dict.fromkeys(words for measurement in each for words in measurement.warnings)),
    )


def table(columns: dict[str, list[Measurement]]) -> str:
    """Returns a Markdown table with a row for each metric, and below it the protocols and all warnings.

    Args:
        columns: `{what was measured: [Measurement]}`.
    """
    found = {what: {each.name: each for each in measured} for what, measured in columns.items()}
    names = list(dict.fromkeys(name for column in found.values() for name in column))
    several = {name: [column[name] for column in found.values() if name in column] for name in names}
    lines = [["", *found], ["---"] * (len(found) + 1)]
    for name in names:
        cells = [shown(column[name]) if name in column else "-" for column in found.values()]
        lines.append([f"{several[name][0].label} {ARROWS[several[name][0].higher]}".rstrip(), *cells])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    shared = _agreed([each for group in several.values() for each in group])
    notes = [f"All: {_words(shared)}."] + [_note(group, shared) for group in several.values()]
    warned = {}
    for what, measured in columns.items():
        for each in measured:
            for words in each.warnings:
                warned.setdefault(words, {})[f"{each.label}, {what}"] = None
    warnings = [f"\nWARNING {'; '.join(where)}: {words}\n" for words, where in warned.items()]
    return text + "\n" + "".join(f"- {note}\n" for note in notes if note) + "".join(warnings)


def shown(measurement: Measurement) -> str:
    """Returns the value with its spread as text, to two digits of the spread."""
    value, spread = measurement.value, measurement.spread
    if spread is None or not 0 < spread < math.inf:
        return f"{value:.4g}"
    digits = min(max(0, 1 - math.floor(math.log10(spread))), 8)
    return f"{value:.{digits}f} ± {spread:.{digits}f}"


def _agreed(several: list[Measurement]) -> dict[str, Any]:
    """Returns the entries that all protocols share."""
    return {
        name: value
        for name, value in several[0].protocol.items()
        if all(name in each.protocol and each.protocol[name] == value for each in several)
    }


def _note(several: list[Measurement], shared: dict[str, Any]) -> str:
    """Returns the note of a row: its spread, its protocol beside `shared`, and a warning if its protocols differ."""
    first, agreed = several[0], _agreed(several)
    odd = dict.fromkeys(name for each in several for name in each.protocol if name not in agreed)
    parts = [f"± is the {first.spread_is}"] if first.spread_is else []
    more = _words({name: value for name, value in agreed.items() if name not in shared})
    parts += [more] if more else []
    parts += [f"PROTOCOLS DIFFER in {', '.join(odd)}: the numbers cannot be compared"] if odd else []
    return f"{first.label}: {'. '.join(parts)}." if parts else ""


def _words(protocol: dict[str, Any]) -> str:
    """Returns a protocol as text, with only the first 12 digits of a SHA-256."""
    return ", ".join(f"{key} {str(value)[:12] if key.endswith('sha256') else value}" for key, value in protocol.items())
