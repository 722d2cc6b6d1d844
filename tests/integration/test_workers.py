"""Two processes train one run: what they write, and what a kill changes."""

import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.helpers import processes

CLOCK = "--batch-size 8 --steps 24 --checkpoint-every 6 --log-every 6 --sample-every 12".split()
WGAN_GP = [*"--model wgan-gp --width 4 --latent-dim 8 --discriminator-steps 2".split(), *CLOCK]
ACAI = [*"--model acai --dataset mnist5k --image-size 32 --depth 2 --latent-width 4".split(), *CLOCK]


def start(folder, *arguments):
    """Starts two workers in the working directory `folder`; returns them, the chief first."""
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("localhost", 0))
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return [
        subprocess.Popen(
            [sys.executable, processes.SCRIPTS / "train.py", *map(str, arguments)],
            cwd=folder,
            env={
                **processes.environment(),
                "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]


def finish(workers):
    """Waits for workers that should do well; returns `(stdout, stderr)` of each."""
    outputs = [worker.communicate(timeout=160) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    return outputs


def killed(folder, victim, *arguments):
    """Kills one worker once the run has a checkpoint; the other must not go on. Returns the run directory."""
    workers = start(folder, *arguments)
    deadline = time.monotonic() + 120
    while not list(folder.glob("runs/*/checkpoints/000006")) and time.monotonic() < deadline:
        time.sleep(0.01)
    workers[victim].send_signal(signal.SIGKILL)
    time.sleep(2)
    for worker in workers:  # as a launcher does with the others of a job
        worker.kill()
        worker.communicate()
    run = processes.run_of(folder)
    assert not (run / "checkpoints/000024").exists(), "the kill must come while it trains"
    return run


def state(run):
    return load_file(run / "checkpoints/000024/state.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("arguments, victim", [(WGAN_GP, 1), (ACAI, 0)], ids=["wgan-gp", "acai"])
def test_a_killed_worker_changes_nothing(arguments, victim, tmp_path):
    for name in ("straight", "killed", "alone"):
        (tmp_path / name).mkdir()
    (out, _), (other, _) = finish(start(tmp_path / "straight", *arguments))
    assert "Export" in out and "The chief has written the run" in other
    straight = processes.run_of(tmp_path / "straight")
    run = killed(tmp_path / "killed", victim, *arguments)
    finish(start(tmp_path / "killed", "--resume", run))
    assert processes.ending(run) == processes.ending(straight)
    processes.finish(processes.start(*arguments, cwd=tmp_path / "alone"))
    one, two = state(processes.run_of(tmp_path / "alone")), state(straight)
    assert one.keys() == two.keys()
    for key in one:
        np.testing.assert_allclose(two[key], one[key], rtol=1e-5, atol=1e-5, err_msg=key)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_devices(tmp_path):
    straight, moved = tmp_path / "straight", tmp_path / "moved"
    straight.mkdir(), moved.mkdir()
    processes.finish(processes.start(*WGAN_GP, cwd=straight))
    for steps, devices in ((6, 2), (12, 4), (24, 1)):
        more = ["--resume", processes.run_of(moved)] if (moved / "runs").exists() else WGAN_GP
        processes.finish(processes.start(*more, "--steps", steps, "--devices", devices, cwd=moved))
    one, other = state(processes.run_of(straight)), state(processes.run_of(moved))
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_allclose(other[key], one[key], rtol=1e-5, atol=1e-5, err_msg=key)


@pytest.mark.slow
def test_too_many_parts_are_one_sentence(tmp_path):
    process = processes.fork(*WGAN_GP, "--devices", "3", cwd=tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "train.py: --batch-size must be a multiple of 3, the number of all devices, not 8" in errors
    assert not (tmp_path / "runs").exists()
