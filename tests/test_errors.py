"""The two errors that commands print as a sentence are of kinds that callers expect; advice is what was typed."""

import os
import sys
from pathlib import Path

import pytest

from kgen.errors import Diverged, UsageError, again, demand_file


@pytest.mark.parametrize("error, kind", [(UsageError, ValueError), (Diverged, ArithmeticError)])
def test_an_error_is_of_pythons_kind_and_keeps_its_sentence(error, kind):
    with pytest.raises(kind) as raised:
        raise error("One sentence.")
    assert str(raised.value) == "One sentence."


def test_neither_error_is_taken_for_the_other():
    assert not issubclass(Diverged, ValueError) and not issubclass(UsageError, ArithmeticError)


def test_only_a_file_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    demand_file(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nothing"):
        with pytest.raises(UsageError, match=f"{path} is not a file"):
            demand_file(path)


@pytest.mark.parametrize(
    "called, folder, line",
    [
        (["/usr/bin/kgen", "train"], "/", "kgen train --resume 'a b'"),
        (["scripts/train.py"], "/", "python scripts/train.py --resume 'a b'"),
        (["train.py"], "scripts", "python scripts/train.py --resume 'a b'"),  # from the folder of the scripts
        (["mine.py"], "/", "kgen train --resume 'a b'"),  # a program of somebody who imports kgen
        (["-c"], "/", "kgen train --resume 'a b'"),
        ([], "/", "kgen train --resume 'a b'"),
    ],
)
def test_advice_is_in_the_form_of_the_command_that_runs(called, folder, line, tmp_path, monkeypatch):
    (tmp_path / "scripts").mkdir()
    monkeypatch.chdir(tmp_path / folder)
    monkeypatch.setattr(sys, "argv", called)
    assert again("train", "--resume", Path("a b")) == line
