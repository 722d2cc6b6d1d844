"""Run directories: numbered, found, locked, described."""

import dataclasses
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from kgen.runs import directory
from tests.helpers import processes

RECIPE = recipes.find("dcgan")
IMAGES = Images(np.arange(64, dtype=np.uint8).reshape(4, 4, 4, 1), np.arange(4), ("a", "b", "c", "d"))


def test_numbers_count_up_and_gaps_are_filled_first(tmp_path):
    made = [directory.create(tmp_path / "new/runs", RECIPE) for _ in range(3)]
    assert [path.name for path in made] == [f"dcgan-mnist5k-000{i}" for i in (1, 2, 3)]
    assert [directory.read_recipe(path) for path in made] == [RECIPE] * 3
    assert directory.create(tmp_path / "new/runs", recipes.find("gan")).name == "gan-mnist5k-0001"


def test_a_folder_of_pictures_gives_a_plain_name(tmp_path):
    own = dataclasses.replace(RECIPE, dataset="folder:/some/where")
    assert directory.create(tmp_path, own).name == "dcgan-folder-0001"


CREATE = """
import sys
from kgen.core import recipe
from kgen.runs import directory
print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    print(directory.create(sys.argv[1], recipe.find("dcgan")).name)
"""


def test_two_processes_never_get_the_same_directory(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    racers = [subprocess.Popen([sys.executable, "-c", CREATE, str(tmp_path)], **pipes) for _ in range(2)]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    got = [racer.communicate()[0].split() for racer in racers]
    assert [len(names) for names in got] == [25, 25]
    assert sorted(got[0] + got[1]) == [f"dcgan-mnist5k-{i:04d}" for i in range(1, 51)]


def test_a_place_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone/away")
    for place in ("file", "file/runs", "dangling"):
        with pytest.raises(UsageError, match=f"The folder .*{place} cannot be made"):
            directory.create(tmp_path / place, RECIPE)


def test_latest_is_the_one_written_to_last(tmp_path):
    one, two, three = (directory.create(tmp_path, RECIPE) for _ in range(3))
    (tmp_path / "no run").mkdir()
    for age, run in enumerate([two, one, three]):
        for file in run.iterdir():
            os.utime(file, (1000 - age, 1000 - age))
    assert directory.find("latest", tmp_path) == two
    (one / "log.jsonl").write_text("")
    assert directory.find("latest", tmp_path) == one
    assert str(directory.find("some/where", tmp_path)) == "some/where"


@pytest.mark.parametrize("place", ["", "nowhere"])
def test_latest_of_none(place, tmp_path):
    with pytest.raises(UsageError, match="There is no run in .* Start one with --model"):
        directory.find("latest", tmp_path / place)


def test_a_lock_is_for_one(tmp_path):
    with directory.lock(tmp_path), pytest.raises(UsageError, match="being trained by another process"):
        directory.lock(tmp_path)
    with directory.lock(tmp_path):
        assert (tmp_path / ".lock").exists()


def environment(path):
    return json.loads((path / "environment.json").read_text())


def test_the_same_place_is_silent_and_the_first_description_stays(tmp_path):
    directory.write_environment(tmp_path, IMAGES)
    before = (tmp_path / "environment.json").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        directory.write_environment(tmp_path, IMAGES)
    assert (tmp_path / "environment.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["environment.json"]


@pytest.mark.parametrize("name, value", [("tensorflow", "2.19.0"), ("cores", -1), ("pillow", None)])
def test_another_version_or_machine_is_named(name, value, tmp_path):
    directory.write_environment(tmp_path, IMAGES)
    (tmp_path / "environment.json").write_text(json.dumps({**environment(tmp_path), name: value}))
    with pytest.warns(UserWarning, match=f"not bit for bit: {name} {value} -> [^;]*$"):
        directory.write_environment(tmp_path, IMAGES)
    assert environment(tmp_path)[name] == value


@pytest.mark.parametrize("images", [IMAGES.images ^ 1, IMAGES.images[:3]], ids=["other", "fewer"])
def test_other_images_are_refused(images, tmp_path):
    directory.write_environment(tmp_path, IMAGES)
    with pytest.raises(UsageError, match=r"other images \(\[4, 4, 4, 1\] then"):
        directory.write_environment(tmp_path, IMAGES._replace(images=images))


def test_shape_and_classes_of_the_images_can_be_read_back(tmp_path):
    directory.write_environment(tmp_path, IMAGES)
    assert directory.read_data(tmp_path) == ((4, 4, 4, 1), IMAGES.classes)
    (tmp_path / "environment.json").unlink()
    with pytest.raises(UsageError, match="environment.json cannot be read"):
        directory.read_data(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null"])
def test_a_damaged_description_is_named(text, tmp_path):
    (tmp_path / "environment.json").write_text(text)
    with pytest.raises(UsageError, match="environment.json is damaged"):
        directory.write_environment(tmp_path, IMAGES)


def test_a_folder_without_a_recipe_is_no_run(tmp_path):
    with pytest.raises(UsageError, match="is not a run directory: it has no recipe.json"):
        directory.read_recipe(tmp_path)
    (tmp_path / "recipe.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="recipe.json is not a recipe"):
        directory.read_recipe(tmp_path)


def test_a_package_that_is_missing_has_no_version():
    assert directory.version_of("numpy") == np.__version__
    assert directory.version_of("no-such-package-anywhere") is None


def test_only_variables_that_choose_kernels_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_VAR_db_password", "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    directory.write_environment(tmp_path, IMAGES)
    assert environment(tmp_path)["variables"]["OMP_NUM_THREADS"] == "2"
    assert "secret" not in (tmp_path / "environment.json").read_text()


def test_lines_of_a_log_are_read_and_a_file_that_is_not_there_has_none(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2, "loss": 0.5}\n')
    assert directory.read_lines(tmp_path / "log.jsonl") == [{"step": 1}, {"step": 2, "loss": 0.5}]
    assert directory.read_lines(tmp_path / "epochs.jsonl") == []


DEEP = '{"a":' * 100_000
ODD = [
    {"images": 5},
    {"images": ["a", 1, 1, 1]},
    {"images": [1, -5, 28, 1]},
    {"images": [1, 28, 28]},
    {"images": [1, 28, 28, 10**9]},
    {"images": [1, 10**9, 28, 1]},
    {"images": [1, True, 28, 1]},
    {"classes": "ab"},
    {"classes": [1, 2]},
    {"classes": None},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_odd_shapes_and_classes_of_a_run_are_refused(odd, tmp_path):
    good = {"images": [60_000, 28, 28, 1], "classes": ["a", "b"]}
    (tmp_path / "environment.json").write_text(json.dumps(good))
    assert directory.read_data(tmp_path) == ((60_000, 28, 28, 1), ("a", "b"))
    (tmp_path / "environment.json").write_text(json.dumps({**good, **odd}))
    with pytest.raises(UsageError, match="environment.json cannot be read"):
        directory.read_data(tmp_path)


@pytest.mark.parametrize(
    "make", [lambda path: path.write_text(DEEP), os.mkdir, os.mkfifo, lambda path: path.symlink_to("x")]
)
def test_what_is_no_json_object_is_refused(make, tmp_path):
    """A pipe would keep the reader waiting, and a device would fill the memory."""
    make(tmp_path / "environment.json")
    with pytest.raises(UsageError, match="environment.json is damaged"):
        directory.write_environment(tmp_path, IMAGES)
    with pytest.raises(UsageError, match="environment.json cannot be read"):
        directory.read_data(tmp_path)


def test_a_folder_in_place_of_the_lock_is_named(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(UsageError, match=".lock cannot be locked"):
        directory.lock(tmp_path)


def test_read_lines_leaves_out_what_a_kill_or_damage_left(tmp_path):
    path = tmp_path / "log.jsonl"
    assert directory.read_lines(path) == []
    damages = [b'{"st', b"null", b"5", b"[1]", b"", b"\xff\xfe", b"[" * 100_000, b"1" * 9_000, b'{"step": 2}']
    path.write_bytes(b"\n".join([b'{"step": 1}', *damages]))
    assert directory.read_lines(path) == [{"step": 1}, {"step": 2}]
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="log.jsonl is not a file"):
        directory.read_lines(path)
