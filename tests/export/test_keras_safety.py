"""Only `.keras` files of nothing but weights and layers of kgen's networks are accepted."""

import json
import zipfile

import numpy as np
import pytest

from kgen import data
from kgen.backend import keras
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.export import keras_safety
from kgen.runs import build
from tests.helpers.keras_files import archive, network


def players(name, side):
    """Returns the networks of a recipe for images of a size."""
    pictures = data.Images(np.zeros((1, side, side, 1), np.uint8), np.zeros(1, np.int64), tuple("0123456789"))
    return [player.network for player in build.prepare(recipes.find(name), pictures).game.players.values()]


def demand_each_loads(name, side, folder):
    for number, player in enumerate(players(name, side)):
        player.save(folder / f"{number}.keras")
        keras_safety.demand_plain(folder / f"{number}.keras")
        again = keras.saving.load_model(folder / f"{number}.keras", compile=False)
        for mine, theirs in zip(player.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", ["dcgan", "improved-gan"])
def test_networks_of_kgen_are_accepted_and_keep_their_weights(name, tmp_path):
    demand_each_loads(name, 28, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", recipes.names())
def test_networks_of_every_recipe_are_accepted(name, tmp_path):
    try:
        demand_each_loads(name, 28, tmp_path)
    except UsageError as error:
        if "--image-size 32" not in str(error):
            raise
        demand_each_loads(name, 32, tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"class_name": "Lambda"},
        {"class_name": "function", "config": "plot_model"},
        {"module": None},  # how older files name a layer
        {"module": "keras.src.layers"},
        {"module": "os"},
        {"registered_name": "Lambda"},
        {"registered_name": "kgen>Lambda"},
        {"class_name": "BatchNorm", "registered_name": "kgen>BatchNorm", "module": "os"},
        {"class_name": ["Dense"]},
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_another_class_is_refused_at_any_depth(changed, deep):
    plain = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": None}
    odd = {**plain, **changed}
    wrapped = {**plain, "config": {"kwargs": [{"inner": odd}]}} if deep else odd
    assert list(keras_safety.refused(wrapped)) == [(str(odd["class_name"]), odd)]
    assert not list(keras_safety.refused(plain))


def rewritten(path, change):
    """Writes a `.keras` file anew with `change(archive, members)`. Returns its path."""
    network().save(path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        change(file, members)
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda file, members: members.update({"assets/words.txt": b"a"}), "it has assets/words.txt"),
        (lambda file, members: members.update({"../config.json": b"{}"}), "it has ../config.json"),
        (lambda file, members: members.pop("config.json"), "config.json"),
        (lambda file, members: file.writestr("config.json", "{}"), "a member twice"),
        (lambda file, members: members.update({"config.json": b"{"}), "it is no .keras file"),
        (lambda file, members: members.update({"config.json": b"[" * 100_000}), "it is no .keras file"),
        (lambda file, members: members.update({"config.json": bytes(16_000_001)}), "more than 16000000 bytes"),
        (lambda file, members: file.writestr("metadata.json", "{}", zipfile.ZIP_DEFLATED), "a member twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_another_archive_is_refused(change, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        keras_safety.demand_plain(rewritten(tmp_path / "net.keras", change))


def test_a_compressed_archive_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is compressed"):
        keras_safety.demand_plain(archive(tmp_path / "net.keras", compression=zipfile.ZIP_DEFLATED))


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "net.keras").write_text(json.dumps({}))
    for path in (tmp_path / "net.keras", tmp_path, tmp_path / "none.keras"):
        with pytest.raises(UsageError, match="cannot be loaded"):
            keras_safety.demand_plain(path)
