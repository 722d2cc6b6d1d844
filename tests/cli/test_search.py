"""scripts/search.py: what it leaves, how it goes on after signals and kills, a sentence for every mistake."""

import csv
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from tests.helpers import processes

SEARCH = processes.SCRIPTS / "search.py"
FREE = "--minutes-weight 0 --latent-weight 0".split()
RATE = ["--vary", "learning_rate=1e-4..1e-2:log", *FREE]
TINY = "--channels 4 --kernels 3 --strides 2 --paddings 1 --units 8 --steps 2 --log-every 1 --sample-every 2".split()


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


# What it leaves.


@pytest.mark.slow
def test_a_search_goes_on_to_its_total_and_trains_the_best(tmp_path):
    code, out, errors = search(*RATE, "--trials", 1, "--no-train-best", cwd=tmp_path)
    assert code == 0, errors
    before, values = states(tmp_path)
    assert before == {"COMPLETE": [0]}
    assert not list(tmp_path.glob("runs/autoencoder-*")) and "export" not in out
    code, out, errors = search(*RATE, "--trials", 3, "--jobs", 2, "--exports-dir", "there", cwd=tmp_path)
    assert code == 0, errors
    after, more = states(tmp_path)
    assert after == {"COMPLETE": [0, 1, 2]} and values.items() <= more.items()
    assert len({row["learning_rate"] for row in rows(tmp_path)}) == 3  # no two processes draw the same
    best = min(more.values(), key=lambda pair: float(pair[0]))
    found = {name.strip(): value.strip() for name, value in (line.split("  ", 1) for line in out.splitlines())}
    assert float(found["value"]) == pytest.approx(float(best[0]), rel=1e-4)
    assert (found["run"], found["export"]) == ("runs/autoencoder-mnist5k-0001", "there")
    folder = tmp_path / "runs/search"
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {"study.db", "trials.csv", "history.png", "best.json", "best_run.txt", "training.png"}
    assert json.loads((folder / "best.json").read_text())["learning_rate"] == float(best[1])
    assert errors.count("\n") < 10 and "Warning" not in errors and "best" in errors


@pytest.mark.slow
def test_the_reports_space_is_searched_by_default(tmp_path):
    code, _, errors = search("--trials", 4, "--jobs", 2, "--no-train-best", cwd=tmp_path)
    assert code == 0, errors
    assert len(rows(tmp_path)) == 4 and {"convolutions", "channels_2", "patience", "prunes"} <= rows(tmp_path)[0].keys()
    for row in rows(tmp_path):
        assert bool(row["refused"]) != (tmp_path / f"runs/search/trial-{int(row['number']):04d}").exists()


# Signals, kills, failures.


@pytest.mark.slow
def test_a_killed_search_loses_no_finished_trial_and_reaches_its_total(tmp_path):
    process = start(*RATE, "--trials", 5, "--jobs", 2, "--no-train-best", cwd=tmp_path, how="slowly")
    wait_for(tmp_path, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert is_empty(process.pid)
    begun = time.monotonic()
    code, _, errors = search(*RATE, "--trials", 1, "--no-train-best", cwd=tmp_path)  # writes down what there is
    assert code == 0, errors
    _, values = states(tmp_path)
    assert values
    code, _, errors = search(*RATE, "--trials", 5, "--jobs", 2, "--no-train-best", cwd=tmp_path)
    assert code == 0, errors
    found, more = states(tmp_path)
    assert len(found.get("COMPLETE", []) + found.get("PRUNED", [])) == 5 and values.items() <= more.items()
    assert set(found) <= {"COMPLETE", "PRUNED", "FAIL"}
    rates = {row["number"]: row["learning_rate"] for row in rows(tmp_path)}
    for number in found.get("FAIL", []):  # what the kill cut short was tried again
        assert list(rates.values()).count(rates[str(number)]) == 2 or not rates[str(number)]
    assert time.monotonic() - begun < 110  # nobody waited for a heartbeat


@pytest.mark.slow
@pytest.mark.parametrize("number, whole", [(signal.SIGINT, True), (signal.SIGTERM, False)], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_ends_all_processes_and_says_how_to_go_on(number, whole, tmp_path):
    process = start(*RATE, "--trials", 50, "--jobs", 2, cwd=tmp_path, how="slowly")
    wait_for(tmp_path, 1)
    os.killpg(process.pid, number) if whole else process.send_signal(number)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert re.search(r"^Stopped with \d+ of 50 trials\. Go on: the same command again\.$", out, re.M)
    assert is_empty(process.pid)
    assert "RUNNING" not in states(tmp_path)[0] and not list(tmp_path.glob("runs/search/.output*"))


@pytest.mark.slow
def test_processes_that_die_end_the_search_with_a_sentence(tmp_path):
    code, out, errors = search(*RATE, "--trials", 50, cwd=tmp_path, how="to_death")
    assert code == 2 and out == ""
    assert "3 trials in a row failed, the last with exit code 9: it said nothing" in errors


@pytest.mark.slow
def test_trials_that_fail_end_the_search_with_their_words(tmp_path):
    code, _, errors = search(*RATE, "--trials", 50, "--jobs", 2, cwd=tmp_path, how="wrongly")
    assert code == 2
    assert "the last with exit code 1: RuntimeError: bees in the disk. See runs/search/failed.txt." in errors
    assert "Traceback" not in errors and "Traceback" in (tmp_path / "runs/search/failed.txt").read_text()


def test_an_objective_that_no_log_has_ends_the_search_at_once(tmp_path):
    code, _, errors = search(*RATE, "--trials", 50, "--objective", "fid", cwd=tmp_path)
    assert code == 2
    assert "search.py: --objective fid is in the last line of no log; there are: a_loss, validation_a" in errors
    assert len(list(tmp_path.glob("runs/search/trial-*"))) == 1


# Mistakes.


@pytest.mark.parametrize(
    "line, words",
    [
        ("--trials 0", "--trials and --jobs must be at least 1."),
        ("--jobs 0", "--trials and --jobs must be at least 1."),
        ("--study a/b", "--study must be the name of a folder, not 'a/b'."),
        ("--study ..", "--study must be the name of a folder, not '..'."),
        ("--vary learning_rate", "--vary learning_rate cannot be read"),
        ("--vary latent_dm=1..2", "Did you mean latent_dim?"),
        ("--model dcgan", "The recipe dcgan has no space of its own: name what to search with --vary."),
        ("--model dcgan --vary l2=0..1", "name with --objective a number"),
        ("--model nothing", "no model 'nothing'"),
        ("--hopeless nan", "--hopeless must be a finite number, not nan."),
        ("--latent-dim 8", "--latent-dim is searched by autoencoder's own space"),
        ("--steps 0", "--steps must be at least 1, not 0."),
    ],
)
def test_a_mistake_is_a_sentence(line, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run sets its own
    monkeypatch.setattr(sys, "argv", ["search.py", *line.split()])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SEARCH), run_name="__main__")
    out, errors = capsys.readouterr()
    assert (end.value.code, out) == (2, "") and words in " ".join(errors.split())
    assert not list(tmp_path.iterdir())


def test_help_needs_no_optuna_and_a_missing_one_is_named(tmp_path):
    hide = "import runpy, sys; sys.modules['optuna'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], "
    hide += "run_name='__main__')"
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    for arguments, code, words in ((["--help"], 0, "--vary"), ([], 2, 'pip install -e ".[lab]"')):
        command = [sys.executable, "-c", hide, str(SEARCH), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == code and words in done.stdout + done.stderr


# With networks.


@pytest.mark.slow
def test_autoencoders_are_searched_trained_and_exported(tmp_path):
    arguments = [*TINY, *RATE, "--jobs", 2, "--exports-dir", "exports"]
    for trials in (3, 4, 4):
        out, _ = processes.finish(processes.start(*arguments, "--trials", trials, cwd=tmp_path, script="search.py"))
    assert len(rows(tmp_path)) == 4 and len(list((tmp_path / "exports").glob("*/*"))) <= 2
    assert (tmp_path / "exports/autoencoder-mnist5k/1/saved_model.pb").is_file()
    for row in rows(tmp_path):
        assert 0 < float(row["loss"]) < 1 and float(row["value"] or row["loss"]) == float(row["loss"])
        kept = tmp_path / f"runs/search/trial-{int(row['number']):04d}/fold-0"
        assert {path.name for path in kept.iterdir()} == {"recipe.json", "log.jsonl", "epochs.jsonl"}
    assert "exports/autoencoder-mnist5k/1" in out


@pytest.mark.slow
def test_a_gan_is_searched_by_a_number_of_its_logs(tmp_path):
    small = "--model dcgan --width 4 --latent-dim 8 --batch-size 8 --steps 3 --log-every 3 --sample-every 3".split()
    asked = "--vary beta1=0.1..0.9 --objective sample_distance --maximize --trials 2 --no-train-best".split()
    processes.finish(processes.start(*small, *asked, *FREE, cwd=tmp_path, script="search.py"))
    assert [row["state"] for row in rows(tmp_path)] == ["COMPLETE"] * 2
    assert all(float(row["value"]) > 0 for row in rows(tmp_path))
