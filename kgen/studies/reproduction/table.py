"""What a table of the results is made of: cells that are measured by commands of kgen, and the text around them.

A file of `tables/` has one `TABLE`. The folder is the registry.
"""

import difflib
import importlib
import pkgutil
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

from kgen.errors import UsageError


@dataclass(frozen=True)
class Command:
    """A command of kgen, as a person would type it.

    Args:
        text: without `kgen`. It may name `{folder}`, the cell's folder; `{run}`, the run that the last `train` before
            it made, or `{run1}`, `{run2}`, ... of several; `{seed}`; `{inception}`, the file of `--inception`; and
            `{name}` for each of the cell's needs. `train` and `search` need no seed and no folders: they get them.
        quick: flags that make it take seconds, for `--budget quick`.
    """

    text: str
    quick: str = ""

    @property
    def name(self) -> str:
        """Name of the sub-command."""
        return self.words[0]

    @property
    def words(self) -> list[str]:
        """The text as words."""
        return shlex.split(self.text)


@dataclass(frozen=True)
class Cell:
    """What is run and measured once for each seed.

    Args:
        commands: in their order.
        takes: `{measure: function of a kgen.studies.reproduction.place.Place to a Number}`, see `numbers`.
        seeds: three or more where a seed takes less than 20 minutes.
        needs: `{name: "table/cell"}`: cells that are run before, and whose last run is `{name}` in commands. A need has
            the same seed if it has that seed at all, otherwise its first.
        pictures: `{file name on the page: (path as in commands, caption)}`, kept of the first seed.
    """

    commands: tuple[Command, ...]
    takes: dict[str, Callable]
    seeds: tuple[int, ...] = (0, 1, 2)
    needs: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A section of the results.

    Args:
        order: place on the page.
        title: heading.
        source: the report or paper, with the section.
        before, after: Markdown above and below the table: protocol, pictures.
        columns: heads.
        rows: a text for each column. `{cell[measure]:.4f}` becomes the cell's number. A row is shown when one of its
            cells is measured.
        short: why rows fall short of the report or the paper.
        cells: `{name: Cell}`.
        summary: rows of the README's table: quantity, reference, kgen; numbers as in `rows`.
    """

    order: int
    title: str
    source: str
    before: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    after: str = ""
    short: str = ""
    cells: dict[str, Cell] = field(default_factory=dict)
    summary: tuple[tuple[str, str, str], ...] = ()


def all_tables() -> dict[str, Table]:
    """Returns `{name: Table}` of every file of `tables/`, in the order of the page."""
    folder = importlib.import_module("kgen.studies.reproduction.tables")
    names = [found.name for found in pkgutil.iter_modules(folder.__path__)]
    tables = {name.replace("_", "-"): importlib.import_module(f"{folder.__name__}.{name}").TABLE for name in names}
    return dict(sorted(tables.items(), key=lambda item: item[1].order))


def find(name: str) -> Table:
    """Returns a table; raises UsageError if there is none of that name. The text names the nearest and all."""
    tables = all_tables()
    if name not in tables:
        near = difflib.get_close_matches(name, tables, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no table {name!r}.{hint} There are: {', '.join(tables)}.")
    return tables[name]


def needed(text: str, seed: int) -> tuple[str, str, int]:
    """Returns `(table, cell, seed)` of a need `"table/cell"` of a cell with this seed."""
    table, _, cell = text.partition("/")
    seeds = find(table).cells[cell].seeds
    return table, cell, seed if seed in seeds else seeds[0]
