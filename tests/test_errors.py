"""The two errors that commands print as a sentence are of kinds that callers of the library expect."""

import pytest

from kgen.errors import Diverged, UsageError


@pytest.mark.parametrize("error, kind", [(UsageError, ValueError), (Diverged, ArithmeticError)])
def test_an_error_is_of_pythons_kind_and_keeps_its_sentence(error, kind):
    with pytest.raises(kind) as raised:
        raise error("One sentence.")
    assert str(raised.value) == "One sentence."


def test_neither_error_is_taken_for_the_other():
    assert not issubclass(Diverged, ValueError) and not issubclass(UsageError, ArithmeticError)
