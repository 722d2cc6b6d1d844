"""Measures cases: starts the contestants' processes in turn, and gathers what they answer."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kgen
from kgen.studies.benchmark.case import ONCE, Case, Contestant, Timing

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # of /proc/stat, in a second
MACHINE = Contestant("kgen.studies.benchmark.machine:described")

Launch = Callable[[Contestant, Timing], dict[str, Any]]


class Failed(RuntimeError):
    """The process of a contestant ended with an error; the text is the last line of its output."""


def launch(contestant: Contestant, timing: Timing) -> dict[str, Any]:
    """Runs a contestant in a fresh process and an empty folder; returns what it measured.

    It adds `others`, how many cores other processes took meanwhile; None where /proc/stat does not say it.

    Raises:
        Failed: the process did not answer.
    """
    paths = [str(Path(kgen.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/.output", "w+b") as output:
        began, busy = time.monotonic(), cores_busy()
        job = {"make": contestant.make, "arguments": contestant.arguments, "timing": timing, "began": began}
        command = [sys.executable, "-m", "kgen.studies.benchmark.worker", json.dumps(job)]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=output)
        try:
            answer = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            process.stdout.close()
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode or not answer:
            output.seek(0)
            words = output.read().decode(errors="replace").split("\n")
            raise Failed(next((line for line in reversed(words) if line.strip()), f"exit code {process.returncode}"))
        own = usage.ru_utime + usage.ru_stime
        others = None if busy is None else max(0.0, (cores_busy() - busy - own) / (time.monotonic() - began))
        return {**json.loads(answer), "others": others}


def cores_busy() -> float | None:
    """Returns the seconds for which the cores of this machine have worked; None where /proc/stat does not say it."""
    try:
        user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8])
    except (OSError, ValueError):
        return None
    return (user + nice + system + sum(interrupts)) / TICKS


def lacking(contestant: Contestant, gpus: list[str]) -> str:
    """Returns what a contestant needs and this machine does not have, as text; empty if it has all."""
    missing = [need for need in contestant.needs if need != "gpu" and importlib.util.find_spec(need) is None]
    if missing:
        return f"needs {missing[0]}: pip install {missing[0]}"
    return "needs a GPU" if "gpu" in contestant.needs and not gpus else ""


def measure(
    cases: dict[str, Case],
    rounds: int,
    against: tuple[str, ...],
    save: Callable[[dict[str, Any]], None],
    say: Callable[[str], None],
    launch: Launch = launch,
) -> dict[str, Any]:
    """Measures cases, in rounds in which each contestant has one process. Returns all numbers, as JSON.

    Args:
        cases: by name.
        rounds: how many; every second one is in reverse order.
        against: names of the rivals to measure; none stands for all.
        save: called with the numbers so far, after each process.
        say: called with a sentence on what goes on.
        launch: see `launch`.
    """
    environment = launch(MACHINE, ONCE)["environment"]
    found = {"kgen_bench": 1, "began": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "environment": environment, "cases": {}}
    for name, case in cases.items():
        chosen = {who: each for who, each in case.contestants.items() if who in (against or (who,))}
        chosen = {**dict([next(iter(case.contestants.items()))]), **chosen}
        skipped = {who: lacking(each, environment["gpus"]) for who, each in chosen.items()}
        entry = {"about": case.about, "unit": case.unit, "runs": {who: [] for who in chosen if not skipped[who]}}
        entry["skipped"] = {who: why for who, why in skipped.items() if why}
        found["cases"][name] = entry
        for number, who in turns(list(entry["runs"]), rounds):
            if who not in entry["skipped"]:
                say(f"{name}, round {number + 1} of {rounds}: {who}")
                try:
                    entry["runs"][who].append({"round": number, **launch(chosen[who], case.timing)})
                except Failed as error:
                    entry["skipped"][who] = f"failed: {error}"
                save(found)
    return found


def turns(names: list[str], rounds: int) -> list[tuple[int, str]]:
    """Returns `(round, name)` of each process in order: every second round is reversed."""
    return [(number, name) for number in range(rounds) for name in (names[::-1] if number % 2 else names)]
