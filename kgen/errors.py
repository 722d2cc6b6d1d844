"""The one error that a user can put right, and commands that it advises."""

import shlex
import sys
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """A mistake outside kgen's code: a flag, a file, a folder, a size.

    The text is one sentence or two: what was wrong, what is accepted, what to do. `scripts/` print it alone, without a
    traceback, and end with exit code 2.
    """


class Diverged(ArithmeticError):
    """Training left the numbers: a loss was NaN or infinite. `scripts/` print the text and end with exit code 3."""


def demand_file(path: Path) -> None:
    """Raises UsageError if there is no file at `path`, or a folder, or a pipe, which would keep its reader waiting."""
    if not path.is_file():
        raise UsageError(f"{path} is not a file.")


def again(command: str, *arguments: Any) -> str:
    """Returns a command line for the user to copy, `kgen train ...`; where a script of `scripts/` runs, of scripts."""
    called = Path(*sys.argv[:1])
    script = called.suffix == ".py" and called.absolute().parent.name == "scripts"
    words = ["python", f"scripts/{command}.py"] if script else ["kgen", command]
    return shlex.join([*words, *map(str, arguments)])
