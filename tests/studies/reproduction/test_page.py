"""The page is what the records and tables say: committed, planted, and in whatever order the records come."""

from pathlib import Path

import pytest

from kgen.errors import UsageError
from kgen.studies.reproduction import page, records
from kgen.studies.reproduction.numbers import Number
from kgen.studies.reproduction.records import Record
from tests.helpers import reproductions

ROOT = Path(__file__).parents[3]
RECORDS = ROOT / "docs/results/records"


def record(cell, seed, value, **more):
    """Returns a record of a planted cell."""
    more = {"table": "planted", "seconds": 1.0, "values": {"fid": Number(value)}, **more}
    return Record(cell=cell, seed=seed, **more)


def planted(monkeypatch, *given):
    """Returns the page of planted tables without its introduction."""
    reproductions.plant(monkeypatch)
    return page.page(list(given), "pictures").removeprefix(page.INTRODUCTION).strip()


def test_the_committed_page_is_that_of_the_committed_records():
    assert (ROOT / "docs/results.md").read_text() == page.page(records.read(RECORDS), "results/pictures")


def test_the_readme_has_the_numbers_of_the_records():
    lines = (ROOT / "README.md").read_text().splitlines()
    rows = page.summary(records.read(RECORDS)).splitlines()
    assert len(rows) > 3 and [row for row in rows if row not in lines] == []


def test_pictures_of_records_are_there_and_all_numbers_have_one_budget():
    kept = records.read(RECORDS)
    pictures = RECORDS.parent / "pictures"
    named = {f"{each.table}-{file}" for each in kept for file in each.pictures}
    assert named == ({file.name for file in pictures.iterdir()} if pictures.is_dir() else set())
    assert {each.budget for each in kept} == {"full"}


def test_a_section_by_hand(monkeypatch):
    about = {"version": "1", "commit": "abc", "device": "2 cores of X", "date": "2026-01-01", "steps": 9, "run": "r"}
    given = [record("one", seed, value, seconds=2.0 * seed, **about) for seed, value in ((0, 1.0), (1, 2.0), (2, 6.0))]
    given[0] = record("one", 0, 1.0, seconds=0.4, pictures={"a.png": "words"}, **about)
    assert planted(monkeypatch, *given) == (
        "## Planted\n\nIt is 3.0 ± 2.6.\n\n| | report | kgen |\n|---|---|---|\n| first | 5 | 3.00 ± 2.65 |\n\n"
        "What fell short: everything.\n\n![words](pictures/planted-a.png)\n\n"
        "Again: `kgen reproduce --table planted`; the commands: `kgen reproduce --list --table planted`.\n\n"
        "| cell | seeds | steps | kgen | commit | device | seconds a seed | date |\n|---|---|---|---|---|---|---|---|\n"
        "| `one` | 0, 1, 2 | 9 | 1 | abc | 2 cores of X | 0, 2, 4 | 2026-01-01 |"
    )


def test_rows_without_a_record_are_left_out(monkeypatch):
    text = planted(monkeypatch, record("two", None, 4.0))
    assert "It is -." in text and "second | 6 | 4.00 |" in text and "first" not in text and "Again" not in text
    assert planted(monkeypatch) == ""


def test_the_page_does_not_depend_on_the_order_of_the_records(monkeypatch):
    given = [record("one", None, 1.0), record("two", None, 2.0)]
    assert planted(monkeypatch, *given) == planted(monkeypatch, *reversed(given))


def test_a_record_of_an_unknown_table_is_refused(monkeypatch):
    with pytest.raises(UsageError, match="a record of the table 'gone', which kgen reproduce does not know"):
        planted(monkeypatch, record("one", 0, 1.0, table="gone"))


@pytest.mark.parametrize("text", ["{one}", "{}", "{one[a][b]:.1f}"])
def test_what_is_not_a_reference_is_refused(text):
    with pytest.raises(ValueError, match="is not a reference such as"):
        list(page.references(text))


def test_only_the_table_of_a_readme_is_written(monkeypatch, tmp_path):
    reproductions.plant(monkeypatch)
    readme, other = tmp_path / "README.md", tmp_path / "docs/results.md"
    readme.write_text(f"# A\n\n{page.SUMMARY}\n|---|---|---|\n| old | 1 | 2 |\n\nb\n")
    page.write([record("one", 0, 2.0)], tmp_path / "docs/results/pictures", other, readme)
    assert readme.read_text() == f"# A\n\n{page.SUMMARY}\n|---|---|---|\n| quantity | 5, a report | 2.0 |\n\nb\n"
    assert other.read_text().startswith("# Results\n") and "## Planted" in other.read_text()
    readme.write_text("# A README of something else\n")
    page.write([], tmp_path, other, readme)
    page.write([], tmp_path, other, tmp_path / "none.md")
    assert readme.read_text() == "# A README of something else\n" and not (tmp_path / "none.md").exists()
