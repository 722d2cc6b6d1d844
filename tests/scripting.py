"""Scripts run in the tests' own process, as a shell would run them."""

import importlib.util
import sys

import processes
import pytest

from kgen import cli


def main_of(name):
    """Returns the `main` of scripts/<name>.py, loaded from its file once."""
    module = f"script_{name}"
    if module not in sys.modules:
        spec = importlib.util.spec_from_file_location(module, processes.SCRIPTS / f"{name}.py")
        sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])
    return sys.modules[module].main


def call(monkeypatch, capsys, name, *arguments):
    """Runs a script; returns its exit code and what it wrote to stdout and stderr."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.run(main_of(name))
    return (end.value.code, *capsys.readouterr())
