"""The command `kgen`: each file of this folder is a sub-command, `kgen train`, `kgen sample`, ..."""

import ast
import difflib
import importlib
import sys
from pathlib import Path
from typing import NoReturn

import kgen
from kgen.cli import parsing
from kgen.errors import UsageError

NOT_COMMANDS = ("__init__", "main", "parsing")


def names() -> list[str]:
    """Returns the names of all sub-commands, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_COMMANDS)


def run(command: str, arguments: list[str] | None = None) -> NoReturn:
    """Runs a sub-command and exits.

    Args:
        command: its name, a file of this folder.
        arguments: the arguments behind its name; None takes those of the process.
    """
    given = sys.argv[1:] if arguments is None else arguments
    parsing.run(importlib.import_module(f"kgen.cli.{command}").main, given)


def usage() -> str:
    """Returns what `kgen --help` prints: each sub-command with the first line of its file."""
    lines = [f"  {name:14}{summary(name)}" for name in names()]
    return "usage: kgen COMMAND [FLAGS]\n\n" + "\n".join(lines) + "\n\nFlags of a command: kgen COMMAND --help"


def summary(name: str) -> str:
    """Returns the first line of a sub-command's file, read without importing it."""
    source = (Path(__file__).parent / f"{name}.py").read_text()
    return ast.get_docstring(ast.parse(source)).splitlines()[0]


def chosen(arguments: list[str]) -> str:
    """Returns the sub-command that the first argument names; raises UsageError if there is none of that name."""
    name = arguments[0] if arguments else ""
    if name in names():
        return name
    near = difflib.get_close_matches(name, names(), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    given = f"There is no command {name!r}.{hint}" if name else "Give a command."
    raise UsageError(f"{given} There are: {', '.join(names())}. See kgen --help.")


def main() -> NoReturn:
    """Runs `kgen` with the arguments of the process, and exits."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        sys.exit(0)
    if arguments[:1] == ["--version"]:
        print(kgen.__version__)
        sys.exit(0)
    try:
        command = chosen(arguments)
    except UsageError as error:
        sys.exit(parsing.fail(error, 2))
    run(command, arguments[1:])
