"""Where a cell lies, and its commands with everything filled in."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from kgen.core import recipe as recipes
from kgen.studies.reproduction import quick
from kgen.studies.reproduction.table import Cell, Command, find, needed

SEEDED = ("train", "search")  # commands that make runs


@dataclass(frozen=True)
class Where:
    """The folders and files that all cells share.

    Args:
        runs_dir: below it lie the cells' folders, `<table>/<cell>-seed<n>`.
        records: folder of the records, `<table>/<cell>-seed<n>.json`.
        data_dir: folder of the official archives, or None.
        inception: weights of the 2015 Inception, `.npz`, or None.
        quick: whether commands are cut to seconds.
    """

    runs_dir: Path
    records: Path
    data_dir: Path | None = None
    inception: Path | None = None
    quick: bool = False

    @property
    def pictures(self) -> Path:
        """Folder of the pictures of the page."""
        return self.records.parent / "pictures"


@dataclass(frozen=True)
class Place:
    """A cell with a seed, and its folder."""

    table: str
    name: str
    seed: int
    where: Where

    @property
    def cell(self) -> Cell:
        """The cell."""
        return find(self.table).cells[self.name]

    @property
    def id(self) -> str:
        """Its name among all: `autoencoders/basic-seed0`."""
        return f"{self.table}/{self.name}-seed{self.seed}"

    @property
    def folder(self) -> Path:
        """Its folder; what a quick budget makes lies apart."""
        return self.where.runs_dir / ("quick" if self.where.quick else "") / self.id

    @property
    def record(self) -> Path:
        """The file of its record."""
        return self.where.records / f"{self.id}.json"

    @property
    def finish(self) -> Path:
        """The file that is written when all is done, the record before it is kept."""
        return self.folder / "record.json"

    @property
    def finished(self) -> bool:
        """Whether all is done in this folder."""
        return self.finish.is_file()

    @property
    def recorded(self) -> bool:
        """Whether its record is kept; those of a quick budget never are."""
        return not self.where.quick and self.record.is_file()

    def commands(self) -> list[Command]:
        """Returns the cell's commands; a quick budget changes their flags."""
        return [quick.shortened(each, self.where.runs_dir) if self.where.quick else each for each in self.cell.commands]

    @property
    def asks_for_inception(self) -> bool:
        """Whether a command of it takes the weights of the 2015 Inception."""
        return any("{inception}" in command.text for command in self.cell.commands)

    def pictures(self) -> dict[str, tuple[str, str]]:
        """Returns the pictures that are kept: those of the cell's first seed."""
        return self.cell.pictures if self.seed == self.cell.seeds[0] else {}

    def runs(self) -> list[Path]:
        """Returns the run directory of each `train` of the cell; the first run of a folder has the number 0001."""
        found = []
        for words in (each.words for each in self.commands() if each.name == "train"):
            model = words[words.index("--model") + 1]
            given = dict(zip(words, words[1:], strict=False))
            dataset = given.get("--dataset", recipes.find(model).dataset).partition(":")[0]
            found.append(self.folder / f"train-{len(found) + 1}" / f"{model}-{dataset}-0001")
        return found

    def needs(self) -> "dict[str, Place]":
        """Returns the places of the cells that this one needs, by their names in its commands."""
        return {name: Place(*needed(text, self.seed), self.where) for name, text in self.cell.needs.items()}

    def fill(self, text: str, run: Path | None = None) -> str:
        """Returns a text with what is in braces filled in; `{run}` is `run`, or the last of the cell."""
        runs = self.runs()
        names = {f"run{number}": path for number, path in enumerate(runs, 1)}
        names |= {name: place.runs()[-1] for name, place in self.needs().items()}
        names |= {"run": run or (runs[-1] if runs else ""), "folder": self.folder, "seed": self.seed}
        return text.format(**names, inception=self.where.inception)

    def filled(self) -> list[list[str]]:
        """Returns the words of each command, without `kgen`."""
        runs, played, lines = self.runs(), 0, []
        for command in self.commands():
            trains = command.name == "train"
            played += trains
            words = [self.fill(word, runs[played - 1] if played else None) for word in command.words]
            if command.name in SEEDED:
                words += ["--seed", str(self.seed), "--exports-dir", str(self.folder / "exports")]
                words += ["--runs-dir", str(runs[played - 1].parent if trains else self.folder)]
                data_dir = self.where.data_dir
                words += ["--data-dir", str(data_dir)] if data_dir and not self.where.quick else []
            lines.append(words)
        return lines

    def anywhere(self) -> "Place":
        """Returns the place as on a machine with folders of common names, for what others read."""
        where = Where(
            Path("runs/reproduce"),
            Path("docs/results/records"),
            self.where.data_dir and Path("DIR"),
            self.where.inception and Path("INCEPTION.npz"),
            self.where.quick,
        )
        return Place(self.table, self.name, self.seed, where)

    def shown(self) -> list[str]:
        """Returns the command lines, for a person to copy."""
        return [shlex.join(["kgen", *words]) for words in self.filled()]


def places(tables: list[str], where: Where) -> list[Place]:
    """Returns the places of all cells and seeds of some tables, for a quick budget of the first seed."""
    return [
        Place(table, name, seed, where)
        for table in tables
        for name, cell in find(table).cells.items()
        for seed in (cell.seeds[:1] if where.quick else cell.seeds)
    ]


def first_cells(every: list[Place]) -> list[Place]:
    """Returns the place of each table that comes first."""
    return list({place.table: place for place in reversed(every)}.values())[::-1]
