#!/usr/bin/env python
"""Exports a run's newest checkpoint: python scripts/export.py --run latest"""

from dataclasses import dataclass
from pathlib import Path

from kgen import cli, runs


@dataclass(frozen=True)
class Options:
    """Writes saved_models/<name>/<version>/, a SavedModel that TensorFlow Serving loads."""

    run: str = "latest"  # Run directory, or latest.
    name: str | None = None  # Name in TensorFlow Serving; <model>-<dataset> when not given.
    runs_dir: Path = Path("runs")  # Where latest is looked for.
    exports_dir: Path = Path("saved_models")  # Where exports are written.


def main(arguments):
    options = cli.parse(Options, arguments, "export.py")
    run = runs.find(options.run, options.runs_dir)
    model, recipe = runs.read_recipe(run)
    from kgen.export import export
    from kgen.matches import reopen

    match, step = reopen(recipe, run)
    print(export(match.exhibition(), model, recipe, step, options.exports_dir, options.name, run))
    return 0


if __name__ == "__main__":
    cli.run(main)
