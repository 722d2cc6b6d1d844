"""Checks that the packages of an extra are installed."""

import importlib
from typing import Any

from kgen.errors import UsageError


def demand(*packages: Any, extra: str = "lab") -> None:
    """Raises UsageError unless the packages are installed; they are given by their import names."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise UsageError(f'This needs {package} ({error}): pip install -e ".[{extra}]"') from None
