"""What the tests of the commands share."""

import warnings

import pytest

from tests.helpers import commands


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs a script in this process and an empty folder; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run sets its own

    def run(name, *arguments):
        return commands.call(monkeypatch, capsys, name, *arguments)

    return run
