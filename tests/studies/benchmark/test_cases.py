"""The registry of cases."""

import importlib
from pathlib import Path

import pytest

from kgen.errors import UsageError
from kgen.studies.benchmark import cases


def test_every_contestant_has_its_function():
    root = Path(__file__).parents[3]
    for case in cases.all_cases().values():
        for contestant in case.contestants.values():
            module, _, name = contestant.make.partition(":")
            assert f"def {name}(meter: Meter" in (root / f"{module.replace('.', '/')}.py").read_text()


def test_patterns_choose():
    known = cases.all_cases()
    assert list(cases.chosen(("gan*", "help"), known)) == ["gan", "gan-bfloat16", "help"]
    assert cases.chosen((), known) == known
    with pytest.raises(UsageError, match="There is no case 'dcgna'. There are: acai,"):
        cases.chosen(("dcgna",), known)


def test_rivals_are_known():
    known = cases.all_cases()
    assert cases.against(("keras", "torch-compile"), known) == ("keras", "torch-compile")
    with pytest.raises(UsageError, match="There is no rival 'jax' in these cases. There are: torch-eager,"):
        cases.against(("jax",), known)
    with pytest.raises(UsageError, match="There are: none."):
        cases.against(("keras",), cases.chosen(("help",), known))


def test_the_registry_is_the_folder():
    assert importlib.import_module("kgen.studies.benchmark.cases.rivalry").CASES.items() <= cases.all_cases().items()
