"""The process of one contestant: python -m kgen.studies.benchmark.worker JOB, where JOB is a JSON object.

It writes what was measured as a JSON object to stdout. Whatever the contestant prints goes to stderr.
"""

import importlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from kgen.studies.benchmark.case import Timing
from kgen.studies.benchmark.meter import Meter


def measured(job: dict[str, Any]) -> dict[str, Any]:
    """Returns what a contestant's function returns, with the times of its repetitions.

    Args:
        job: `make` and `arguments` of a `Contestant`, the numbers of its `timing`, and when the process `began`.
    """
    meter = Meter(Timing(*job["timing"]), job["began"])
    module, _, name = job["make"].partition(":")
    facts = getattr(importlib.import_module(module), name)(meter, **job["arguments"])
    return {"first": meter.first, "seconds": meter.seconds, "peak_memory": peak_memory(), **device_memory(), **facts}


def peak_memory() -> int:
    """Returns the most bytes that this process had in memory.

    Where there is /proc, it is read there: `getrusage` counts the process that started this one too.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().split("\n") if status.exists() else []
    found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return 1024 * (found[0] if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def device_memory() -> dict[str, int]:
    """Returns `{"device_memory": bytes}`, the most that tensors took on a GPU; nothing without a GPU."""
    torch, tf = (sys.modules.get(name) for name in ("torch", "tensorflow"))
    if torch and torch.cuda.is_available():
        return {"device_memory": torch.cuda.max_memory_allocated()}
    if tf and tf.config.list_physical_devices("GPU"):
        return {"device_memory": tf.config.experimental.get_memory_info("GPU:0")["peak"]}
    return {}


def main() -> None:
    """Runs the job in the process's first argument."""
    answer = os.dup(1)
    os.dup2(2, 1)
    found = measured(json.loads(sys.argv[1]))
    with os.fdopen(answer, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
