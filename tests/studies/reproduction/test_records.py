"""Records survive JSON; means and spreads are numpy's; damaged ones are named."""

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.studies.reproduction import records
from kgen.studies.reproduction.numbers import Number
from kgen.studies.reproduction.records import Measured, Record


def record(seed, value, cell="a", **more):
    """Returns a record of one number."""
    return Record(table="t", cell=cell, seed=seed, values={"m": Number(value, 0.5, "standard error")}, **more)


def test_a_record_is_read_as_it_was_written(tmp_path):
    kept = record(3, [1, 2], commands=["kgen train"], seconds=1.5, pictures={"a.png": "words"})
    records.write(tmp_path / "t/a-seed3.json", kept)
    records.write(tmp_path / "t/a-0.1.0.json", record(None, 1.0))
    assert records.read(tmp_path) == [record(None, 1.0), kept]
    assert sorted(path.name for path in (tmp_path / "t").iterdir()) == ["a-0.1.0.json", "a-seed3.json"]
    assert records.read(tmp_path / "nowhere") == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"values": {"m": 1}}', '{"values": {}, "odd": 1}'])
def test_a_file_that_is_no_record_is_named(text, tmp_path):
    with pytest.raises(UsageError, match="a.json is not a record of kgen reproduce"):
        records.from_json(text, tmp_path / "a.json")


def test_mean_and_spread_over_seeds_are_those_of_numpy():
    values = np.random.default_rng(0).normal(5, 2, 4)
    found = records.measured([record(seed, float(value)) for seed, value in enumerate(values)], "t")["a", "m"]
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)
    assert found.spread == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert f"{found:.3f}" == f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def test_runs_with_seeds_take_the_place_of_others():
    kept = [record(None, 9.0), record(0, 1.0), record(1, 3.0), record(None, 7.0, "b"), record(0, 2.0, "c")]
    found = records.measured(kept, "t")
    assert {cell: each.mean for (cell, _), each in found.items()} == {"a": 2.0, "b": 7.0, "c": 2.0}
    assert records.measured(kept, "other") == {}


@pytest.mark.parametrize(
    "numbers, form, expected",
    [
        ([Number(0.5)], ".2f", "0.50"),
        ([Number(0.976, 0.001)], ".1%", "97.6 % ± 0.1 %"),
        ([Number([1, 20])], "", "1 20"),
        ([Number([1, 20]), Number([3, 4])], "", "1 20; 3 4"),
        ([Number(1234.5)], ",.0f", "1,234"),
    ],
)
def test_how_numbers_are_written(numbers, form, expected):
    assert format(Measured(numbers), form) == expected


def test_the_commit_is_that_of_this_checkout(monkeypatch, tmp_path):
    found = records.commit()
    assert found is None or len(found.removesuffix("-modified")) == 12
    (tmp_path / "kgen").mkdir()
    monkeypatch.setattr(records.kgen, "__file__", str(tmp_path / "kgen/__init__.py"))
    assert records.commit() is None
