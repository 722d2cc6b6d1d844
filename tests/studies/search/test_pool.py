"""A pool of processes loses no finished trial when killed, ends with all of its children, and says what failed."""

import os
import re
import signal

import pytest

from tests.helpers.searches import RATE, is_empty, rows, search, start, states, wait_for


@pytest.mark.slow
def test_a_killed_search_loses_no_finished_trial_and_reaches_its_total(tmp_path):
    process = start(*RATE, "--trials", 5, "--jobs", 2, "--no-train-best", cwd=tmp_path, how="slowly")
    wait_for(tmp_path, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert is_empty(process.pid)
    code, _, errors = search(*RATE, "--trials", 1, "--no-train-best", cwd=tmp_path)  # writes down what there is
    assert code == 0, errors
    _, values = states(tmp_path)
    assert values
    begun = [row for row in rows(tmp_path) if row["learning_rate"]]
    assert "RUNNING" not in {
        row["state"] for row in begun
    }  # what died was found at once, not when its heartbeat is old
    code, _, errors = search(*RATE, "--trials", 5, "--jobs", 2, "--no-train-best", cwd=tmp_path)
    assert code == 0, errors
    found, more = states(tmp_path)
    assert len(found.get("COMPLETE", []) + found.get("PRUNED", [])) == 5 and values.items() <= more.items()
    assert set(found) <= {"COMPLETE", "PRUNED", "FAIL"}
    rates = {row["number"]: row["learning_rate"] for row in rows(tmp_path)}
    for number in found.get("FAIL", []):  # what the kill cut short was tried again
        assert list(rates.values()).count(rates[str(number)]) == 2 or not rates[str(number)]


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


@pytest.mark.slow
def test_an_objective_that_no_log_has_ends_the_search_at_once(tmp_path):
    code, _, errors = search(*RATE, "--trials", 50, "--objective", "fid", cwd=tmp_path)
    assert code == 2
    assert "search.py: --objective fid is in the last line of no log; there are: a_loss, validation_a" in errors
    assert len(list(tmp_path.glob("runs/search/trial-*"))) == 1
