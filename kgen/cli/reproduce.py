"""Remakes the tables of the papers and reports: kgen reproduce --table autoencoders"""

import functools
import importlib
import signal
import sys
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from kgen.cli import parsing
from kgen.errors import Diverged, UsageError

if TYPE_CHECKING:
    from kgen.studies.reproduction.place import Place


@dataclass(frozen=True)
class Options:
    """Runs what a table of the results is made of, keeps a record of each cell and seed, and writes the page anew.

    Repeat the command to go on. Processes and machines that share --runs-dir and --records share the work.
    """

    table: str | None = None  # A table that --list names.
    all: tyro.conf.FlagCreatePairsOff[bool] = False  # All tables.
    list: tyro.conf.FlagCreatePairsOff[bool] = False  # List the tables; with --table its cells and commands.
    render: tyro.conf.FlagCreatePairsOff[bool] = False  # Only write the page from the records.
    budget: Literal["full", "quick"] = "full"  # quick: seconds a command, no records; with --all a cell a table.
    runs_dir: Path = Path("runs/reproduce")  # Where the cells' folders are made.
    records: Path = Path("docs/results/records")  # Folder of the records; pictures lie beside it.
    page: Path = Path("docs/results.md")  # The page to write.
    readme: Path = Path("README.md")  # Its table of results is written too, if it has one.
    data_dir: Path | None = None  # Folder of the official archives; without it tensorflow-datasets loads the data.
    inception: Path | None = None  # Weights of the 2015 Inception, .npz, for FID and the Inception Score proper.


def main(arguments: list[str]) -> int:
    """Runs the command, and returns the exit code: 0; 1 if a cell failed; 130 after Ctrl-C."""
    options = parsing.parse(Options, arguments)
    from kgen.studies.reproduction import page, place, records, table

    asked = sum((options.table is not None, options.all, options.render, options.list and options.table is None))
    parsing.demand(asked == 1, "Give one of --table NAME, --all, --list and --render.")
    names = [options.table] if options.table else list(table.all_tables())
    table.find(names[0])
    paths = (options.runs_dir, options.records, options.data_dir, options.inception)
    where = place.Where(*(path and parsing.absolute(path) for path in paths), options.budget == "quick")
    if options.list:
        print(listed(place.places(names, where)) if options.table else overview())
        return 0
    parsing.demand(
        where.inception is None or where.inception.is_file(), f"--inception {options.inception} is not a file."
    )
    every = place.places(names, where)
    some = place.first_cells(every) if options.all and where.quick else every
    code = 0 if options.render else reproduced(some)
    if not where.quick:
        page.write(records.read(where.records), where.pictures, options.page, options.readme)
        print(options.page)
    return code


def overview() -> str:
    """Returns a line for each table: its name, how many cells it has and what it is of."""
    from kgen.studies.reproduction import table

    return "\n".join(f"{name:16}{len(own.cells):3} cells  {own.source}" for name, own in table.all_tables().items())


def listed(places: "list[Place]") -> str:
    """Returns the cells of a table, whether they are recorded, and their commands."""
    parts = []
    for place in places:
        state = "recorded" if place.recorded else "begun" if place.folder.is_dir() else "not run"
        parts.append("\n".join([f"{place.id}: {state}", *(f"  {line}" for line in place.shown())]))
    return "\n".join(parts)


def reproduced(places: "list[Place]") -> int:
    """Runs cells, says what became of them, and returns the exit code."""
    from kgen.studies.reproduction import quick, work

    cut = places[0].where.quick if places else False
    if cut:
        quick.write_pictures(places[0].where.runs_dir)
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = work.work(places, here if cut else work.as_process, functools.partial(print, file=sys.stderr))
    except KeyboardInterrupt:
        print("Stopped. Go on: the same command again.")
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)
    print(", ".join(f"{count} cells {became}" for became, count in Counter(found.values()).items()))
    return int(work.FAILED in found.values())


def here(words: list[str], output: Path) -> int:
    """Runs a command of kgen in this process, which saves the seconds in which TensorFlow starts; its exit code."""
    with output.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            return importlib.import_module(f"kgen.cli.{words[0]}").main(words[1:])
        except (UsageError, Diverged) as error:
            print(error)
            return 2
        except Exception:  # of whatever kind: the other cells go on
            traceback.print_exc()
            return 1
