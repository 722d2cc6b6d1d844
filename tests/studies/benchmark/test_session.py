"""A session: whose turn it is, who is left out, and a real process."""

import copy

import pytest

from kgen.studies.benchmark import session
from kgen.studies.benchmark.case import ONCE, Contestant
from tests.helpers import sessions


def test_every_second_round_is_reversed():
    _, asked = sessions.measured(rounds=3)
    assert asked == [0.01, 0.02, 0.02, 0.01, 0.01, 0.02]


def test_a_rival_that_is_not_installed_is_told_and_not_started():
    case = sessions.case(missing=("a_package_that_is_nowhere",), graphs=("gpu",))
    found, asked = sessions.measured({"walk": case}, rounds=1)
    assert asked == [0.01, 0.02]
    assert found["cases"]["walk"]["skipped"] == {
        "missing": "needs a_package_that_is_nowhere: pip install a_package_that_is_nowhere",
        "graphs": "needs a GPU",
    }


def test_rivals_that_are_not_asked_for_are_not_told():
    case = sessions.case(missing=("a_package_that_is_nowhere",))
    found, asked = sessions.measured({"walk": case}, rounds=1, against=("slow",))
    assert asked == [0.01, 0.02] and found["cases"]["walk"]["skipped"] == {}


def test_a_contestant_that_failed_is_told_and_not_started_again():
    found, asked = sessions.measured(rounds=3, fails=(0.02,))
    assert asked == [0.01, 0.02, 0.01, 0.01]
    assert found["cases"]["walk"]["skipped"] == {"slow": "failed: It broke."}


def test_numbers_are_saved_after_each_process():
    saved = []
    found, _ = sessions.measured(rounds=2, saved=lambda so_far: saved.append(copy.deepcopy(so_far)))
    assert [sum(map(len, each["cases"]["walk"]["runs"].values())) for each in saved] == [1, 2, 3, 4]
    assert saved[-1] == found


def test_a_process_is_timed_and_weighed():
    found = session.launch(
        Contestant("tests.helpers.worker_contestant:sleeps", {"seconds": 0.2, "megabytes": 200}), ONCE
    )
    assert found["seconds"][0] >= 0.2 and found["first"] > found["seconds"][0]
    assert 200e6 < found["peak_memory"] < 600e6
    assert found["amount"] == 3 and found["others"] is None or found["others"] >= 0


def test_what_a_process_died_of_is_said():
    with pytest.raises(session.Failed, match="ValueError: no more"):
        session.launch(Contestant("tests.helpers.worker_contestant:fails"), ONCE)
