"""Where cells lie, and how their commands are filled in."""

from pathlib import Path

import pytest

from kgen.studies.reproduction import table
from kgen.studies.reproduction.place import Place, Where, first_cells, places
from kgen.studies.reproduction.table import Cell, Command, Table
from tests.helpers import reproductions


@pytest.fixture
def chained(monkeypatch):
    """A cell of two trainings, one of which begins with the other, and of a judge of another table."""
    commands = (
        Command("train --model autoencoder-basic --dataset mnist"),
        Command("train --model gan --start-from {run1}"),
        Command("evaluate --run {run} --classifier {judge} --inception {inception} --seed {seed}"),
    )
    cells = {"chained": Cell(commands, {}, (0, 3), {"judge": "judges/judge"})}
    tables = {"chains": Table(1, "Chains", "", cells=cells), "judges": reproductions.TABLES["judges"]}
    monkeypatch.setattr(table, "all_tables", lambda: tables)


def test_commands_are_filled_in(chained):
    place = Place("chains", "chained", 3, Where(Path("r"), Path("records"), Path("D"), Path("i.npz")))
    own = "r/chains/chained-seed3"
    assert [" ".join(words) for words in place.filled()] == [
        f"train --model autoencoder-basic --dataset mnist --seed 3 --exports-dir {own}/exports "
        f"--runs-dir {own}/train-1 --data-dir D",
        f"train --model gan --start-from {own}/train-1/autoencoder-basic-mnist-0001 --seed 3 "
        f"--exports-dir {own}/exports --runs-dir {own}/train-2 --data-dir D",
        f"evaluate --run {own}/train-2/gan-mnist5k-0001 --classifier r/judges/judge-seed0/train-1/gan-mnist5k-0001 "
        "--inception i.npz --seed 3",
    ]
    assert place.asks_for_inception and place.record == Path("records/chains/chained-seed3.json")


def test_for_others_folders_have_common_names(chained):
    there = Where(Path("/home/x/r"), Path("/home/x/records"), Path("/home/x/D"), Path("/home/x/i.npz"))
    text = "\n".join(Place("chains", "chained", 0, there).anywhere().shown())
    assert "/home" not in text and text.startswith("kgen train") and "--data-dir DIR" in text
    assert "--inception INCEPTION.npz" in text and "runs/reproduce/chains/chained-seed0" in text


def test_a_quick_budget_lies_apart_and_has_one_seed(chained):
    where = Where(Path("r"), Path("records"), quick=True)
    every = places(["chains", "judges"], where)
    assert [place.id for place in every] == ["chains/chained-seed0", "judges/judge-seed0"]
    assert every[0].folder == Path("r/quick/chains/chained-seed0") and not every[0].recorded
    assert len(places(["chains"], Where(Path("r"), Path("records")))) == 2


def test_the_first_cell_of_each_table(monkeypatch):
    reproductions.plant(monkeypatch)
    every = places(["planted", "judges"], Where(Path("r"), Path("records"), quick=True))
    assert [place.id for place in first_cells(every)] == ["planted/one-seed0", "judges/judge-seed0"]


def test_pictures_are_those_of_the_first_seed(monkeypatch):
    reproductions.plant(monkeypatch)
    where = Where(Path("r"), Path("docs/results/records"))
    assert [list(Place("planted", "one", seed, where).pictures()) for seed in (0, 1)] == [["a.png"], []]
    assert where.pictures == Path("docs/results/pictures")
