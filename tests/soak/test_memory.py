"""Twenty thousand steps: resident memory, open files and threads stay as they are after the first thousands.

The curve is printed (`pytest -m soak -s -n 0 tests/soak/test_memory.py`).
"""

import json
import subprocess
import sys
import textwrap

import pytest

from tests.helpers import processes

pytestmark = pytest.mark.soak
STEPS, EVERY = 20_000, 500
SCRIPT = """
    import json, os, sys
    from pathlib import Path

    import keras

    import kgen

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if (batch + 1) % {every} == 0:
                status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
                line = {{"step": batch + 1, "kilobytes": int(status["VmRSS"].split()[0])}}
                line["files"], line["threads"] = len(os.listdir("/proc/self/fd")), int(status["Threads"])
                print(json.dumps(line), flush=True)

    clock = dict(steps={steps}, log_every=50, sample_every=250, checkpoint_every=500, ema=0.9)
    clock |= dict(evaluate="mmd", evaluate_every=2_500, evaluate_count=50)
    kgen.train("dcgan", width=4, latent_dim=8, batch_size=8, callbacks=(Watch(),), **clock)
"""


def test_nothing_grows(tmp_path):
    source = textwrap.dedent(SCRIPT).format(every=EVERY, steps=STEPS)
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=tmp_path, env=processes.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"step"')]
    print(*lines, sep="\n")
    assert [line["step"] for line in lines] == list(range(EVERY, STEPS + 1, EVERY))
    quarter = len(lines) // 4
    early, late = lines[quarter : 2 * quarter], lines[-quarter:]
    for name, spare in (("kilobytes", 20_000), ("files", 2), ("threads", 2)):
        grown = max(line[name] for line in late) - max(line[name] for line in early)
        assert grown <= spare, f"{name} grew by {grown} from steps {early[0]['step']} on"
