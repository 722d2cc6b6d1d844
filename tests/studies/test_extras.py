"""A package that is missing is named, with the extra that brings it."""

import sys

import pytest

from kgen.errors import UsageError
from kgen.studies.extras import demand


def test_what_is_installed_is_demanded_without_a_word():
    assert demand() is None and demand("json", "numpy", "os.path") is None


@pytest.mark.parametrize("extra", ["lab", "ui"])
def test_what_is_missing_is_named_with_its_extra(extra, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)  # an import of it fails
    with pytest.raises(UsageError) as refused:
        demand("numpy", "sklearn", extra=extra)
    assert str(refused.value).startswith("This needs sklearn (")
    assert str(refused.value).endswith(f'): pip install -e ".[{extra}]"')
