"""kgen bench on planted times: tables, the file, the comparison, mistakes."""

import json

import pytest

from kgen.studies.benchmark import cases, session
from tests.helpers import sessions


@pytest.fixture
def planted(monkeypatch):
    """Makes `kgen bench` measure planted times of one case; returns a function that takes another `launch`."""
    measure = session.measure

    def plant(launch):
        monkeypatch.setattr(cases, "all_cases", lambda: {"walk": sessions.case()})
        monkeypatch.setattr(session, "measure", lambda *given: measure(*given, launch))

    plant(sessions.launcher([]))
    return plant


def test_tables_and_the_file(call, planted, tmp_path):
    code, out, err = call("bench", "walk", "--rounds", "2", "--out", "new.json")
    assert code == 0, err
    assert "| slow | 100 (67 to 111) | 6 | 2.00 (2.00 to 2.00) |" in out
    assert err.splitlines()[0] == "walk, round 1 of 2: kgen"
    kept = json.loads((tmp_path / "new.json").read_text())
    assert kept["environment"] == sessions.ENVIRONMENT and kept["cases"]["walk"]["unit"] == "images/s"
    runs = kept["cases"]["walk"]["runs"]["kgen"]
    assert [run["round"] for run in runs] == [0, 1] and [len(run["seconds"]) for run in runs] == [3, 3]
    assert {"first", "peak_memory", "others", "amount"} <= set(runs[0])
    assert [path.name for path in tmp_path.iterdir()] == ["new.json"]


def test_a_comparison_with_itself_is_even(call, planted):
    call("bench", "--out", "old.json")
    code, out, _ = call("bench", "--compare", "old.json")
    assert code == 0 and out.count("| 1.00, ranges overlap |") == 2 and "Not the same machine" not in out


def test_a_contestant_that_failed_makes_the_exit_code_1(call, planted):
    planted(sessions.launcher([], fails=(0.02,)))
    code, out, _ = call("bench")
    assert code == 1 and "slow: failed: It broke.." not in out and "slow: failed: It broke." in out


def test_what_was_measured_before_an_interruption_is_printed(call, planted):
    calls = []

    def launch(contestant, timing):
        calls.append(contestant)
        if len(calls) == 3:  # the machine, kgen, and then the rival
            raise KeyboardInterrupt
        return sessions.launcher([])(contestant, timing)

    planted(launch)
    code, out, _ = call("bench")
    assert code == 130 and "| kgen | 200 " in out and "slow" not in out


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["nothing"], "There is no case 'nothing'. There are: walk."),
        (["--rounds", "0"], "--rounds must be at least 1, not 0."),
        (["--against", "jax"], "There is no rival 'jax' in these cases. There are: slow."),
        (["--out", "no/where.json"], "there is no folder no"),
        (["--compare", "nowhere.json"], "nowhere.json is not a file."),
        (["--compare", "other.json"], "--compare other.json is not a file that kgen bench --out wrote."),
    ],
)
def test_mistakes_in_bench(flags, sentence, call, planted, tmp_path):
    (tmp_path / "other.json").write_text("[1]")
    code, out, err = call("bench", *flags)
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1
