#!/usr/bin/env python
"""Exports a run's newest checkpoint: python scripts/export.py --run latest"""

import re
from dataclasses import dataclass
from pathlib import Path

from kgen import cli, runs


@dataclass(frozen=True)
class Options:
    """Writes saved_models/<name>/<version>/, a SavedModel that TensorFlow Serving loads."""

    run: str = "latest"  # Run directory, or latest.
    name: str | None = None  # Name in TensorFlow Serving; <model>-<dataset> when not given.
    label: str | None = None  # What clients may ask for instead of a version, such as stable or canary.
    keep: int | None = None  # Versions of this model to keep, the newest; labelled ones stay. All when not given.
    runs_dir: Path = Path("runs")  # Where latest is looked for.
    exports_dir: Path = Path("saved_models")  # Where exports are written.


def main(arguments):
    options = cli.parse(Options, arguments, "export.py")
    cli.demand(options.keep is None or options.keep >= 1, f"--keep must be at least 1, not {options.keep}.")
    plain = options.label is None or re.fullmatch(r"[\w.-]+", options.label)
    cli.demand(plain, f"--label must be letters, digits, and . _ -, not {options.label}.")
    run = runs.find(options.run, options.runs_dir)
    model, recipe = runs.read_recipe(run)
    from kgen.export import export
    from kgen.matches import reopen

    match, step = reopen(recipe, run)
    how = {"name": options.name, "run": run, "label": options.label, "keep": options.keep}
    print(export(match.exhibition(), model, recipe, step, options.exports_dir, **how))
    return 0


if __name__ == "__main__":
    cli.run(main)
