"""Training in processes of its own, to be watched, signalled and killed.

`fork(...)` starts one in 2 seconds instead of 5: a server that has imported TensorFlow, but not used it, forks. The
child runs scripts/train.py as `__main__`, like a shell would. Run as a program, this file is that server.
"""

import atexit
import functools
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
CLOCK = "--batch-size 8 --steps 60 --checkpoint-every 7 --log-every 5 --sample-every 20 --ema 0.9 --keep 2".split()
DCGAN = ["--model", "dcgan", "--width", "4", "--latent-dim", "8", *CLOCK]
GAN = "--model gan --generator-width 16 --discriminator-units 4 --pieces 2 --latent-dim 8".split() + CLOCK


def start(*arguments, cwd, script="train.py"):
    """Starts a script in a new interpreter; returns the `Popen`."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, SCRIPTS / script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, env=environment(), **pipes)


def environment():
    """Returns the variables of a process that is to find this kgen."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


class Forked:
    """A process that the server forked; like `Popen`, as far as tests need it."""

    def __init__(self, arguments, cwd, script, plant, at):
        self._folder = Path(tempfile.mkdtemp(dir=_scratch()))
        job = {"argv": [str(SCRIPTS / script), *map(str, arguments)], "cwd": str(cwd), "out": str(self._folder)}
        self.pid = _ask(_server(), {**job, "plant": plant, "at": at})
        self.returncode = None

    def wait(self):
        """Returns the exit code, negative for a signal."""
        if self.returncode is None:
            self.returncode = _ask(_server(), {"wait": self.pid})
        return self.returncode

    def communicate(self):
        """Waits, and returns what was written to stdout and stderr."""
        self.wait()
        return [re.sub(r"^[EWI]0000 .*\n", "", (self._folder / name).read_text(), flags=re.M) for name in ("1", "2")]

    def send_signal(self, number):
        os.kill(self.pid, number)


def fork(*arguments, cwd, script="train.py", plant=None, at=1):
    """Starts a script; `plant` names a way to die (`PLANTS`), `at` which saved checkpoint is the fatal one."""
    return Forked(arguments, cwd, script, plant, at)


def finish(process):
    """Waits for a process that should do well; returns its stdout and stderr."""
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out, err


@functools.cache
def uninterrupted(*arguments):
    """Returns the working directory of a run that nobody disturbed; tests share it and leave it as it is."""
    folder = Path(tempfile.mkdtemp(dir=_scratch()))
    finish(fork(*arguments, cwd=folder))
    return folder


def run_of(folder):
    """Returns the only run directory in the working directory `folder`."""
    (run,) = (folder / "runs").iterdir()
    return run


def log(run, *without):
    """Returns the lines of log.jsonl as dictionaries, without the speed, which no two runs share."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key not in ("images_per_second", *without)} for line in lines]


def ending(run):
    """Returns what must not depend on interruptions: final checkpoint, log without speeds, pictures, page; bytes."""
    last = max((run / "checkpoints").glob("[0-9]*"))
    single = [run / "real.png", run / "interpolation.gif", run / "diagnosis.jsonl"]
    there = [path for path in single if path.exists()]  # a model without a prior films no latents
    pictures = {path.name: path.read_bytes() for path in [*there, *(run / "samples").iterdir()]}
    return {
        "recipe": (run / "recipe.json").read_text(),
        "checkpoints": sorted(path.name for path in (run / "checkpoints").iterdir()),
        "state": (last / "state.safetensors").read_bytes(),
        "log": log(run),
        "page": (run / "report.html")
        .read_text()
        .replace(f"{run.parent.name}/{run.name}", "")
        .replace(run.parent.name, ""),
        **pictures,
    }


@functools.cache
def _scratch():
    folder = Path(tempfile.mkdtemp(prefix="kgen-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def _server():
    server = subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(server.communicate)  # closes its stdin, with which it ends
    return server


def _ask(server, request):
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


# What runs in the server and in its children.


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def half_a_tensor_file(checkpoint, save_file, rename, rmtree):
    def write(tensors, path):
        save_file(tensors, path)
        os.truncate(path, path.stat().st_size // 2)
        die()

    checkpoint.save_file = write


def tensors_without_manifest(checkpoint, save_file, rename, rmtree):
    def write(tensors, path):
        save_file(tensors, path)
        die()

    checkpoint.save_file = write


def before_the_rename(checkpoint, save_file, rename, rmtree):
    os.rename = lambda source, target: die() if Path(target).name.isdigit() else rename(source, target)


def after_the_rename(checkpoint, save_file, rename, rmtree):
    def move(source, target):
        rename(source, target)
        if Path(target).name.isdigit():
            die()

    os.rename = move


def while_an_old_one_is_removed(checkpoint, save_file, rename, rmtree):
    def remove(path, *arguments, **options):
        if (Path(path) / checkpoint.STATE).exists():
            (Path(path) / checkpoint.STATE).unlink()
            die()

    shutil.rmtree = remove


PLANTS = {
    function.__name__: function
    for function in (
        half_a_tensor_file,
        tensors_without_manifest,
        before_the_rename,
        after_the_rename,
        while_an_old_one_is_removed,
    )
}


def plant(name, at):
    """Makes this process die in the way `name` at its `at`-th checkpoint."""
    from kgen.runs import checkpoint

    save, saved = checkpoint.save, []

    def planted(*arguments):
        saved.append(None)
        if len(saved) == at:
            PLANTS[name](checkpoint, checkpoint.save_file, os.rename, shutil.rmtree)
        return save(*arguments)

    checkpoint.save = planted


def child(job):
    """Becomes the script."""
    os.chdir(job["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        os.dup2(os.open(f"{job['out']}/{number}", os.O_WRONLY | os.O_CREAT), number)
    if job["plant"]:
        plant(job["plant"], job["at"])
    sys.argv = job["argv"]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve():
    """Reads jobs from stdin, a JSON object a line: forks for one, and answers its id; or waits for one to end."""
    import keras

    import kgen.callbacks.diagnostics  # noqa: F401
    import kgen.callbacks.interrupt  # noqa: F401
    import kgen.callbacks.log  # noqa: F401
    import kgen.callbacks.progress  # noqa: F401
    import kgen.callbacks.samples  # noqa: F401
    import kgen.callbacks.stop_on_nan  # noqa: F401
    import kgen.inference.loading  # noqa: F401

    keras.Model  # noqa: B018
    for line in sys.stdin:
        job = json.loads(line)
        if "wait" in job:
            answer = os.waitstatus_to_exitcode(os.waitpid(job["wait"], 0)[1])
        elif (answer := os.fork()) == 0:
            child(job)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
