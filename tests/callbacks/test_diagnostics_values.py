"""The values of a diagnosis: distances against SciPy, and what a real training leaves."""

import dataclasses
import json
import math

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file
from scipy.spatial.distance import pdist
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from kgen.callbacks import Diagnostics
from kgen.callbacks.diagnostics import comparable, distances, pairwise
from kgen.core import recipe as recipes
from kgen.data import Images, pipeline
from kgen.runs import build
from kgen.training import train as training
from tests.helpers.processes import log

RANDOM = np.random.default_rng(0)
CLASSES = ("a", "b", "c")
REAL = Images(RANDOM.integers(0, 256, (90, 6, 6, 1), np.uint8), np.repeat(np.arange(3), 30), CLASSES)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_distances_against_scipy():
    pictures = RANDOM.uniform(0, 1, (7, 5, 4, 3))
    truth = pdist(pictures.reshape(7, -1)) / math.sqrt(60)
    np.testing.assert_allclose(pairwise(pictures)[np.triu_indices(7, 1)], truth, rtol=1e-12)
    assert distances(pictures) == {"sample_distance": pytest.approx(truth.mean(), abs=1e-6)}
    labels = np.array([0, 2, 0, 2, 2, 5, 0])  # 5 has no pair
    within = [pdist(pictures[labels == label].reshape(3, -1)).mean() / math.sqrt(60) for label in (0, 2)]
    assert distances(pictures, labels) == {
        "sample_distance": pytest.approx(truth.mean(), abs=1e-6),
        "within_class_distance": pytest.approx(np.mean(within), abs=1e-6),
    }


def test_the_scale_of_distances():
    black, white = np.zeros((1, 8, 8, 3), np.float32), np.ones((1, 8, 8, 3), np.float32)
    assert distances(np.concatenate([black, white])) == {"sample_distance": 1.0}
    assert distances(np.repeat(RANDOM.uniform(0, 1, (1, 8, 8, 3)), 5, axis=0)) == {"sample_distance": 0.0}
    assert distances(black) == distances(black, np.zeros(1)) == {}


def test_near_copies_are_told_apart():
    """A Gram matrix in float32, or of pictures far from the origin, loses such differences."""
    pictures = 0.9 + 1e-5 * RANDOM.uniform(0, 1, (6, 32, 32, 3))
    truth = pdist(pictures.reshape(6, -1)) / math.sqrt(3072)
    np.testing.assert_allclose(pairwise(pictures)[np.triu_indices(6, 1)], truth, rtol=1e-6)


def test_real_images_are_those_of_real_png():
    pictures, labels = comparable(REAL, 12, 0, seed=3)
    np.testing.assert_array_equal(pictures * 255, REAL.images[pipeline.indices(3, 0, 12, 90)])
    assert labels is None
    assert len(comparable(REAL, 100, 0, seed=3)[0]) == 90, "no image twice, which would be a distance of 0"


def test_real_images_have_the_classes_of_the_sheet():
    pictures, labels = comparable(REAL, 12, 3, seed=3)
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], 4))
    rows = [np.flatnonzero((REAL.images == picture * 255).all(axis=(1, 2, 3))) for picture in pictures]
    assert len({int(row) for (row,) in rows}) == 12
    np.testing.assert_array_equal(REAL.labels[np.concatenate(rows)], labels)
    assert len(comparable(Images(REAL.images[28:32], REAL.labels[28:32], CLASSES), 12, 3, seed=3)[0]) == 4
    assert comparable(REAL._replace(labels=None), 12, 3, seed=3)[1] is None


# A real training.

SMALL = {"generator_width": 16, "discriminator_units": 4, "pieces": 2, "latent_dim": 8, "batch_size": 8, "ema": 0.9}
CLOCKS = {"steps": 22, "log_every": 5, "sample_every": 10, "checkpoint_every": 5}
MEANS = {
    "generator_loss", "discriminator_loss", "generator_gradient_norm", "discriminator_gradient_norm", "real_score",
    "fake_score",
}  # fmt: skip


def train(folder, resume=None, **changes):
    small = dataclasses.replace(recipes.find("gan"), **{**SMALL, **CLOCKS, **changes})
    return training.train(small, folder / "runs", folder / "exports", resume).run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("straight"))


def test_a_training_leaves_a_diagnosis(run):
    lines = lines_of(run / "diagnosis.jsonl")
    assert [line["step"] for line in lines] == [0, 10, 20, 22]
    pictured = {"step", "sample_distance", "real_distance", "warnings"}
    assert [set(line) for line in lines] == [pictured] + 3 * [pictured | MEANS]
    logged = {line["step"]: line for line in log(run)}
    for line in lines[1:]:
        assert {name: line[name] for name in MEANS} == {name: logged[line["step"]][name] for name in MEANS}
    images = build.load(recipes.find("gan")).images
    real = images[pipeline.indices(0, 0, 64, len(images))].reshape(64, -1) / 255
    assert lines[-1]["real_distance"] == pytest.approx(pdist(real).mean() / 28, abs=1e-6)


def test_tensorboard_has_the_diagnosis(run):
    events = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0}).Reload()
    tags = {tag for tag in events.Tags()["tensors"] if tag.startswith("diagnosis/")}
    assert tags == {f"diagnosis/{name}" for name in {"sample_distance", "real_distance"} | MEANS}
    found = [
        (event.step, float(tf.make_ndarray(event.tensor_proto))) for event in events.Tensors("diagnosis/real_score")
    ]
    lines = lines_of(run / "diagnosis.jsonl")[1:]
    assert found == [(line["step"], pytest.approx(line["real_score"], rel=1e-6)) for line in lines]


def test_a_resumed_training_leaves_the_same_file(run, tmp_path):
    first = train(tmp_path, steps=10)
    train(tmp_path, first)
    assert (first / "diagnosis.jsonl").read_bytes() == (run / "diagnosis.jsonl").read_bytes()


def test_looking_changes_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setattr(Diagnostics, "on_train_begin", lambda self, logs=None: None)
    monkeypatch.setattr(Diagnostics, "at", lambda self, step: None)
    blind = train(tmp_path)
    assert not (blind / "diagnosis.jsonl").exists() and log(blind) == log(run)
    state, other = (load_file(path / "checkpoints/000022/state.safetensors") for path in (run, blind))
    for name in state:
        np.testing.assert_array_equal(state[name], other[name], name)
