"""Commands run in the tests' own process, as a shell would run them."""

import importlib
import sys

import pytest

from kgen.cli import parsing


def main_of(name):
    """Returns the `main` of a command."""
    return importlib.import_module(f"kgen.cli.{name}").main


def call(monkeypatch, capsys, name, *arguments):
    """Runs a command; returns its exit code and what it wrote to stdout and stderr."""
    monkeypatch.setattr(sys, "argv", [f"scripts/{name}.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        parsing.run(main_of(name), sys.argv[1:])
    return (end.value.code, *capsys.readouterr())
