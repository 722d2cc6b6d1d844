"""Full disks, read-only disks, clocks that jump, folders that vanish: one sentence, and nothing that was saved is lost.

Small file systems are mounted in a namespace of their own, which needs root on Linux.
"""

import os
import shutil
import subprocess
import sys
import time

import pytest

from kgen.runs import checkpoint
from tests.helpers import processes
from tests.helpers.processes import CLOCK
from tests.helpers.small_dcgan import train

pytestmark = pytest.mark.soak
TINY = ["--model", "dcgan", "--width", "4", "--latent-dim", "8", *CLOCK, "--evaluate", "mmd", "--evaluate-every", "20"]
PLACES = ["--runs-dir", "small/runs", "--exports-dir", "small/models"]
FULL = "No space is left on the device."


def can_mount():
    return shutil.which("unshare") and not subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("straight")
    processes.finish(processes.start(*TINY, "--evaluate-count", "20", cwd=folder))
    return processes.run_of(folder)


def mounted(script, cwd):
    """Runs a shell script in which `small` may be mounted; returns what it wrote to stderr, and what it printed."""
    train = f"{sys.executable} {processes.SCRIPTS / 'train.py'}"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script.replace("TRAIN", train)],
        cwd=cwd, env=processes.environment(), capture_output=True, text=True,
    )  # fmt: skip
    return done.stderr, done.stdout


@pytest.mark.skipif(not can_mount(), reason="a file system cannot be mounted here")
@pytest.mark.parametrize("kilobytes", range(100, 2_500, 100))
def test_a_full_disk(kilobytes, straight, tmp_path):
    """At each size another write fails: the lock, the recipe, a picture, a log, a checkpoint, the export."""
    (tmp_path / "small").mkdir()
    flags = " ".join([*TINY, "--evaluate-count", "20", *PLACES])
    errors, out = mounted(
        f"mount -t tmpfs -o size={kilobytes}k t small; TRAIN {flags}; echo code $?; echo next >&2;"
        "mount -o remount,size=99m small; rm -rf small/models;"
        f"if ls small/runs/*/recipe.json; then TRAIN --resume latest {' '.join(PLACES)}; else TRAIN {flags}; fi;"
        "echo code $?; mkdir kept; cp -r small/runs kept",
        tmp_path,
    )
    first, _, second = errors.partition("next\n")
    codes = [line for line in out.splitlines() if line.startswith("code")]
    assert "Traceback" not in errors
    assert codes[0] in ("code 0", "code 1"), first
    assert codes[0] == "code 0" or first.strip().splitlines()[-1].startswith(f"train.py: {FULL}"), first
    assert codes[1] == "code 0", second
    whole = [run for run in (tmp_path / "kept/runs").iterdir() if (run / "checkpoints/000060").exists()]
    assert len(whole) == 1 and processes.ending(whole[0]) == processes.ending(straight)


@pytest.mark.skipif(not can_mount(), reason="a file system cannot be mounted here")
def test_a_read_only_disk(tmp_path):
    """It is refused before anything is trained."""
    (tmp_path / "small").mkdir()
    flags = " ".join([*TINY, "--evaluate-count", "20", *PLACES])
    errors, out = mounted(f"mount -t tmpfs -o ro t small; TRAIN {flags}; echo code $?", tmp_path)
    assert "Traceback" not in errors and "code 2" in out
    assert errors.strip().splitlines()[-1] == "train.py: The folder small/models cannot be made: Read-only file system."


@pytest.mark.parametrize("jump", [-(10**8), 10**8])
def test_a_clock_that_jumps(jump, tmp_path, monkeypatch):
    plain = train(tmp_path / "plain").run
    real, calls = time.time, []
    monkeypatch.setattr(time, "time", lambda: real() + jump * (calls.append(None) or len(calls)) % 7)
    jumped = train(tmp_path / "jumped").run
    monkeypatch.undo()
    assert processes.ending(jumped) == processes.ending(plain)


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_a_run_directory_that_vanishes(how, tmp_path):
    process = processes.start("--model", "dcgan", "--width", "4", "--latent-dim", "8", *CLOCK, cwd=tmp_path)
    while not list(tmp_path.glob("runs/*/checkpoints/000014")):
        assert process.poll() is None
        time.sleep(0.02)
    run = processes.run_of(tmp_path)
    kept = tmp_path / "kept"
    if how == "renamed":
        os.rename(run, kept)
    else:
        shutil.rmtree(run, ignore_errors=True)
    _, errors = process.communicate()
    assert process.returncode in (1, 2) and "Traceback" not in errors, errors
    assert str(run.relative_to(tmp_path)) in errors.strip().splitlines()[-1]
    if how == "renamed":
        assert checkpoint.steps(kept / "checkpoints")
        processes.finish(processes.start("--resume", kept, cwd=tmp_path))
        assert checkpoint.steps(kept / "checkpoints")[-1] == 60
