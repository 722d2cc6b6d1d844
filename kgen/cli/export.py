"""Exports a run's newest checkpoint: kgen export --run latest"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kgen.cli import parsing
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Writes saved_models/<name>/<version>/, a SavedModel that TensorFlow Serving loads."""

    run: str = "latest"  # Run directory, or latest.
    name: str | None = None  # Name in TensorFlow Serving; <model>-<dataset> when not given.
    label: str | None = None  # A name for this version that clients may ask for, such as stable or canary.
    keep: int | None = None  # How many newest versions to keep, besides labelled ones; all when not given.
    format: Literal["saved_model", "onnx", "tflite"] = "saved_model"  # Others are written beside it; both are float32.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.
    exports_dir: Path = Path("saved_models")  # Where exports are written.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    parsing.demand(options.keep is None or options.keep >= 1, f"--keep must be at least 1, not {options.keep}.")
    plain = options.label is None or re.fullmatch(r"[\w.-]+", options.label)
    parsing.demand(plain, f"--label must be letters, digits, and . _ -, not {options.label}.")
    run = directory.find(options.run, options.runs_dir)
    recipe = directory.read_recipe(run)
    from kgen.export import formats
    from kgen.export.saved_model import export
    from kgen.runs.build import reopen
    from kgen.studies import extras

    extras.demand(*formats.PACKAGES.get(options.format, ()), extra="convert")
    other = formats.FORMATS.get(options.format)
    recipe_to_open = replace(recipe, precision="float32") if other else recipe  # the only type of TensorFlow Lite
    trainer, step = reopen(recipe_to_open, run)
    how = {"convert": other, "name": options.name, "run": run, "label": options.label, "keep": options.keep}
    print(export(trainer.best_game(), recipe, step, options.exports_dir, **how))
    return 0
