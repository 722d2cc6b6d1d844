"""Tables of planted numbers."""

import copy

from kgen.studies.benchmark import report
from kgen.studies.benchmark.results import Spread
from tests.helpers import sessions


def test_a_table_has_every_contestant_its_speed_and_the_factor():
    case = sessions.case(missing=("a_package_that_is_nowhere",))
    text = report.table(sessions.measured({"walk": case})[0])
    assert "## walk: a walk" in text
    assert "| kgen | 200 (133 to 222) | 6 | - | 3.0 s | 1 MiB |" in text
    assert "| slow | 100 (67 to 111) | 6 | 2.00 (2.00 to 2.00) | 3.0 s | 1 MiB |" in text
    assert "missing: needs a_package_that_is_nowhere: pip install a_package_that_is_nowhere." in text
    assert "Other processes" not in text


def test_a_busy_machine_is_told():
    found, _ = sessions.measured()
    found["cases"]["walk"]["runs"]["slow"][0]["others"] = 0.5
    text = report.table(found)
    assert "| slow* |" in text and "| kgen |" in text and "Other processes took more" in text


def test_where_a_step_goes():
    found, _ = sessions.measured(rounds=1)
    (run,) = found["cases"]["walk"]["runs"]["kgen"]
    run.update(where={"convolutions": 0.004}, flops=10**9, ceilings={"matrix product": 4e11})
    text = report.table(found)
    assert "| step of the run | 10.00 | 100 % |" in text and "| convolutions | 4.00 | 40% |" in text
    assert "1.00 GFLOP a step, 100 GFLOP/s: 25% of a large matrix product (400)." in text


def test_numbers_are_shown_with_three_digits():
    assert report.shown(Spread(1234.5, 1000.0, 1300.0, 3)) == "1,234 (1,000 to 1,300)"
    assert report.shown(Spread(0.01234, 0.01, 0.02, 3)) == "0.0123 (0.0100 to 0.0200)"


def test_a_comparison_tells_ratios_overlaps_and_other_machines():
    old, _ = sessions.measured()
    new = copy.deepcopy(old)
    new["environment"]["processor"] = "Q"
    for run in new["cases"]["walk"]["runs"]["kgen"]:
        run["seconds"] = [each / 4 for each in run["seconds"]]
    lines = report.comparison(new, old).splitlines()
    assert lines[2] == "| walk | kgen | 200 (133 to 222) | 800 (533 to 889) | 4.00 |"
    assert lines[3].endswith("| 1.00, ranges overlap |")
    assert lines[-1] == "Not the same machine or versions: processor P -> Q."


def test_a_comparison_without_a_common_case_says_so():
    old, _ = sessions.measured()
    assert report.comparison(old, {**old, "cases": {}}) == "No case is in both.\n"
