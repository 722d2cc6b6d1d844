"""kgen reproduce: what it lists, runs, writes and refuses."""

import json

import pytest

from kgen.studies.reproduction import records, table, work
from kgen.studies.reproduction.table import Cell, Command, Table
from tests.helpers import reproductions


@pytest.fixture
def planted(monkeypatch):
    """Plants the tables; returns the commands that stand for those of kgen."""
    reproductions.plant(monkeypatch)
    commands = reproductions.Commands()
    monkeypatch.setattr(work, "as_process", commands)
    return commands


@pytest.mark.parametrize(
    "flags, sentence",
    [
        ((), "Give one of --table NAME, --all, --list and --render."),
        (("--all", "--render"), "Give one of --table NAME"),
        (("--table", "a", "--all"), "Give one of --table NAME"),
        (("--table", "planed"), "There is no table 'planed'. Did you mean planted? There are: planted, judges."),
        (("--all", "--inception", "none.npz"), "--inception none.npz is not a file."),
        (("--all", "--budget", "some"), "budget"),
    ],
)
def test_mistakes_are_told(flags, sentence, call, planted):
    code, out, errors = call("reproduce", *flags)
    assert code == 2 and sentence in errors and not out and planted.called == []


def test_tables_and_commands_are_listed(call, planted, tmp_path):
    code, out, _ = call("reproduce", "--list")
    assert code == 0 and [line.split()[:3] for line in out.splitlines()] == [
        ["planted", "2", "cells"],
        ["judges", "1", "cells"],
    ]
    code, out, _ = call("reproduce", "--list", "--table", "planted")
    lines = out.splitlines()
    assert code == 0 and lines[0] == "planted/one-seed0: not run" and len(lines) == 3 * 3 + 3
    assert lines[1].startswith("  kgen train --model gan --steps 9 --seed 0") and planted.called == []


def test_a_table_is_run_recorded_and_written(call, planted, tmp_path):
    code, out, errors = call("reproduce", "--table", "planted", "--data-dir", "D")
    assert (code, out) == (0, "5 cells done\ndocs/results.md\n")
    assert len(records.read(tmp_path / "docs/results/records")) == 5
    assert "| first | 5 | 11.00 ± 1.00 |" in (tmp_path / "docs/results.md").read_text()  # of 10, 11 and 12
    assert f"--data-dir {tmp_path / 'D'}" in " ".join(planted.called[0])
    assert "planted/one-seed0: done after" in errors
    before, called = (tmp_path / "docs/results.md").read_bytes(), len(planted.called)
    assert call("reproduce", "--table", "planted")[:2] == (0, "4 cells kept\ndocs/results.md\n")
    (tmp_path / "docs/results.md").unlink()
    assert call("reproduce", "--render")[:2] == (0, "docs/results.md\n")
    assert (tmp_path / "docs/results.md").read_bytes() == before and len(planted.called) == called


def test_a_failed_cell_ends_in_one(call, planted, tmp_path):
    planted.codes["train"] = [2]
    code, out, errors = call("reproduce", "--all")
    assert code == 1 and "1 cells failed" in out and "planted/one-seed0: failed" in errors
    assert len(records.read(tmp_path / "docs/results/records")) == 4


def test_ctrl_c_ends_in_130_and_the_same_command_goes_on(call, planted):
    planted.codes["train"] = [130]
    assert call("reproduce", "--all")[:2] == (130, "Stopped. Go on: the same command again.\ndocs/results.md\n")
    assert call("reproduce", "--all")[0] == 0 and planted.called[1][:2] == ["train", "--resume"]


@pytest.mark.slow
def test_a_quick_budget_runs_the_commands_and_writes_nothing_else(call, monkeypatch, tmp_path):
    tiny = "--generator-width 8 --discriminator-units 4"
    cells = {
        "good": Cell(
            (Command("train --model gan --dataset cifar10", tiny), Command("evaluate --run {run} --metrics mmd")), {}
        ),
        "bad": Cell((Command("train --model gan --latent-dim -1"),), {}),
    }
    monkeypatch.setattr(table, "all_tables", lambda: {"t": Table(1, "T", "", cells=cells)})
    code, out, errors = call("reproduce", "--table", "t", "--budget", "quick")
    assert (code, out) == (1, "1 cells done, 1 cells failed\n") and "t/bad-seed0: failed" in errors
    folder = tmp_path / "runs/reproduce/quick/t/good-seed0"
    assert json.loads((folder / "record.json").read_text())["budget"] == "quick"
    assert (folder / "train-1/gan-folder-0001/metrics.jsonl").exists() and not (tmp_path / "docs").exists()
