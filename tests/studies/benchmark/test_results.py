"""Ratios from planted times."""

import pytest

from kgen.studies.benchmark import results
from tests.helpers import sessions


def test_values_are_in_the_unit_of_the_case():
    found, _ = sessions.measured(rounds=1)
    entry = found["cases"]["walk"]
    seconds = [0.01, 0.015, 0.009]
    assert results.values(entry, "kgen") == pytest.approx([2 / 0.01 / 1.0, 2 / seconds[1], 2 / seconds[2]])
    assert results.spread(results.values(entry, "kgen")).median == pytest.approx(200)


def test_a_contestant_that_takes_twice_the_time_is_slower_by_its_factor():
    found, _ = sessions.measured(rounds=3)
    assert results.speedups(found["cases"]["walk"], "kgen", "slow") == pytest.approx([2.0, 2.0, 2.0])


def test_turns_that_reverse_cancel_a_machine_that_slows_down():
    found, _ = sessions.measured(rounds=2, drift=1.1)
    first, second = results.speedups(found["cases"]["walk"], "kgen", "slow")
    assert (first, second) == pytest.approx((2.2, 2 / 1.1))
    assert (first * second) ** 0.5 == pytest.approx(2.0)


def test_only_rounds_in_which_both_ran_are_compared():
    found, _ = sessions.measured(rounds=2)
    entry = found["cases"]["walk"]
    del entry["runs"]["slow"][0]
    assert results.speedups(entry, "kgen", "slow") == pytest.approx([2.0])


def test_an_amount_counts():
    entry = {"unit": "images/s", "runs": {name: [] for name in ("a", "b")}}
    for name, amount in (("a", 64), ("b", 32)):
        entry["runs"][name].append({"round": 0, "seconds": [0.5], "amount": amount})
    assert results.speedups(entry, "a", "b") == [2.0]
