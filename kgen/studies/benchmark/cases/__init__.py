"""The cases of `kgen bench`. A file of this folder has its cases in `CASES`, `{name: Case}`."""

import fnmatch
import importlib
import pkgutil

from kgen.errors import UsageError
from kgen.studies.benchmark.case import Case


def all_cases() -> dict[str, Case]:
    """Returns `{name: Case}` of every file of this folder, those with rivals first."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    found = [item for module in modules for item in module.CASES.items()]
    return dict(sorted(found, key=lambda item: (len(item[1].contestants) == 1, item[0])))


def chosen(patterns: tuple[str, ...], cases: dict[str, Case]) -> dict[str, Case]:
    """Returns the cases whose names fit one of the patterns, such as `dcgan*`; no pattern stands for all cases.

    Raises:
        UsageError: a pattern fits no case.
    """
    for pattern in patterns:
        if not fnmatch.filter(cases, pattern):
            raise UsageError(f"There is no case {pattern!r}. There are: {', '.join(cases)}.")
    return {name: case for name, case in cases.items() if any(fnmatch.fnmatch(name, each) for each in patterns or "*")}


def against(names: tuple[str, ...], cases: dict[str, Case]) -> tuple[str, ...]:
    """Returns names of rivals; raises UsageError for one that no case has."""
    known = list(dict.fromkeys(who for case in cases.values() for who in list(case.contestants)[1:]))
    odd = [name for name in names if name not in known]
    if odd:
        raise UsageError(f"There is no rival {odd[0]!r} in these cases. There are: {', '.join(known) or 'none'}.")
    return names
