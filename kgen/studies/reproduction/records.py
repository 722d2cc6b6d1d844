"""Records: a JSON file for each cell and seed, with the numbers and how they came about."""

import dataclasses
import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import kgen
from kgen.errors import UsageError
from kgen.runs import directory
from kgen.studies.reproduction.numbers import Number


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was measured of a cell with a seed. What is not known is None.

    Args:
        table, cell, seed: which; the seed is None where a number is of no run of `kgen reproduce`.
        values: `{measure: Number}`.
        commands: the command lines.
        budget: `full`; others are not kept.
        steps: training steps of all its runs.
        seconds: that the commands took; None if one was killed on the way.
        version, commit: of kgen; the commit of a checkout with changes ends in `-modified`.
        device: GPUs, or cores and processor.
        date: day on which it was finished.
        images_sha256: of the training images of the last run.
        run: the cell's folder below the folder of all runs.
        pictures: `{file name: caption}`, see `kgen.studies.reproduction.table.Cell`.
    """

    table: str
    cell: str
    seed: int | None
    values: dict[str, Number]
    commands: list[str] = field(default_factory=list)
    budget: str = "full"
    steps: int | None = None
    seconds: float | None = None
    version: str | None = None
    commit: str | None = None
    device: str | None = None
    date: str | None = None
    images_sha256: str | None = None
    run: str | None = None
    pictures: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Returns the record as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def from_json(text: str, file: Path) -> Record:
    """Returns the record that `to_json` wrote; raises UsageError if the text is none. The error names `file`."""
    try:
        fields = json.loads(text)
        fields["values"] = {name: Number(**value) for name, value in fields["values"].items()}
        return Record(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{file} is not a record of kgen reproduce: {type(error).__name__}: {error}.") from None


def write(file: Path, record: Record) -> None:
    """Writes a record; a reader sees none or the whole."""
    directory.make_folder(file.parent)
    aside = file.with_name(f".{file.name}.partial")
    aside.write_text(record.to_json())
    os.replace(aside, file)


def read(folder: Path) -> list[Record]:
    """Returns all records below a folder, sorted by their paths."""
    files = sorted(Path(folder).glob("*/*.json"))
    return [from_json(file.read_text(), file) for file in files]


class Measured:
    """A measure of a cell: the numbers of its seeds, or where there are none, those that no run of a seed gave.

    In a text it is `{cell[measure]:.4f}`: the mean over seeds ± their sample standard deviation. Of one seed it is the
    value ± its own spread.
    """

    def __init__(self, numbers: list[Number]) -> None:
        self.numbers = numbers

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return statistics.fmean(number.value for number in self.numbers)

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over seeds; of one seed its own spread, which may be None."""
        if len(self.numbers) == 1:
            return self.numbers[0].spread
        return statistics.stdev(number.value for number in self.numbers)

    def __format__(self, form: str) -> str:
        if isinstance(self.numbers[0].value, list):
            return "; ".join(" ".join(format(part, form) for part in number.value) for number in self.numbers)
        parts = [self.mean] if self.spread is None else [self.mean, self.spread]
        return " ± ".join(format(part, form) for part in parts).replace("%", " %")


def measured(records: list[Record], table: str) -> dict[tuple[str, str], Measured]:
    """Returns `{(cell, measure): Measured}` of a table."""
    found = {}
    for record in records:
        for name, number in record.values.items() if record.table == table else ():
            found.setdefault((record.cell, name), []).append((record.seed, number))
    return {
        key: Measured([number for seed, number in pairs if seed is not None] or [number for _, number in pairs])
        for key, pairs in found.items()
    }


def commit() -> str | None:
    """Returns the commit of the checkout that kgen lies in, with `-modified` if its code has changes; else None."""
    root = Path(kgen.__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    try:
        ours = git("ls-files", "__init__.py")  # else kgen is installed below somebody's checkout
        return (
            git("rev-parse", "--short=12", "HEAD") + ("-modified" if git("status", "--porcelain", ".") else "")
            if ours
            else None
        )
    except OSError:  # there is no git
        return None
