"""Searches in processes of their own, whose training is pretended."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers import processes

SEARCH = processes.SCRIPTS / "search.py"
FREE = "--minutes-weight 0 --latent-weight 0".split()
RATE = ["--vary", "learning_rate=1e-4..1e-2:log", *FREE]


def start(*arguments, cwd, how="train"):
    """Starts a search whose training is pretended, in a process group of its own; returns the `Popen`."""
    paths = os.pathsep.join([str(processes.ROOT), str(processes.ROOT / "tests")])
    command = [sys.executable, processes.ROOT / "tests/helpers/fake_training.py", how, SEARCH, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    return subprocess.Popen(list(map(str, command)), cwd=cwd, env={**os.environ, "PYTHONPATH": paths}, **pipes)


def search(*arguments, cwd, how="train"):
    """Runs a search; returns exit code, stdout, stderr."""
    process = start(*arguments, cwd=cwd, how=how)
    out, errors = process.communicate(timeout=300)
    return process.returncode, out, errors


def rows(folder):
    """Returns the lines of trials.csv."""
    with (folder / "runs/search/trials.csv").open() as file:
        return list(csv.DictReader(file))


def states(folder):
    """Returns `{state: numbers of its trials}` and what the complete ones came to."""
    found, values = {}, {}
    for row in rows(folder):
        found.setdefault(row["state"], []).append(int(row["number"]))
        if row["state"] == "COMPLETE":
            values[int(row["number"])] = row["value"], row["learning_rate"]
    return found, values


def wait_for(folder, count):
    """Waits until trials have scores of their last folds."""
    deadline = time.monotonic() + 120
    while len(list(folder.glob("runs/search/trial-*/fold-1/epochs.jsonl"))) < count and time.monotonic() < deadline:
        time.sleep(0.02)


def is_empty(group):
    """Returns whether no process of a group runs, after a moment."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        stats = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                stats.append(path.read_text().rpartition(")")[2].split())
            except OSError:
                pass
        if not any(int(stat[2]) == group and stat[0] not in "ZX" for stat in stats):
            return True
        time.sleep(0.1)
    return False


def plant(run, **logs):
    """Writes logs of a run: lists of dictionaries."""
    run.mkdir(exist_ok=True)
    for name, lines in logs.items():
        (run / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run
