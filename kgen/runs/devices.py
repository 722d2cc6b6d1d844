"""The devices that a run trains on: one, several of this machine, or those of several machines (workers)."""

import contextlib
import functools
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from kgen.backend import tf
from kgen.errors import UsageError
from kgen.runs import directory

if TYPE_CHECKING:
    from kgen.core.recipe import Recipe

SLURM_TASKS = "SLURM_STEP_NUM_TASKS"  # srun sets it, sbatch and salloc do not


def of(recipe: "Recipe") -> "tf.distribute.Strategy | None":
    """Returns the strategy for the devices of a recipe; None for one device of one machine.

    Raises:
        UsageError: there are not as many devices, or the batch cannot be divided among them.
    """
    found = strategy(recipe.devices)
    replicas = found.num_replicas_in_sync if found else 1
    if recipe.batch_size % replicas:
        raise UsageError(
            f"--batch-size must be a multiple of {replicas}, the number of all devices, not {recipe.batch_size}: it is "
            "the batch of all of them together."
        )
    return found


def scope(recipe: "Recipe") -> AbstractContextManager:
    """Returns the scope in which to make the trainer of a recipe, so that it trains on the recipe's devices."""
    found = of(recipe)
    return found.scope() if found else contextlib.nullcontext()


@functools.cache
def strategy(devices: int) -> "tf.distribute.Strategy | None":
    """Returns the strategy for so many devices on each machine; None for one device of one machine.

    TensorFlow must not have begun to compute. In a process all runs of as many devices share the strategy.

    Raises:
        UsageError: there are not as many devices, or TensorFlow has begun to compute without them.
    """
    cluster = cluster_resolver(devices)
    if cluster:
        return multi_worker(cluster)
    if devices == 1:
        return None
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        names = demand_devices([f"GPU:{number}" for number in range(len(gpus))], devices)
    else:
        names = logical_cpus(devices)
    # On one device, since the collective operations that are TensorFlow's default mix up the sums of a batch norm with
    # those of gradients ("Shape mismatch in the collective instance").
    return tf.distribute.MirroredStrategy(names, cross_device_ops=tf.distribute.ReductionToOneDevice())


def others(devices: int) -> list[str]:
    """Returns the names of devices of this machine, `devices - 1` of them: all but the one that TensorFlow takes first.

    For work without a strategy. Raises UsageError as `strategy` does.
    """
    if devices == 1:
        return []
    gpus = [f"GPU:{number}" for number in range(len(tf.config.list_physical_devices("GPU")))]
    return (demand_devices(gpus, devices) if gpus else logical_cpus(devices))[1:]


def demand_devices(found: list[str], devices: int) -> list[str]:
    """Returns the first of the devices found; raises UsageError if there are fewer."""
    if devices > len(found):
        raise UsageError(f"--devices must be at most {len(found)}, the GPUs of this machine, not {devices}.")
    return found[:devices]


def logical_cpus(devices: int) -> list[str]:
    """Returns the names of logical devices, into which the CPU is divided; says so on stderr."""
    split = [tf.config.LogicalDeviceConfiguration()] * devices
    try:
        cpu = tf.config.list_physical_devices("CPU")[0]
        if len(tf.config.get_logical_device_configuration(cpu) or []) < devices:
            tf.config.set_logical_device_configuration(cpu, split)
    except RuntimeError:
        raise UsageError(
            f"--devices {devices} divides the CPU, which TensorFlow must do before it computes: start a new process."
        ) from None
    print(f"No GPU: the CPU is divided into {devices} devices. This tries a run out; it is no faster.", file=sys.stderr)
    return [f"CPU:{number}" for number in range(devices)]


def cluster_resolver(devices: int) -> "tf.distribute.cluster_resolver.ClusterResolver | None":
    """Returns the workers that TF_CONFIG names, or the tasks of a step of SLURM; None if this process is the only one.

    Raises:
        UsageError: TF_CONFIG cannot be read.
    """
    if "TF_CONFIG" in os.environ:
        spec, (kind, index) = of_tf_config(os.environ["TF_CONFIG"])
    elif int(os.environ.get(SLURM_TASKS, "1")) > 1:
        # How many GPUs a task has is said below; SLURM itself shows each task its own.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver
        slurm = resolver(gpus_per_node=1024, gpus_per_task=1, auto_set_gpu=False)
        spec, (kind, index) = slurm.cluster_spec(), slurm.get_task_info()
    else:
        return None
    if sum(spec.num_tasks(job) for job in spec.jobs) == 1:
        return None
    gpus = [f"GPU:{number}" for number in range(len(tf.config.list_physical_devices("GPU")))]
    if gpus:
        demand_devices(gpus, devices)
    elif devices > 1:
        raise UsageError(f"--devices must be 1 for several workers without GPUs, not {devices}: start more workers.")
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        spec, task_type=kind, task_id=index, num_accelerators={"GPU": devices if gpus else 0}, rpc_layer="grpc"
    )


def of_tf_config(text: str) -> "tuple[tf.train.ClusterSpec, tuple[str, int]]":
    """Returns the cluster of a text of TF_CONFIG, and the task of this process; raises UsageError if it has none."""
    try:
        found = json.loads(text)
        spec = tf.train.ClusterSpec(found["cluster"])
        kind, index = found["task"]["type"], int(found["task"]["index"])
        spec.task_address(kind, index)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f'TF_CONFIG must be JSON like {{"cluster": {{"worker": ["host:port", ...]}}, "task": {{"type": "worker", '
            f'"index": 0}}}}: {type(error).__name__}: {error}.'
        ) from None
    if kind not in ("chief", "worker") or not set(spec.jobs) <= {"chief", "worker"}:
        raise UsageError("TF_CONFIG must name workers, and at most a chief: no evaluators or parameter servers.")
    return spec, (kind, index)


def multi_worker(cluster: "tf.distribute.cluster_resolver.ClusterResolver") -> "tf.distribute.Strategy":
    """Returns the strategy of several workers, once all of them are there."""
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(cluster)
    except RuntimeError:
        raise UsageError(
            "Workers meet before TensorFlow computes, and here it has begun: start a new process."
        ) from None


def alone(recipe: "Recipe") -> bool:
    """Returns whether this process is the only one that trains the run."""
    return not isinstance(of(recipe), tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(recipe: "Recipe") -> bool:
    """Returns whether this process writes the run: the only one, the chief, or worker 0 where there is no chief."""
    if alone(recipe):
        return True
    cluster = of(recipe).cluster_resolver
    return cluster.task_type == "chief" or (cluster.task_id == 0 and "chief" not in cluster.cluster_spec().jobs)


@contextlib.contextmanager
def workplace(recipe: "Recipe", runs_dir: Path | str, resume: Path | None) -> Iterator[Path]:
    """Gives the run directory to write to, locked. For a worker that is not the chief it is a passing one.

    All workers do the same, so that they stay in step; what the others write is removed at the end.

    Args:
        recipe: of the run.
        runs_dir: where a new run directory is made.
        resume: run directory to go on with; None makes a new one.
    """
    if is_chief(recipe):
        run = Path(resume) if resume else directory.create(runs_dir, recipe)
        with directory.lock(run):
            yield run
        return
    with tempfile.TemporaryDirectory(prefix="kgen-worker-") as folder:
        yield directory.create(folder, recipe)
