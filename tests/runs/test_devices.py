"""Which devices and workers a run gets, and what is refused."""

import dataclasses
import json
import os

import pytest
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.runs import devices, directory

RECIPE = dataclasses.replace(recipes.find("dcgan"), batch_size=6)


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    for name in [name for name in os.environ if name == "TF_CONFIG" or name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    devices.strategy.cache_clear()
    yield
    devices.strategy.cache_clear()


def gpus(monkeypatch, count):
    found = [f"/physical_device:GPU:{number}" for number in range(count)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: found if kind == "GPU" else ["CPU"])


def tf_config(monkeypatch, index=0, kind="worker", **jobs):
    jobs = jobs or {"worker": ["a:1", "b:1"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}}))


class Strategy:
    """Stands for the strategy of several workers."""

    num_replicas_in_sync = 2

    def __init__(self, cluster):
        self.cluster_resolver = cluster


@pytest.fixture
def workers(monkeypatch):
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", Strategy)


def test_one_device_needs_no_strategy():
    assert devices.of(RECIPE) is None and devices.is_chief(RECIPE) and devices.alone(RECIPE)
    with devices.scope(RECIPE):
        assert not tf.distribute.has_strategy()


def test_more_gpus_than_there_are_is_a_usage_error(monkeypatch):
    gpus(monkeypatch, 2)
    with pytest.raises(UsageError, match="^--devices must be at most 2, the GPUs of this machine, not 3.$"):
        devices.of(dataclasses.replace(RECIPE, devices=3))


def test_the_first_gpus_are_taken(monkeypatch):
    gpus(monkeypatch, 3)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda names, cross_device_ops: names)
    assert devices.strategy(2) == ["GPU:0", "GPU:1"]


def test_a_cpu_that_computes_already_is_not_divided(capsys):
    tf.constant(1) + 1
    with pytest.raises(UsageError, match="start a new process"):
        devices.strategy(61)
    assert capsys.readouterr().err == ""


def test_a_batch_that_cannot_be_divided_is_a_usage_error(monkeypatch, workers):
    tf_config(monkeypatch)
    assert devices.of(RECIPE).num_replicas_in_sync == 2
    with pytest.raises(UsageError, match="^--batch-size must be a multiple of 2, the number of all devices, not 5"):
        devices.of(dataclasses.replace(RECIPE, batch_size=5))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}']
)
def test_a_tf_config_that_cannot_be_read_is_a_usage_error(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UsageError, match="^TF_CONFIG must be JSON like"):
        devices.is_chief(RECIPE)


def test_parameter_servers_are_refused(monkeypatch):
    tf_config(monkeypatch, worker=["a:1", "b:1"], ps=["c:1"])
    with pytest.raises(UsageError, match="no evaluators or parameter servers"):
        devices.is_chief(RECIPE)


def test_one_worker_is_none(monkeypatch):
    tf_config(monkeypatch, worker=["a:1"])
    assert devices.strategy(1) is None


def test_workers_without_gpus_have_one_device_each(monkeypatch):
    tf_config(monkeypatch)
    with pytest.raises(UsageError, match="^--devices must be 1 for several workers without GPUs, not 2"):
        devices.strategy(2)


@pytest.mark.parametrize(
    "task, jobs, chief",
    [
        (("worker", 0), {"worker": ["a:1", "b:1"]}, True),
        (("worker", 1), {"worker": ["a:1", "b:1"]}, False),
        (("chief", 0), {"chief": ["a:1"], "worker": ["b:1"]}, True),
        (("worker", 0), {"chief": ["a:1"], "worker": ["b:1"]}, False),
    ],
)
def test_only_the_chief_writes_to_the_run(task, jobs, chief, monkeypatch, workers, tmp_path):
    tf_config(monkeypatch, task[1], task[0], **jobs)
    assert devices.is_chief(RECIPE) is chief and not devices.alone(RECIPE)
    with devices.workplace(RECIPE, tmp_path, None) as run:
        assert directory.read_recipe(run) == RECIPE
        assert (run.parent == tmp_path) is chief
    assert run.exists() is chief and len(list(tmp_path.iterdir())) == chief


def test_a_run_that_goes_on_stays_where_it_is_and_is_locked(tmp_path):
    run = directory.create(tmp_path, RECIPE)
    with devices.workplace(RECIPE, tmp_path, run) as found:
        assert found == run
        with pytest.raises(UsageError, match="is being trained by another process"):
            with devices.workplace(RECIPE, tmp_path, run):
                pass


def test_the_tasks_of_a_step_of_slurm_are_the_workers(monkeypatch):
    step = {"NUM_TASKS": "4", "NODELIST": "n[1-2]", "TASKS_PER_NODE": "2(x2)"}
    for name, value in step.items():
        monkeypatch.setenv(f"SLURM_STEP_{name}", value)
    monkeypatch.setenv("SLURM_PROCID", "3")
    found = devices.cluster_resolver(1)
    assert found.cluster_spec().as_dict() == {"worker": ["n1:8888", "n1:8889", "n2:8888", "n2:8889"]}
    assert (found.task_type, found.task_id, found.num_accelerators()) == ("worker", 3, {"GPU": 0})
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert devices.cluster_resolver(1) is None


def test_each_worker_takes_as_many_gpus_as_asked_for(monkeypatch):
    tf_config(monkeypatch)
    gpus(monkeypatch, 4)
    assert devices.cluster_resolver(2).num_accelerators() == {"GPU": 2}
    with pytest.raises(UsageError, match="at most 4"):
        devices.cluster_resolver(5)
