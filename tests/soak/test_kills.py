"""Runs that are killed at random moments, a hundred times each, end as the runs that nobody disturbed, bit for bit.

`KGEN_SOAK_KILLS=10 pytest -m soak tests/soak/test_kills.py` is a shorter one.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import time

import pytest

from tests.helpers import processes, searches
from tests.helpers.processes import CLOCK, DCGAN

pytestmark = pytest.mark.soak
KILLS = int(os.environ.get("KGEN_SOAK_KILLS", "100"))
SMALL = {
    "dcgan": [*DCGAN, "--r1", "1", "--augment", "color,translation"],
    "dcgan-ada": [*DCGAN, "--lecam", "0.3", "--ada", "0.6", "--augment", "color,translation"],
    "wgan-gp": ["--model", "wgan-gp", "--width", "4", "--latent-dim", "8", *CLOCK],
    "acai": ["--model", "acai", "--image-size", "32", "--depth", "2", "--latent-channels", "2", *CLOCK],
    "vae-gan": ["--model", "vae-gan", "--image-size", "32", "--width", "2", "--latent-dim", "8", *CLOCK],
}


def killed(arguments, cwd, delay, script="train.py"):
    """Starts a script and kills it after `delay` seconds; returns whether it had ended well before."""
    process = processes.fork(*arguments, cwd=cwd, script=script)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    code = process.wait()
    assert code in (0, -signal.SIGKILL), process.communicate()[1]
    return code == 0


def lifetime(arguments, cwd, script="train.py"):
    """Returns how many seconds an undisturbed process takes."""
    began = time.monotonic()
    processes.finish(processes.fork(*arguments, cwd=cwd, script=script))
    return time.monotonic() - began


def moment(rng, life, kills):
    """Returns when to kill a process: within its life. The more kills it took, the later, as machines slow down."""
    return rng.uniform(0, 0.8 * life * 1.1**kills)


def whole(run):
    """Returns whether each checkpoint has the sum of its manifest."""
    sums = {
        path.parent: hashlib.sha256(path.read_bytes()).hexdigest() for path in run.glob("checkpoints/[0-9]*/*.saf*")
    }
    return all(json.loads((path / "manifest.json").read_text())["sha256"] == found for path, found in sums.items())


@pytest.mark.parametrize("model", SMALL)
def test_a_run(model, tmp_path, record_property):
    straight, rng, kills, runs = tmp_path / "straight", random.Random(0), 0, 0
    straight.mkdir()
    life = lifetime(SMALL[model], straight)
    while kills < KILLS:
        folder, ended, here = tmp_path / f"{runs:03}", False, 0
        folder.mkdir()
        while not ended:
            begun = [path.parent for path in folder.glob("runs/*/recipe.json")]
            arguments = ["--resume", begun[0]] if begun else SMALL[model]
            ended = killed(arguments, folder, moment(rng, life, here))
            here += not ended
            assert all(map(whole, begun))
        assert processes.ending(begun[0] if begun else processes.run_of(folder)) == processes.ending(
            processes.run_of(straight)
        )
        shutil.rmtree(folder)
        kills, runs = kills + here, runs + 1
    print(f"{model}: {kills} kills, {runs} runs, all equal to the undisturbed run")


def test_fine_tuning(tmp_path):
    """Folds and depths that were finished stay as they are, and the others end as if undisturbed."""
    source = ["--model", "autoencoder", "--channels", "2", "--kernels", "3", "--strides", "2", "--paddings", "0"]
    source += ["--units", "8", "--latent-dim", "3", "--encoder-dropout", "0", "--steps", "20", "--batch-size", "20"]
    processes.finish(processes.fork(*source, cwd=tmp_path))
    flags = ["--run", processes.run_of(tmp_path), "--steps", "30", "--batch-size", "20", "--folds", "2"]
    flags += ["--depths", "0", "1", "--test-split", "test[:50]", "--checkpoint-every", "10", "--out"]
    life, rng, kills = lifetime([*flags, "straight"], tmp_path, "finetune.py"), random.Random(0), 0
    while kills < KILLS:
        here = 0
        while not killed([*flags, "killed"], tmp_path, moment(rng, life, here), "finetune.py"):
            here += 1
        kills += here
        one, other = tmp_path / "straight", tmp_path / "killed"
        assert (one / "finetune.md").read_text() == (other / "finetune.md").read_text()
        results = [path.relative_to(one) for path in one.rglob("result.json")]
        assert len(results) == 4
        assert all(json.loads((one / path).read_text()) == json.loads((other / path).read_text()) for path in results)
        shutil.rmtree(other)
    print(f"finetune: {kills} kills, all equal to the undisturbed study")


def test_a_search(tmp_path):
    """Finished trials keep their values; in the end there are as many as were asked for."""
    rng, kills, values = random.Random(0), 0, {}
    more = 0
    while kills < KILLS:
        more += 4
        flags = [*searches.RATE, "--trials", more, "--jobs", 2, "--no-train-best"]
        ended, here = False, 0
        while not ended:
            process = searches.start(*flags, cwd=tmp_path, how="slowly")
            time.sleep(1 + moment(rng, 9, here))
            ended = process.poll() is not None
            if not ended:
                os.killpg(process.pid, signal.SIGKILL)
            _, errors = process.communicate()
            assert process.returncode in (0, -signal.SIGKILL), errors
            here += not ended
        kills += here
        found, now = searches.states(tmp_path)
        assert values.items() <= now.items()
        values = now
        assert len(found.get("COMPLETE", []) + found.get("PRUNED", [])) == more
        assert set(found) <= {"COMPLETE", "PRUNED", "FAIL"}
    print(f"search: {kills} kills, {more} trials, none lost")
