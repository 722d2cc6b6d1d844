"""A run that is killed at any moment and resumed ends as the run that nobody disturbed, bit for bit."""

import hashlib
import json
import os
import random
import shutil
import signal
import time
import types
import warnings

import pytest
import tensorflow as tf
from safetensors import SafetensorError
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from kgen.errors import UsageError
from kgen.runs import checkpoint
from tests.helpers import processes
from tests.helpers.processes import DCGAN, GAN


def checkpoints(run):
    """Returns `{name: whether its manifest's sum is that of its tensors}`, computed here."""
    found = {}
    for folder in (run / "checkpoints").glob("[0-9]*"):
        state, manifest = folder / "state.safetensors", folder / "manifest.json"
        there = state.exists() and manifest.exists()
        found[folder.name] = (
            there and json.loads(manifest.read_text())["sha256"] == hashlib.sha256(state.read_bytes()).hexdigest()
        )
    return found


def kill_after_lines(process, log, lines, delay):
    """Kills a resumed run `delay` seconds after it wrote `lines` lines of log.jsonl."""
    os.utime(log, (0, 0))  # resuming rewrites the file, and so sets its time
    deadline = time.monotonic() + 60
    while log.stat().st_mtime == 0 and time.monotonic() < deadline:
        time.sleep(0.001)
    before = log.read_text().count("\n")
    while log.read_text().count("\n") < before + lines and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


BFLOAT16 = [*DCGAN, "--precision", "mixed_bfloat16", "--steps-per-execution", "2", "--log-every", "6"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, start, seed",
    [pytest.param(DCGAN, processes.start, 1, id="dcgan"), pytest.param(GAN, processes.fork, 2, id="gan")],
)
def test_killed_at_random_moments(arguments, start, seed, tmp_path):
    rng = random.Random(seed)
    first = processes.fork(*arguments, cwd=tmp_path, plant="half_a_tensor_file", at=2)  # leaves a log to be watched
    assert first.wait() == -signal.SIGKILL
    run = processes.run_of(tmp_path)
    for _ in range(3):
        assert not (run / "checkpoints/000060").exists(), "the kills must come while it trains"
        process = start("--resume", run, cwd=tmp_path)
        kill_after_lines(process, run / "log.jsonl", rng.randint(1, 3), rng.uniform(0, 0.01))
        assert checkpoints(run) and all(checkpoints(run).values())
    _, errors = processes.finish(processes.fork("--resume", run, cwd=tmp_path))
    assert "warning" not in errors
    assert processes.ending(run) == processes.ending(processes.run_of(processes.uninterrupted(*arguments)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [pytest.param(DCGAN, id="plain"), pytest.param(BFLOAT16, id="bfloat16")],
)
def test_killed_at_any_moment_of_its_life(arguments, tmp_path):
    """Kills spread evenly over a process's life: start, restoring, tracing, sampling, saving, exporting."""
    arguments = [*arguments, "--checkpoint-every", "8", "--steps", "60"]
    began = time.monotonic()
    straight = processes.run_of(processes.uninterrupted(*arguments))
    life = time.monotonic() - began
    rng = random.Random(3)
    first = processes.fork(*arguments, cwd=tmp_path)
    while not list(tmp_path.glob("runs/*/recipe.json")):
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    run = processes.run_of(tmp_path)
    for _ in range(5):
        process = processes.fork("--resume", run, cwd=tmp_path)
        time.sleep(rng.uniform(0, life))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert all(checkpoints(run).values())
    _, errors = processes.finish(processes.fork("--resume", run, cwd=tmp_path))
    assert "warning" not in errors
    assert processes.ending(run) == processes.ending(straight)


DEATHS = [  # way to die, at which checkpoint of the process, whole checkpoints afterwards
    ("half_a_tensor_file", 1, []),
    ("tensors_without_manifest", 2, ["000007"]),
    ("before_the_rename", 2, ["000007", "000014"]),
    ("after_the_rename", 1, ["000007", "000014", "000021"]),
    ("while_an_old_one_is_removed", 1, ["000014", "000021", "000028"]),
]


@pytest.fixture(scope="module")
def killed_while_saving(tmp_path_factory):
    """One run that dies in every way there is, one after the other, and is then finished."""
    folder, states = tmp_path_factory.mktemp("planted"), {}
    arguments = DCGAN
    for death, at, _ in DEATHS:
        process = processes.fork(*arguments, cwd=folder, plant=death, at=at)
        _, errors = process.communicate()
        run = processes.run_of(folder)
        states[death] = process.returncode, checkpoints(run), "warning" in errors
        arguments = ["--resume", run]
    _, errors = processes.finish(processes.fork(*arguments, cwd=folder))
    assert "warning" not in errors
    return run, states


@pytest.mark.parametrize("death, at, whole", DEATHS)
def test_killed_while_saving_leaves_whole_checkpoints(death, at, whole, killed_while_saving):
    code, found, warned = killed_while_saving[1][death]
    assert code == -signal.SIGKILL
    assert found == {name: True for name in whole}
    assert not warned


def test_killed_while_saving_ends_as_if_undisturbed(killed_while_saving):
    run, _ = killed_while_saving
    assert processes.ending(run) == processes.ending(processes.run_of(processes.uninterrupted(*DCGAN)))


def test_tensorboard_sees_no_step_twice(killed_while_saving):
    run, _ = killed_while_saving
    events = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("loss/generator")] == list(range(5, 61, 5))
    assert [event.step for event in events.Tensors("samples")] == [0, 20, 40, 60]
    assert [event.step for event in events.Tensors("recipe")] == [0]
    values = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("loss/generator")]
    assert values == [pytest.approx(line["generator_loss"], rel=1e-6) for line in processes.log(run)]


# Damage that no kill makes: a failing disk, a careless hand.


def flip_a_byte(folder):
    path = folder / "state.safetensors"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)


def truncate(folder):
    os.truncate(folder / "state.safetensors", 1000)


def truncate_with_a_fitting_manifest(folder):
    truncate(folder)
    digest = hashlib.sha256((folder / "state.safetensors").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"step": 60, "sha256": digest}))


def lose_the_manifest(folder):
    (folder / "manifest.json").unlink()


def empty_the_manifest(folder):
    (folder / "manifest.json").write_text("")


def manifest_without_a_sum(folder):
    (folder / "manifest.json").write_text("{}")


def manifest_of_another_kind(folder):
    (folder / "manifest.json").write_text("[]")


def lose_the_tensors(folder):
    (folder / "state.safetensors").unlink()


def lose_everything(folder):
    shutil.rmtree(folder)
    folder.mkdir()


DAMAGES = [
    flip_a_byte,
    truncate,
    truncate_with_a_fitting_manifest,
    lose_the_manifest,
    empty_the_manifest,
    manifest_without_a_sum,
    manifest_of_another_kind,
    lose_the_tensors,
    lose_everything,
]


NOBODY = types.SimpleNamespace(numbers="{}")  # stands for a trainer whose variables are not set


@pytest.fixture
def copy(tmp_path):
    """A copy of a finished run, to be damaged: checkpoints 56 and 60."""
    return shutil.copytree(processes.run_of(processes.uninterrupted(*DCGAN)), tmp_path / "runs/copy-0001")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_taken(damage, copy, monkeypatch):
    taken = []
    monkeypatch.setattr(checkpoint, "assign", lambda trainer, state, source: taken.append(source))
    damage(copy / "checkpoints/000060")
    with pytest.warns(UserWarning, match="step 60 is damaged"):
        assert checkpoint.restore(NOBODY, copy / "checkpoints") == 56
    assert taken == [f"{copy}/checkpoints/000056"]


def test_a_sound_checkpoint_is_taken_without_a_warning(copy, monkeypatch):
    monkeypatch.setattr(checkpoint, "assign", lambda trainer, state, source: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoint.restore(NOBODY, copy / "checkpoints") == 60


def test_all_damaged_is_a_usage_error(copy):
    flip_a_byte(copy / "checkpoints/000060")
    lose_the_manifest(copy / "checkpoints/000056")
    with pytest.warns(UserWarning) as warned, pytest.raises(UsageError, match="Every checkpoint .* is damaged"):
        checkpoint.restore(NOBODY, copy / "checkpoints")
    assert len(warned) == 2


@pytest.mark.parametrize("damage", [flip_a_byte, truncate_with_a_fitting_manifest])
def test_what_is_damaged_can_be_seen_by_the_reader_itself(damage, copy):
    damage(copy / "checkpoints/000060")
    with pytest.raises((ValueError, SafetensorError)):
        checkpoint.read(copy / "checkpoints/000060")


@pytest.mark.slow
def test_a_damaged_last_checkpoint_is_made_again(copy):
    flip_a_byte(copy / "checkpoints/000060")
    assert checkpoints(copy) == {"000056": True, "000060": False}
    _, errors = processes.finish(processes.fork("--resume", copy, cwd=copy.parents[1]))
    assert "warning: The checkpoint of step 60 is damaged" in errors
    assert checkpoints(copy) == {"000056": True, "000060": True}
    assert processes.ending(copy) == processes.ending(processes.run_of(processes.uninterrupted(*DCGAN)))
