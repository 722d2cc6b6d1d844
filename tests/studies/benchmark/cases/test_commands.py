"""What a user waits for has a function."""

from kgen.studies.benchmark import waiting
from kgen.studies.benchmark.cases.commands import CASES


def test_every_case_has_its_function():
    for case in CASES.values():
        module, _, name = case.contestants["kgen"].make.partition(":")
        assert module == waiting.__name__ and callable(getattr(waiting, name))
