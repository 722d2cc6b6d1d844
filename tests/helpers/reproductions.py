"""Planted tables of results, and commands that write what cells read, in no time.

`python reproductions.py FOLDER` runs the planted cells as `kgen reproduce` does, each command taking a moment.
"""

import json
import sys
import time
from pathlib import Path

from kgen.studies.reproduction import table, work
from kgen.studies.reproduction.numbers import metric
from kgen.studies.reproduction.place import Where, places
from kgen.studies.reproduction.table import Cell, Command, Table

TRAIN, MEASURE = Command("train --model gan --steps 9", "--steps 2"), Command("evaluate --run {run} --metrics fid")
PICTURE = {"a.png": ("{folder}/a.png", "a picture")}
FID = {"fid": metric("fid")}
CELLS = {
    "one": Cell((TRAIN, MEASURE), FID, pictures=PICTURE),
    "two": Cell((TRAIN, MEASURE), FID, (4,), {"judge": "judges/judge"}),
}
TABLES = {
    "planted": Table(
        1,
        "Planted",
        "a report",
        before="It is {one[fid]:.1f}.",
        columns=("", "report", "kgen"),
        rows=(("first", "5", "{one[fid]:.2f}"), ("second", "6", "{two[fid]:.2f}")),
        short="everything.",
        cells=CELLS,
        summary=(("quantity", "5, a report", "{one[fid]:.1f}"),),
    ),
    "judges": Table(2, "Judges", "ours", cells={"judge": Cell((TRAIN,), {}, (0,))}),
}


def plant(monkeypatch):
    """Puts the planted tables in place of those of the package."""
    monkeypatch.setattr(table, "all_tables", lambda: TABLES)


def where(folder, **more):
    """Returns the folders of planted cells."""
    return Where(Path(folder) / "runs", Path(folder) / "records", **more)


class Commands:
    """Runs commands: writes their files, remembers their words, and ends with the exit codes of `codes` in turn.

    Args:
        codes: `{command: [exit code, ...]}`; without, or beyond, it is 0.
        moment: seconds that each takes.
    """

    def __init__(self, codes=None, moment=0.0):
        self.codes, self.moment, self.called = codes or {}, moment, []

    def __call__(self, words, output):
        self.called.append(words)
        with output.open("a") as file:
            file.write(f"{words[0]} says something\n")
        time.sleep(self.moment)
        left = self.codes.get(words[0])
        code = left.pop(0) if left else 0
        flags = dict(zip(words, words[1:], strict=False))
        if words[0] == "train":
            run = Path(flags.get("--resume") or f"{flags['--runs-dir']}/gan-mnist5k-0001")
            run.mkdir(parents=True, exist_ok=True)
            (run / "recipe.json").write_text("{}")
            found = {"gpus": [], "cores": 2, "processor": "planted", "images_sha256": "abc"}
            (run / "environment.json").write_text(json.dumps(found))
            (run / "log.jsonl").write_text('{"step": 9}\n')
            (run.parent.parent / "a.png").write_bytes(b"picture")
        if words[0] == "evaluate" and not code:
            seed = int(Path(flags["--run"]).parents[1].name[-1])
            line = {"name": "fid", "value": 10.0 + seed, "spread": None, "spread_is": "", "protocol": {}, "found": {}}
            with (Path(flags["--run"]) / "metrics.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
        return code


if __name__ == "__main__":
    table.all_tables = lambda: TABLES
    commands = Commands(moment=0.2)
    outcomes = work.work(places(["planted", "judges"], where(sys.argv[1])), commands, lambda words: None)
    print(json.dumps({"outcomes": outcomes, "calls": len(commands.called)}))
