"""Runs cells: one after the other, each under a lock, and each from where it stopped.

A cell's folder has `commands.jsonl`, a line for each command that begins or ends; `output.txt`, what commands printed;
`record.json`, when all is done; and the runs.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import kgen
from kgen.errors import UsageError
from kgen.runs import directory
from kgen.studies.reproduction import records
from kgen.studies.reproduction.numbers import Number
from kgen.studies.reproduction.place import Place
from kgen.studies.reproduction.records import Record

DONE, KEPT, ELSEWHERE, FAILED = "done", "kept", "elsewhere", "failed"
MAIN = "from kgen.cli.main import main; main()"
INTERRUPTED = 130
Run = Callable[[list[str], Path], int]


class Failed(Exception):
    """A cell that could not be finished; the text is the reason."""


def work(places: list[Place], run: Run, say: Callable) -> dict[str, str]:
    """Runs cells and keeps their records. Cells that another process runs are tried again after the others.

    Args:
        places: what to run.
        run: function of a command's words and of the file for what it prints, to its exit code, see `as_process`.
        say: called with a line for each cell.

    Returns:
        `{id: DONE, KEPT, ELSEWHERE or FAILED}`.

    Raises:
        KeyboardInterrupt: a command was interrupted; its cell goes on when it is run again.
    """
    found, waiting = {}, places
    while waiting:
        found = {name: became for name, became in found.items() if became != ELSEWHERE}
        left = [place for place in waiting if outcome(place, run, say, found) == ELSEWHERE]
        waiting = left if len(left) < len(waiting) else []  # the others are still at work
    return found


def outcome(place: Place, run: Run, say: Callable, found: dict[str, str], needed: bool = False) -> str:
    """Returns what became of a cell, which is run now unless `found`, `{id: outcome}`, has it.

    A cell that is `needed` must have its runs here: a record alone, perhaps of another machine, is not enough.
    """
    if place.id not in found or needed and found[place.id] == KEPT and not place.finished:
        began, reason = time.monotonic(), ""
        try:
            found[place.id] = finish(place, run, say, found, needed)
        except Failed as failure:
            found[place.id], reason = FAILED, f": {failure}"
        say(f"{place.id}: {found[place.id]} after {time.monotonic() - began:.0f} s{reason}")
    return found[place.id]


def finish(place: Place, run: Run, say: Callable, found: dict[str, str], needed: bool) -> str:
    """Runs what is left of a cell and of its needs; returns DONE, KEPT or ELSEWHERE. Raises `Failed`."""
    if place.recorded and not needed:
        return KEPT
    if place.asks_for_inception and not (place.where.inception or place.where.quick):
        raise Failed("it needs --inception FILE, the weights of the 2015 Inception")
    for need in place.needs().values():
        became = outcome(need, run, say, found, needed=True)
        if became == ELSEWHERE:
            return ELSEWHERE
        if became == FAILED:
            raise Failed(f"it needs {need.id}, which failed")
    directory.make_folder(place.folder)
    try:
        with FileLock(place.folder / ".lock").acquire(timeout=0):
            if not place.finished:
                say(f"{place.id}: begins, its output is {place.folder / 'output.txt'}")
                play(place, run)
                records.write(place.finish, recorded(place))
            keep(place)
    except Timeout:
        return ELSEWHERE
    except UsageError as error:
        raise Failed(str(error)) from error
    return DONE


def keep(place: Place) -> None:
    """Copies a finished cell's record and pictures to the records, unless they are there. A quick budget keeps none."""
    if place.where.quick or place.recorded:
        return
    for name, (path, _) in place.pictures().items():
        directory.make_folder(place.where.pictures)
        shutil.copyfile(place.fill(path), place.where.pictures / f"{place.table}-{name}")
    records.write(place.record, records.from_json(place.finish.read_text(), place.finish))


def play(place: Place, run: Run) -> None:
    """Runs the commands of a cell that have not ended well before; raises `Failed` or KeyboardInterrupt."""
    texts = [command.text for command in place.commands()]
    log = place.folder / "commands.jsonl"
    done = [line["text"] for line in directory.read_lines(log) if line["code"] == 0]
    if done != texts[: len(done)]:
        raise Failed(f"{place.folder} was begun by other commands: remove it, or give another --runs-dir")
    output = place.folder / "output.txt"
    trains = 0
    for number, words in enumerate(place.filled()):
        trains += words[0] == "train"
        if number < len(done):
            continue
        if words[0] == "train":
            words = resumed(words, place.runs()[trains - 1])
        began = time.monotonic()
        note(log, text=texts[number], code=None)
        code = run(words, output)
        note(log, text=texts[number], code=code, seconds=round(time.monotonic() - began, 1))
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            raise Failed(f"kgen {words[0]} ended with exit code {code}: {last_line(output)}")


def note(log: Path, **line: Any) -> None:
    """Appends a line of JSON to a log."""
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")


def seconds(log: Path) -> float | None:
    """Returns how long the commands of a log took; None if one was killed, whose time is not known."""
    lines = directory.read_lines(log)
    ended = [line["seconds"] for line in lines if line["code"] is not None]
    return round(sum(ended), 1) if 2 * len(ended) == len(lines) else None


def resumed(words: list[str], run: Path) -> list[str]:
    """Returns the words of a `train` that makes a run; of one that was begun, those of `train --resume`."""
    if not (run / "recipe.json").is_file():
        if run.is_dir():
            run.rmdir()  # a kill left it empty
        return words
    places = {flag: words[words.index(flag) + 1] for flag in ("--exports-dir", "--data-dir") if flag in words}
    return ["train", "--resume", str(run), *(word for pair in places.items() for word in pair)]


def as_process(words: list[str], output: Path) -> int:
    """Runs a command of kgen in its own process, since TensorFlow does not free all memory; returns its exit code.

    Ctrl-C reaches this process alone, which hands it on once: a training then ends with a checkpoint.
    """
    with output.open("ab") as file:
        call = [sys.executable, "-c", MAIN, *words]
        child = subprocess.Popen(call, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                child.send_signal(signal.SIGINT)


def last_line(output: Path) -> str:
    """Returns the last line of what commands printed."""
    lines = output.read_text(errors="replace").strip().splitlines() if output.is_file() else []
    return lines[-1] if lines else "it printed nothing"


def recorded(place: Place) -> Record:
    """Returns the record of a cell whose commands are done; raises UsageError if a number or a picture is missing."""
    values = numbers(place)
    for path, _ in place.pictures().values():
        if not Path(place.fill(path)).is_file():
            raise UsageError(f"There is no picture {place.fill(path)}.")
    environments = [json.loads((run / "environment.json").read_text()) for run in place.runs()]
    logs = [directory.read_lines(run / "log.jsonl") for run in place.runs()]
    last = environments[-1] if environments else {}
    return Record(
        table=place.table,
        cell=place.name,
        seed=place.seed,
        values=values,
        commands=place.anywhere().shown(),
        budget="quick" if place.where.quick else "full",
        steps=sum(log[-1]["step"] for log in logs if log),
        seconds=seconds(place.folder / "commands.jsonl"),
        version=kgen.__version__,
        commit=records.commit(),
        device=device(last) if last else None,
        date=datetime.now(UTC).date().isoformat(),
        images_sha256=last.get("images_sha256"),
        run=place.id,
        pictures={name: caption for name, (_, caption) in place.pictures().items()},
    )


def device(environment: dict) -> str:
    """Returns the GPUs of an environment.json, or else its cores."""
    return ", ".join(environment["gpus"] or [f"{environment['cores']} cores of {environment['processor']}"])


def numbers(place: Place) -> dict[str, Number]:
    """Returns `{measure: Number}`; without those that a quick budget does not measure."""
    left_out = place.where.quick and place.asks_for_inception
    return {} if left_out else {name: take(place) for name, take in place.cell.takes.items()}
