"""Every table of the registry: its references, needs, seeds and command lines; and names that are not there."""

import importlib

import pytest

from kgen.cli import parsing
from kgen.errors import UsageError
from kgen.studies.reproduction import page, records, table
from kgen.studies.reproduction.place import Where, places
from kgen.studies.reproduction.table import Cell, Command, Table
from tests.helpers import reproductions
from tests.studies.reproduction.test_page import RECORDS

NAMES = list(table.all_tables())
SOME = ("autoencoders", "hybrids", "cifar10")  # tables whose command lines are read by default


def texts(own):
    """Returns all texts of a table that may have references."""
    return [own.before, own.after, *(text for row in (*own.rows, *own.summary) for text in row)]


def first_seeds(every):
    """Returns the places of each cell's first seed."""
    return [place for place in every if place.seed == place.cell.seeds[0]]


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_table_is_taken_by_a_cell_or_recorded(name):
    own = table.find(name)
    recorded = set(records.measured(records.read(RECORDS), name))
    known = {(cell, measure) for cell, each in own.cells.items() for measure in each.takes} | recorded
    asked = [pair[1:3] for text in texts(own) for pair in page.references(text) if pair[1]]
    assert set(asked) <= known
    assert all(len(row) == len(own.columns) for row in own.rows)


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_is_shown_unless_others_need_it(name):
    own = table.find(name)
    needs = {
        need for each in table.all_tables().values() for cell in each.cells.values() for need in cell.needs.values()
    }
    shown = {pair[1] for text in texts(own) for pair in page.references(text)}
    hidden = [cell for cell, each in own.cells.items() if cell not in shown and not each.pictures]
    assert [cell for cell in hidden if f"{name}/{cell}" not in needs] == []


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in SOME)) for name in NAMES])
@pytest.mark.parametrize("quick", [False, True])
def test_every_command_line_is_understood(name, quick, tmp_path):
    where = Where(tmp_path / "runs", tmp_path / "records", tmp_path, tmp_path / "i.npz", quick)
    for place in first_seeds(places([name], where)):
        assert len(place.cell.seeds) == len(set(place.cell.seeds)) and place.needs().keys() == place.cell.needs.keys()
        for command, *words in place.filled():
            if command == "train":
                recipe = parsing.parse_training(words).recipe
                assert recipe.seed == place.seed and (recipe.steps <= 4 or not quick)
            elif command != "finetune":  # whose flags depend on a run
                parsing.parse(importlib.import_module(f"kgen.cli.{command}").Options, words)


def test_tables_stand_in_the_order_of_the_page():
    orders = [own.order for own in table.all_tables().values()]
    assert orders == sorted(set(orders))


def test_an_unknown_table_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="no table 'autoencoder'. Did you mean autoencoders. There are: digits, "):
        table.find("autoencoder")


def test_a_need_has_the_same_seed_or_the_first(monkeypatch):
    cells = {"cell": Cell((), {}, (3, 5))}
    monkeypatch.setattr(table, "all_tables", lambda: {"a": Table(1, "A", "", cells=cells)})
    assert [table.needed("a/cell", seed) for seed in (5, 7)] == [("a", "cell", 5), ("a", "cell", 3)]


def test_a_command_has_a_name_and_words():
    command = Command("train --model gan --dataset 'folder:a b'")
    assert (command.name, command.words[-1]) == ("train", "folder:a b")
    assert reproductions.TRAIN.words[:3] == ["train", "--model", "gan"]
