"""Checkpoints of a trainer: what they hold, which are kept, which are refused. Kills are in test_resume.py."""

import dataclasses
import hashlib
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from kgen.core import recipe as recipes
from kgen.errors import Diverged, UsageError
from kgen.runs import build, checkpoint
from tests.helpers.recipes import pictures

SMALL = dataclasses.replace(recipes.find("dcgan"), width=2, latent_dim=4, batch_size=4)


@pytest.fixture(scope="module")
def trainer():
    return build.prepare(dataclasses.replace(SMALL, ema=0.9), pictures())


def state(trainer):
    return {key: np.asarray(variable.numpy()) for key, variable in checkpoint.variables(trainer).items()}


def test_the_file_holds_every_tensor_bit_for_bit(trainer, tmp_path):
    folder = checkpoint.save(trainer, tmp_path, 12)
    assert folder == tmp_path / "000012"
    assert {path.name for path in folder.iterdir()} == {"state.safetensors", "manifest.json"}
    saved, held = load_file(folder / "state.safetensors"), state(trainer)
    assert saved.keys() == held.keys()
    for key, array in held.items():
        assert saved[key].dtype == array.dtype and saved[key].tobytes() == array.tobytes(), key
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["step"] == 12
    assert manifest["sha256"] == hashlib.sha256((folder / "state.safetensors").read_bytes()).hexdigest()


def test_every_group_is_there(trainer):
    groups = {key.partition("/")[0] for key in checkpoint.variables(trainer)}
    assert groups == {
        "generator", "generator_optimizer", "generator_average", "discriminator", "discriminator_optimizer", "trainer",
    }  # fmt: skip


def test_keys_do_not_depend_on_what_was_made_before(trainer):
    again = build.prepare(dataclasses.replace(SMALL, ema=0.9), pictures())  # Keras numbers these layers on
    assert list(checkpoint.variables(again)) == list(checkpoint.variables(trainer))


def test_nothing_to_restore_is_step_0_and_changes_nothing(trainer, tmp_path):
    before = state(trainer)
    assert checkpoint.restore(trainer, tmp_path / "nowhere") == 0
    assert checkpoint.restore(trainer, tmp_path) == 0
    assert all(np.array_equal(array, before[key]) for key, array in state(trainer).items())


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_is_not_saved_and_costs_no_checkpoint(odd, trainer, tmp_path):
    checkpoint.save(trainer, tmp_path, 1, keep=1)
    before = trainer.sums.numpy()
    trainer.sums.assign([odd, *before[1:]])
    with pytest.raises(Diverged, match="^trainer/002.sums is not finite after step 2"):
        checkpoint.save(trainer, tmp_path, 2, keep=1)
    trainer.sums.assign(before)
    assert [path.name for path in tmp_path.iterdir()] == ["000001"]


@pytest.mark.parametrize(
    "changes, variable",
    [
        ({"width": 3}, "discriminator/000.kernel"),
        ({"latent_dim": 5}, "generator/000.kernel"),
        ({"ema": 0.0}, "generator_average/"),
    ],
)
def test_another_recipe_is_refused_by_name_and_leaves_the_match_alone(changes, variable, trainer, tmp_path):
    checkpoint.save(trainer, tmp_path, 7)
    other = build.prepare(dataclasses.replace(SMALL, **{"ema": 0.9, **changes}), pictures())
    before = state(other)
    with pytest.raises(UsageError, match=f"000007 was saved with {next(iter(changes))} .*, and the recipe has"):
        checkpoint.restore(other, tmp_path)
    other.numbers = "{}"  # its networks say the same
    with pytest.raises(UsageError, match=f"000007 is of another recipe: .*{variable}"):
        checkpoint.restore(other, tmp_path)
    assert all(np.array_equal(array, before[key]) for key, array in state(other).items())


@pytest.mark.parametrize("changes", [{"seed": 5}, {"learning_rate": 1.0}, {"batch_size": 8}])
def test_a_checkpoint_of_other_numbers_is_refused_though_it_fits(changes, trainer, tmp_path):
    """An edited recipe.json would have no effect: the optimizer's rate comes from the checkpoint."""
    checkpoint.save(trainer, tmp_path, 7)
    ((name, value),) = changes.items()
    other = build.prepare(dataclasses.replace(SMALL, ema=0.9, **changes), pictures())
    with pytest.raises(UsageError, match=f"was saved with {name} .*, and the recipe has {value}: it is of another run"):
        checkpoint.restore(other, tmp_path)


def test_intervals_precision_and_length_may_differ(trainer, tmp_path):
    checkpoint.save(trainer, tmp_path, 7)
    changes = {"steps": 99, "log_every": 3, "precision": "mixed_bfloat16", "start_from": Path("x"), "dataset": "mnist"}
    other = build.prepare(dataclasses.replace(SMALL, ema=0.9, **changes), pictures())
    assert checkpoint.restore(other, tmp_path) == 7


@pytest.mark.parametrize("keep, left", [(1, [30]), (2, [20, 30]), (3, [10, 20, 30]), (9, [10, 20, 30])])
def test_the_newest_are_kept(keep, left, trainer, tmp_path):
    for step in (10, 20, 30):
        checkpoint.save(trainer, tmp_path, step, keep)
    assert checkpoint.steps(tmp_path) == left
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{step:06d}" for step in left]


def test_steps_are_numbers_not_words(trainer, tmp_path):
    for step in (900_000, 1_000_000, 5):
        checkpoint.save(trainer, tmp_path, step, keep=9)
    (tmp_path / "notes").mkdir()
    assert checkpoint.steps(tmp_path) == [5, 900_000, 1_000_000]
    assert checkpoint.restore(trainer, tmp_path) == 1_000_000


def test_odd_names_and_files_among_checkpoints_cost_nothing(trainer, tmp_path):
    (tmp_path / "000009").write_text("a file")
    for name in ("\u00b2", "-1", "7", "000008x"):
        (tmp_path / name).mkdir()
    whole = checkpoint.save(trainer, tmp_path, 7)
    (tmp_path / "000008").mkdir()
    (tmp_path / "000008/manifest.json").write_text("[" * 100_000)
    assert checkpoint.steps(tmp_path) == [7, 8, 9]
    with pytest.warns(UserWarning, match="is damaged"):
        assert checkpoint.restore(trainer, tmp_path) == 7
    assert checkpoint.whole(checkpoint.save(trainer, tmp_path, 9)) and checkpoint.whole(whole)


@pytest.mark.parametrize("name", ["manifest.json", "state.safetensors"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_a_device_in_a_checkpoint_is_damage(name, make, trainer, tmp_path):
    checkpoint.save(trainer, tmp_path, 7)
    path = checkpoint.save(trainer, tmp_path, 8) / name
    path.unlink()
    make(path)
    with pytest.warns(UserWarning, match="step 8 is damaged .*is not a file"):
        assert checkpoint.restore(trainer, tmp_path) == 7


@pytest.mark.parametrize("numbers", [None, [], 7, "x"])
def test_numbers_of_a_manifest_that_are_none_are_damage(numbers, trainer, tmp_path):
    checkpoint.save(trainer, tmp_path, 7)
    path = checkpoint.save(trainer, tmp_path, 8) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "numbers": numbers}))
    with pytest.warns(UserWarning, match="step 8 is damaged"):
        assert checkpoint.restore(trainer, tmp_path) == 7


def test_leftovers_of_a_dead_process_are_removed_and_never_read(trainer, tmp_path):
    whole = checkpoint.save(trainer, tmp_path, 7)
    whole.rename(tmp_path / ".partial-000008")
    (tmp_path / ".partial-000009").mkdir()
    assert checkpoint.restore(trainer, tmp_path) == 0
    checkpoint.save(trainer, tmp_path, 9)
    assert [path.name for path in tmp_path.iterdir()] == ["000009"]


def test_a_whole_checkpoint_is_not_written_again(trainer, tmp_path):
    path = checkpoint.save(trainer, tmp_path, 7) / "state.safetensors"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    checkpoint.save(trainer, tmp_path, 7)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_a_damaged_checkpoint_ahead_costs_none_of_the_good_ones(trainer, tmp_path):
    checkpoint.save(trainer, tmp_path, 14)
    (tmp_path / "000014/manifest.json").unlink()
    checkpoint.save(trainer, tmp_path, 9, keep=1)  # resumed from 7, interrupted at 9
    with pytest.warns(UserWarning, match="step 14 is damaged"):
        assert checkpoint.restore(trainer, tmp_path) == 9
    checkpoint.save(trainer, tmp_path, 14, keep=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoint.restore(trainer, tmp_path) == 14
    assert checkpoint.steps(tmp_path) == [14]


def test_a_full_disk_leaves_the_old_checkpoint(trainer, tmp_path, monkeypatch):
    checkpoint.save(trainer, tmp_path, 7, keep=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(checkpoint, "save_file", full)
        checkpoint.save(trainer, tmp_path, 14, keep=1)
    assert checkpoint.steps(tmp_path) == [7]
    assert checkpoint.restore(trainer, tmp_path) == 7


def test_everything_is_on_the_disk_before_it_has_its_name(trainer, tmp_path, monkeypatch):
    events, rename, flush = [], checkpoint.os.rename, checkpoint.flush
    monkeypatch.setattr(checkpoint, "flush", lambda path: (events.append(("flush", path.name)), flush(path)))
    monkeypatch.setattr(checkpoint.os, "rename", lambda a, b: (events.append(("rename", b.name)), rename(a, b)))
    checkpoint.save(trainer, tmp_path, 7)
    assert set(events[:3]) == {("flush", "state.safetensors"), ("flush", "manifest.json"), ("flush", ".partial-000007")}
    assert events[3:] == [("rename", "000007"), ("flush", tmp_path.name)]
