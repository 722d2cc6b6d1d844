"""Where numbers are taken from, and what is said when they are not there."""

import json

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.studies.reproduction import numbers
from kgen.studies.reproduction.place import Place
from tests.helpers import reproductions


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A planted cell whose run directory is there."""
    reproductions.plant(monkeypatch)
    found = Place("planted", "one", 0, reproductions.where(tmp_path))
    found.runs()[0].mkdir(parents=True)
    return found


def write(file, *lines):
    """Writes JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_metric_is_the_last_of_its_name(place):
    line = {"spread": 0.1, "spread_is": "standard error", "found": {"sigma": 0.2}}
    judge = {"run": f"{place.where.runs_dir}/judges/judge-seed0", "real": 5}
    lines = [
        {"name": name, "value": value, "protocol": judge, **line} for name, value in (("a", 1), ("a", 2), ("b", 3))
    ]
    write(place.runs()[0] / "metrics.jsonl", *lines)
    found = numbers.metric("a", times=10)(place)
    assert (found.value, found.spread, found.spread_is) == (20, 1.0, "standard error")
    assert found.protocol == {"run": "judges/judge-seed0", "real": 5}  # no path of this machine
    assert numbers.metric("a", "sigma")(place).value == 0.2
    for take, words in ((numbers.metric("c"), "no measurement c"), (numbers.metric("a", "no"), "no finite no")):
        with pytest.raises(UsageError, match=words):
            take(place)


def test_a_metric_that_is_not_finite_is_refused_but_of_a_quick_budget(tmp_path, monkeypatch):
    reproductions.plant(monkeypatch)
    for quick in (False, True):
        place = Place("planted", "one", 0, reproductions.where(tmp_path, quick=quick))
        line = {"name": "a", "value": None, "spread": None, "spread_is": "", "protocol": {}, "found": {}}
        write(place.runs()[0] / "metrics.jsonl", line)
        if quick:
            assert numbers.metric("a")(place).value == 0
        else:
            with pytest.raises(UsageError, match="has no finite a"):
                numbers.metric("a")(place)


def test_a_figure_is_found_by_its_keys(place):
    write(place.folder / "a.json", {"rows": [{"x": 0.5, "x_error": 0.1, "none": None}]})
    found = numbers.figure("{folder}/a.json", "rows", 0, "x", times=2, error="x_error")(place)
    assert (found.value, found.spread, found.spread_is) == (1.0, 0.2, "standard error")
    for path, keys, words in (
        ("a.json", ("rows", 1, "x"), "has no rows 1 x"),
        ("a.json", ("rows", 0, "y"), "has no rows 0 y"),
        ("a.json", ("rows", 0, "none"), "has no finite none"),
        ("b.json", ("rows",), "There is no .*b.json"),
    ):
        with pytest.raises(UsageError, match=words):
            numbers.figure(f"{{folder}}/{path}", *keys)(place)


def test_folds_have_the_mean_and_deviation_of_numpy(place):
    values = [0.5, 0.7, 0.9]
    for fold, value in enumerate(values):
        write(place.folder / f"depth-1/fold-{fold}/result.json", {"test_accuracy": value})
    found = numbers.folds("{folder}/depth-1", "test_accuracy")(place)
    assert (found.value, found.spread) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert found.n == 3 and "3 folds" in found.spread_is
    with pytest.raises(UsageError, match="has no two folds"):
        numbers.folds("{folder}/depth-2", "test_accuracy")(place)


def test_the_greatest_measurement_of_a_run_names_how_it_was_chosen(place):
    def line(step, value, name="parzen_report003"):
        protocol = {"reference": "test"}
        return {"step": step, "name": name, "value": value, "spread": 0.5, "spread_is": "s", "protocol": protocol}

    write(
        place.runs()[-1] / "metrics.jsonl", line(1, 3.0), line(2, 7.0), line(3, 5.0), line(4, 9.0, "o"), line(5, None)
    )
    found = numbers.greatest("parzen_report003")(place)
    assert (found.value, found.spread, found.spread_is) == (7.0, 0.5, "s")
    assert found.protocol == {"reference": "test", "chosen": "greatest of 3 evaluations on test", "step": 2}
    with pytest.raises(UsageError, match="metrics.jsonl has no measurement fid"):
        numbers.greatest("fid")(place)


def test_the_least_loss_is_that_of_the_best_epoch(place):
    write(place.runs()[-1] / "epochs.jsonl", {"loss": 3}, {"loss": 1}, {"other": 0}, {"loss": 2})
    assert numbers.least_loss("loss")(place).value == 1
    with pytest.raises(UsageError, match="epochs.jsonl has no finite none"):
        numbers.least_loss("none")(place)
