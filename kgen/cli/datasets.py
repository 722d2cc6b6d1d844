"""Lists the datasets: images, size, classes, and whether they are on this machine: kgen datasets"""

import importlib
from dataclasses import dataclass
from pathlib import Path

from kgen import data
from kgen.cli import parsing

HEADS = ("--dataset", "here", "images", "size", "classes")
UNKNOWN = ("?", "?", "?")


@dataclass(frozen=True)
class Options:
    """Lists the datasets, and says how to get those that are not on this machine."""

    data_dir: Path | None = None  # Folder of the official archives, if they are not those of tensorflow-datasets.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    folder = data.folder(parsing.parse(Options, arguments).data_dir)
    rows, hints = [HEADS], []
    for name in data.names():
        module = importlib.import_module(f"kgen.data.datasets.{name}")
        here = hasattr(module, "EMBEDDED") or module.present(folder)
        shown = f"{name}:{module.ARGUMENT}" if hasattr(module, "ARGUMENT") else name
        rows.append((shown, "yes" if here else "no", *getattr(module, "FACTS", UNKNOWN)))
        if not here:
            hints.append(f"{name}: {module.HINT}")
    print(table(rows))
    if hints:
        print("\nWhat is not here is downloaded by tensorflow-datasets when it is first used. Without a network:")
        print("\n".join(hints))
    return 0


def table(rows: list[tuple[str, ...]]) -> str:
    """Returns rows of equal length as lines, in columns as wide as their longest cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
