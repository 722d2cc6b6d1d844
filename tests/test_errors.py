"""The two errors that commands print as a sentence are of kinds that callers of the library expect."""

import os

import pytest

from kgen.errors import Diverged, UsageError, demand_file


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
