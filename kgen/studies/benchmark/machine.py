"""What a machine is, as far as speeds depend on it."""

from typing import Any

from kgen.runs import directory
from kgen.studies.benchmark.meter import Meter

RIVALS = ("torch",)


def described(meter: Meter) -> dict[str, Any]:
    """Returns the machine and the versions, of rivals too."""
    rivals = {name: directory.version_of(name) for name in RIVALS}
    meter.did()
    return {"amount": 1, "environment": {**directory.environment(), **rivals}}
