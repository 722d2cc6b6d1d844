"""The packages of the extra `lab`."""

import importlib

from kgen.errors import UsageError


def demand(*packages):
    """Raises UsageError unless the packages, by the names they are imported by, are installed."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise UsageError(f'This needs {package} ({error}): pip install -e ".[lab]"') from None
