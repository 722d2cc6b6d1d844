"""The command `kgen` and its sub-commands."""

import sys
from pathlib import Path

import pytest

import kgen
from kgen.cli import main

SCRIPTS = Path(__file__).parents[2] / "scripts"


def call(monkeypatch, capsys, *arguments):
    """Runs `kgen` with arguments; returns its exit code and what it wrote to stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/kgen", *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    return (end.value.code, *capsys.readouterr())


def test_each_sub_command_is_a_script_too():
    assert [f"{name}.py" for name in main.names()] == sorted(path.name for path in SCRIPTS.glob("*.py"))


def test_help_names_every_sub_command(monkeypatch, capsys):
    code, out, errors = call(monkeypatch, capsys, "--help")
    assert (code, errors) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[2:-2]] == main.names()
    assert all(len(line.split()) > 3 and len(line) <= 120 for line in out.splitlines()[2:-2])


def test_version(monkeypatch, capsys):
    assert call(monkeypatch, capsys, "--version") == (0, f"{kgen.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments, words",
    [((), "Give a command."), (("trian",), "There is no command 'trian'. Did you mean train?"), (("--bad",), "--bad")],
)
def test_a_mistake_is_a_sentence(arguments, words, monkeypatch, capsys):
    code, out, errors = call(monkeypatch, capsys, *arguments)
    assert (code, out) == (2, "") and words in errors and "train" in errors and errors.count("\n") == 1


def test_a_sub_command_runs_and_its_mistakes_carry_its_name(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "train", "--model", "gan", "--dry-run")
    assert code == 0 and '"model": "gan"' in out
    code, out, errors = call(monkeypatch, capsys, "train", "--model", "dcgna")
    assert (code, out) == (2, "") and errors.startswith("kgen train: There is no model 'dcgna'. Did you mean dcgan?")
