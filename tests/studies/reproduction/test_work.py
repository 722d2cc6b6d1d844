"""Cells are resumed, shared under locks, and told when they fail; a quick budget keeps no record."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

import kgen
from kgen.studies.reproduction import records, work
from kgen.studies.reproduction.place import Place, places
from tests.helpers import reproductions

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    """Plants the tables."""
    reproductions.plant(monkeypatch)


def played(where, commands, tables=("planted",)):
    """Returns `(outcomes, what was said)` of planted tables."""
    said = []
    return work.work(places(list(tables), where), commands, said.append), said


def names(commands):
    """Returns the commands that were called."""
    return [words[0] for words in commands.called]


def test_a_cell_runs_its_commands_and_keeps_a_record_of_each_seed(tmp_path):
    where, commands = reproductions.where(tmp_path), reproductions.Commands()
    found, _ = played(where, commands)
    assert set(found.values()) == {work.DONE} and len(found) == 5  # three seeds, the need, and the cell that needs it
    assert names(commands) == ["train", "evaluate"] * 3 + ["train"] + ["train", "evaluate"]
    seeds = [words[words.index("--seed") + 1] for words in commands.called if words[0] == "train"]
    assert seeds == ["0", "1", "2", "0", "4"]
    kept = {(record.cell, record.seed): record for record in records.read(where.records)}
    assert {key: record.values["fid"].value for key, record in kept.items() if key[0] != "judge"} == {
        ("one", 0): 10, ("one", 1): 11, ("one", 2): 12, ("two", 4): 14,
    }  # fmt: skip
    one = kept["one", 1]
    assert (one.steps, one.images_sha256, one.device, one.version) == (9, "abc", "2 cores of planted", kgen.__version__)
    assert (where.pictures / "planted-a.png").read_bytes() == b"picture"  # of the first seed
    assert [kept["one", seed].pictures for seed in (0, 1)] == [{"a.png": "a picture"}, {}]
    assert str(tmp_path) not in where.records.joinpath("planted/one-seed1.json").read_text()


def test_what_is_recorded_is_not_run_again(tmp_path):
    where, again = reproductions.where(tmp_path), reproductions.Commands()
    played(where, reproductions.Commands())
    before = {file: file.read_bytes() for file in where.records.rglob("*.json")}
    found, _ = played(where, again)
    assert set(found.values()) == {work.KEPT} and again.called == []
    assert {file: file.read_bytes() for file in where.records.rglob("*.json")} == before


def test_a_record_alone_is_enough_but_for_a_need(tmp_path):
    where, again = reproductions.where(tmp_path), reproductions.Commands()
    played(where, reproductions.Commands(), ("planted", "judges"))
    moved = reproductions.where(tmp_path)
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    (where.records / "planted/two-seed4.json").unlink()
    judge = (where.records / "judges/judge-seed0.json").read_bytes()
    found, _ = played(moved, again, ("judges", "planted"))
    assert [words[words.index("--seed") + 1] for words in again.called if words[0] == "train"] == ["0", "4"]
    assert found["planted/one-seed0"] == work.KEPT and found["planted/two-seed4"] == work.DONE
    assert (where.records / "judges/judge-seed0.json").read_bytes() == judge


def test_an_interrupted_cell_goes_on(tmp_path):
    where = reproductions.where(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        played(where, reproductions.Commands({"train": [130]}))
    assert not where.records.exists()
    again = reproductions.Commands()
    played(where, again)
    run = where.runs_dir / "planted/one-seed0/train-1/gan-mnist5k-0001"
    assert again.called[0][:3] == ["train", "--resume", str(run)]
    assert names(again)[:3] == ["train", "evaluate", "train"]
    log = [json.loads(line) for line in (run.parents[1] / "commands.jsonl").read_text().splitlines()]
    ended = [("train", 130), ("train", 0), ("evaluate", 0)]
    begun_and_ended = [pair for name, code in ended for pair in ((name, None), (name, code))]
    assert [(line["text"].split()[0], line["code"]) for line in log] == begun_and_ended


def test_commands_that_ended_well_are_not_repeated(tmp_path):
    where = reproductions.where(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        played(where, reproductions.Commands({"evaluate": [130]}))
    again = reproductions.Commands()
    played(where, again)
    assert names(again)[:2] == ["evaluate", "train"]


def test_a_run_directory_that_a_kill_left_empty_is_made_anew(tmp_path):
    where, commands = reproductions.where(tmp_path), reproductions.Commands()
    Place("planted", "one", 0, where).runs()[0].mkdir(parents=True)
    found, _ = played(where, commands)
    assert found["planted/one-seed0"] == work.DONE and "--resume" not in commands.called[0]


def test_a_failed_cell_is_told_and_the_others_go_on(tmp_path):
    commands = reproductions.Commands({"evaluate": [2]})
    found, said = played(reproductions.where(tmp_path), commands)
    assert [name for name, became in found.items() if became == work.FAILED] == ["planted/one-seed0"]
    (words,) = [words for words in said if ": failed after" in words]
    assert words.endswith("kgen evaluate ended with exit code 2: evaluate says something")
    assert not (tmp_path / "records/planted/one-seed0.json").exists()


def test_a_cell_whose_need_failed_says_so(tmp_path):
    where = reproductions.where(tmp_path)
    found, said = played(where, reproductions.Commands({"train": [0, 0, 0, 3]}))
    assert found["judges/judge-seed0"] == found["planted/two-seed4"] == work.FAILED
    assert said[-1].endswith("it needs judges/judge-seed0, which failed")


def test_a_number_that_is_missing_fails_the_cell(tmp_path):
    trains = reproductions.Commands()
    run = lambda words, output: trains(words, output) if words[0] == "train" else 0  # noqa: E731
    found, said = played(reproductions.where(tmp_path), run)
    assert found["planted/one-seed0"] == work.FAILED and "has no measurement fid" in said[1]


def test_a_folder_of_other_commands_is_refused(tmp_path):
    where = reproductions.where(tmp_path)
    folder = Place("planted", "one", 0, where).folder
    folder.mkdir(parents=True)
    (folder / "commands.jsonl").write_text('{"text": "train --model wgan", "code": 0, "seconds": 1}\n')
    found, said = played(where, reproductions.Commands())
    assert found["planted/one-seed0"] == work.FAILED and "was begun by other commands: remove it" in said[1]


def test_inception_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(Place, "asks_for_inception", True)
    commands = reproductions.Commands()
    found, said = played(reproductions.where(tmp_path), commands)
    assert set(found.values()) == {work.FAILED} and commands.called == []
    assert said[0].endswith("it needs --inception FILE, the weights of the 2015 Inception")


def test_a_cell_that_another_process_runs_is_left_to_it(tmp_path):
    where, commands = reproductions.where(tmp_path), reproductions.Commands()
    folder = Place("planted", "one", 1, where).folder
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        found, _ = played(where, commands)
    assert [name for name, became in found.items() if became == work.ELSEWHERE] == ["planted/one-seed1"]
    assert not any("one-seed1" in " ".join(words) for words in commands.called)
    assert played(where, commands)[0]["planted/one-seed1"] == work.DONE


@pytest.mark.slow
def test_two_processes_share_the_work(tmp_path):
    call = [sys.executable, reproductions.__file__, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    told = [json.loads(process.communicate()[0].splitlines()[-1]) for process in both]
    assert sum(each["calls"] for each in told) == 9  # each command once
    assert len(records.read(tmp_path / "records")) == 5
    assert work.FAILED not in {became for each in told for became in each["outcomes"].values()}


def test_a_quick_budget_keeps_no_record(tmp_path):
    where, commands = reproductions.where(tmp_path, quick=True), reproductions.Commands()
    found, _ = played(where, commands)
    assert sorted(found) == ["judges/judge-seed0", "planted/one-seed0", "planted/two-seed4"]
    assert set(found.values()) == {work.DONE} and not where.records.exists() and not where.pictures.exists()
    assert all(str(where.runs_dir / "quick") in " ".join(words) for words in commands.called)


def test_a_command_runs_as_a_process(tmp_path):
    output = tmp_path / "output.txt"
    assert work.as_process(["completion", "bash"], output) == 0
    assert work.as_process(["trian"], output) == 2
    assert "There is no command 'trian'. Did you mean train?" in work.last_line(output)


def test_ctrl_c_is_handed_on_and_waited_for(tmp_path, monkeypatch):
    script = (
        "import sys, time\ntry: print('ready', flush=True); time.sleep(60)\nexcept KeyboardInterrupt: sys.exit(130)"
    )
    monkeypatch.setattr(work, "MAIN", script)
    output = tmp_path / "output.txt"
    output.touch()

    def interrupt():
        while "ready" not in output.read_text():
            pass
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # it is ignored if a shell has begun the tests by &
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        assert work.as_process([], output) == 130
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_device_is_the_gpus_or_the_cores():
    found = {"gpus": ["H200", "H200"], "cores": 4, "processor": "X"}
    assert work.device(found) == "H200, H200"
    assert work.device({**found, "gpus": []}) == "4 cores of X"


def test_seconds_are_not_known_after_a_kill(tmp_path):
    log = tmp_path / "commands.jsonl"
    for line in ({"text": "train", "code": None}, {"text": "train", "code": 0, "seconds": 2.5}):
        work.note(log, **line)
    assert work.seconds(log) == 2.5
    log.write_text('{"text": "train", "code": null}\n' + log.read_text())  # it was begun before, and killed
    assert work.seconds(log) is None
