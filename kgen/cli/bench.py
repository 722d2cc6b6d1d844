"""Measures the speed of kgen and of others: kgen bench dcgan-28 --out bench.json"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from kgen.cli import parsing
from kgen.errors import UsageError, demand_file
from kgen.studies.benchmark import cases, report, session


@dataclass(frozen=True)
class Options:
    """Times kgen, and its rivals in turn, each in a fresh process; prints tables."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()  # Cases, such as gan or 'dcgan*'; all when none is given.
    rounds: int = 2  # Processes of each contestant; every second round is in reverse order.
    against: tuple[str, ...] = ()  # The rivals to measure; all when not given.
    out: Path | None = None  # A JSON file for all numbers, the machine and the versions.
    compare: Path | None = None  # Such a file from before, to compare with.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code; 1 if a contestant failed."""
    known = cases.all_cases()
    described = f"{Options.__doc__}\n\nCases: {', '.join(known)}."
    options = parsing.parse(Options, arguments, description=described)
    parsing.demand(options.rounds >= 1, f"--rounds must be at least 1, not {options.rounds}.")
    chosen = cases.chosen(options.names, known)
    rivals = cases.against(options.against, chosen)
    if options.out:
        parsing.demand(
            options.out.absolute().parent.is_dir(), f"--out {options.out}: there is no folder {options.out.parent}."
        )
    old = read(options.compare) if options.compare else None
    so_far = {"cases": {}}

    def save(found: dict[str, Any]) -> None:
        so_far.update(found)
        keep(options.out, found)

    try:
        found = session.measure(chosen, options.rounds, rivals, save, say)
    except KeyboardInterrupt:
        print(report.table(so_far))
        raise
    print(report.table(found))
    if old:
        print(report.comparison(found, old))
    return int(any(why.startswith("failed") for entry in found["cases"].values() for why in entry["skipped"].values()))


def say(words: str) -> None:
    """Prints words on stderr, at once."""
    print(words, file=sys.stderr, flush=True)


def keep(path: Path | None, found: dict[str, Any]) -> None:
    """Writes the numbers to a file, whole or not at all."""
    if path:
        aside = path.with_name(f".{path.name}.partial")
        aside.write_text(json.dumps(found, indent=1) + "\n")
        os.replace(aside, path)


def read(path: Path) -> dict[str, Any]:
    """Returns the numbers in a file that `--out` wrote; raises UsageError if it is another file."""
    demand_file(path)
    try:
        found = json.loads(path.read_text())
        if found["kgen_bench"] == 1:
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"--compare {path} is not a file that kgen bench --out wrote.")
