"""The packages of extras."""

import importlib

from kgen.errors import UsageError


def demand(*packages, extra="lab"):
    """Raises UsageError unless the packages, by the names they are imported by, are installed."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise UsageError(f'This needs {package} ({error}): pip install -e ".[{extra}]"') from None
