"""Makes, finds, locks and describes run directories, `runs/<model>-<dataset>-<n>/`."""

import contextlib
import hashlib
import json
import os
import platform
import warnings
from contextlib import AbstractContextManager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

import kgen
from kgen.backend import tf
from kgen.core import recipe as recipes
from kgen.core.recipe import Recipe
from kgen.data import Images
from kgen.data.spellings import LARGEST_SIZE
from kgen.errors import UsageError, demand_file
from kgen.images.order import contents

# Environment variables that choose kernels and threads, and so change the last bits of a result. Others are private.
SPEED = """
    TF_ENABLE_ONEDNN_OPTS TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS TF_XLA_FLAGS XLA_FLAGS OMP_NUM_THREADS
    TF_CUDNN_DETERMINISTIC TF_DETERMINISTIC_OPS NVIDIA_TF32_OVERRIDE CUDA_VISIBLE_DEVICES
""".split()


def create(runs_dir: Path, recipe: Recipe) -> Path:
    """Makes the run directory with the next free number, and its recipe.json. Returns its path."""
    make_folder(runs_dir)
    dataset = recipe.dataset.partition(":")[0]
    number = 1
    while True:
        path = Path(runs_dir) / f"{recipe.name}-{dataset}-{number:04d}"
        try:
            path.mkdir()
            break
        except FileExistsError:
            number += 1
    write_recipe(path, recipe)
    return path


def make_folder(path: Path) -> None:
    """Makes a folder, unless it is there.

    Raises:
        UsageError: the folder cannot be made or written to.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {path} cannot be made: {error.strerror}.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(f"The folder {path} cannot be written to.")


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Writes recipe.json: the model's name and every field, which is all that `--resume` needs to know."""
    aside = path / ".recipe.partial"
    aside.write_text(recipe.to_json())
    os.replace(aside, path / "recipe.json")


def write_environment(path: Path, data: Images) -> str:
    """Writes environment.json: versions, the machine, and shape, classes and SHA-256 of the images, which it returns.

    A resumed run keeps the file of its first start. It warns if versions or the machine differ, since results may then
    differ in their last bits.

    Args:
        path: the run directory.
        data: the training images.

    Raises:
        UsageError: the run was started with other images, or the file is damaged.
    """
    file = path / "environment.json"
    seen = {"images": list(data.images.shape), "classes": list(data.classes), "images_sha256": digest(data)}
    now = {**environment(), **seen}
    try:
        first = read_object(file) if os.path.lexists(file) else now
        same = first["images_sha256"] == now["images_sha256"]
    except (ValueError, KeyError):
        raise UsageError(f"{file} is damaged. Remove it to go on; checkpoints tell their images too.") from None
    if not same:
        shapes = f"{first.get('images')} then, {now['images']} now"
        raise UsageError(f"{path} was started with other images ({shapes}): start a new run.")
    changed = [f"{name} {first.get(name)} -> {value}" for name, value in now.items() if first.get(name) != value]
    if changed:
        warnings.warn(f"Resumed elsewhere, not bit for bit: {'; '.join(changed)}.", stacklevel=2)
    if not file.exists():
        aside = path / ".environment.partial"
        aside.write_text(json.dumps(now, indent=2) + "\n")
        os.replace(aside, file)
    return now["images_sha256"]


def digest(data: Images) -> str:
    """Returns the SHA-256 of the SHA-256 of every image, in order, and of the labels, in hexadecimal."""
    whole = hashlib.sha256(b"".join(contents(data.images)))
    if data.labels is not None:
        whole.update(np.ascontiguousarray(data.labels).data)
    return whole.hexdigest()


def read_data(path: Path) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Returns `(shape, classes)` of a run's training images; raises UsageError if the run never began to train."""
    file = Path(path) / "environment.json"
    try:
        seen = read_object(file)
        return shape_of(seen["images"]), classes_of(seen["classes"])
    except (ValueError, KeyError):
        raise UsageError(f"{file} cannot be read: resume the run first, then draw or export.") from None


def read_object(file: Path) -> dict[str, Any]:
    """Returns the object in a JSON file; raises ValueError if there is no such file or no object in it."""
    demand_file(file)
    try:
        found = json.loads(file.read_text())
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, dict):
        raise ValueError(f"{file} has no object")
    return found


def shape_of(images: Any) -> tuple[int, ...]:
    """Returns the shape `(n, height, width, channels)` of images as JSON has it; raises ValueError if it is none."""
    if not isinstance(images, list) or len(images) != 4 or any(type(size) is not int or size < 1 for size in images):
        raise ValueError("no shape of images")
    if max(images[1:3]) > LARGEST_SIZE or images[3] not in (1, 3):
        raise ValueError("no size of images")
    return tuple(images)


def classes_of(names: Any) -> tuple[str, ...]:
    """Returns the names of classes as JSON has them; raises ValueError if they are no names."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("no names of classes")
    return tuple(names)


def read_recipe(path: Path) -> Recipe:
    """Returns the recipe of a run directory or an export; raises UsageError if it is neither."""
    file = Path(path) / "recipe.json"
    if not file.is_file():
        raise UsageError(
            f"{path} is not a run directory: it has no recipe.json. A run lies in runs/<model>-<dataset>-<n>."
        )
    return recipes.from_json(file.read_text(errors="replace"), file)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Returns the objects of a JSON-lines file such as log.jsonl, without lines that a kill or damage has left.

    There are none if there is no file. Raises UsageError if something else lies there.
    """
    if not os.path.lexists(path):
        return []
    demand_file(path)  # a device has no end
    found = []
    for line in path.read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            found.append(json.loads(line))
    return [line for line in found if isinstance(line, dict)]


def find(name: str | Path, runs_dir: Path | str) -> Path:
    """Returns the path of a run directory; `latest` is the one in `runs_dir` that was written to last.

    Raises:
        UsageError: `latest` was given and there is no run.
    """
    if name != "latest":
        return Path(name)
    runs = [path.parent for path in Path(runs_dir).glob("*/recipe.json")]
    if not runs:
        raise UsageError(f"There is no run in {runs_dir} to resume. Start one with --model.")
    return max(runs, key=lambda run: max(file.stat().st_mtime for file in run.iterdir()))


def lock(path: Path) -> AbstractContextManager:
    """Returns a lock on a run directory, which is held until it is released or the process ends in any way.

    Raises:
        UsageError: another process holds the lock, or there is something else in its place.
    """
    held = FileLock(Path(path) / ".lock")
    try:
        return held.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"{path} is being trained by another process. Wait for it, or start a new run.") from None
    except OSError as error:
        raise UsageError(f"{path}/.lock cannot be locked: {error.strerror}. Remove it, or start a new run.") from None


def environment() -> dict[str, Any]:
    """Returns the versions and the machine that a result depends on."""
    packages = "tensorflow keras numpy tensorboard tensorflow-datasets mlxtend pillow safetensors".split()
    return {
        "kgen": kgen.__version__,
        "python": platform.python_version(),
        **{name: version_of(name) for name in packages},
        "platform": platform.platform(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpus": gpus(),
        "variables": {name: os.environ[name] for name in SPEED if name in os.environ},
    }


def gpus() -> list[str]:
    """Returns the names of the GPUs that TensorFlow sees."""
    details = tf.config.experimental.get_device_details
    return [details(gpu)["device_name"] for gpu in tf.config.list_physical_devices("GPU")]


def processor() -> str:
    """Returns the name of the processor, whose vector units determine the order of sums and so their last bits."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def version_of(package: str) -> str | None:
    """Returns the version of a package, or None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
