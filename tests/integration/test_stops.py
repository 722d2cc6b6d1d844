"""A signal ends training with a checkpoint, and with a command that goes on from it."""

import re
import shlex
import signal
import time

import pytest

from kgen.runs import checkpoint
from tests.helpers import processes
from tests.helpers.processes import DCGAN

LONG = [*DCGAN, "--steps", "300"]


def wait_for_a_line(run_folder):
    deadline = time.monotonic() + 60
    while not list(run_folder.glob("runs/*/log.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.001)


@pytest.mark.parametrize(
    "number, start",
    [
        pytest.param(signal.SIGTERM, processes.start, id="SIGTERM", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, processes.fork, id="SIGINT"),
    ],
)
def test_a_signal_ends_with_a_checkpoint_and_a_command_that_goes_on(number, start, tmp_path):
    process = start(*LONG, "--exports-dir", "my exports", cwd=tmp_path)
    wait_for_a_line(tmp_path)
    process.send_signal(number)
    out, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    step, command = re.fullmatch(r"Stopped at step (\d+) with a checkpoint\. Go on: (.*)\n", out).groups()
    run = processes.run_of(tmp_path)
    assert 5 <= int(step) < 300
    assert checkpoint.steps(run / "checkpoints")[-1] == int(step)
    assert not (tmp_path / "my exports").exists() or not list((tmp_path / "my exports").rglob("saved_model.pb"))
    python, script, *arguments = shlex.split(command)
    assert (python, script) == ("python", "scripts/train.py")
    processes.finish(processes.fork(*arguments, cwd=tmp_path))
    assert (tmp_path / "my exports/dcgan-mnist5k/1/saved_model.pb").is_file()
    assert processes.ending(run) == processes.ending(processes.run_of(processes.uninterrupted(*LONG)))
