"""Measures do not change with the order of images, names of files and classes, block sizes, batch sizes or threads."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgen import data, images
from kgen.metrics import features, fid, inception_score, kid, mmd, parzen, precision_recall, reference
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real

EVERY = ["parzen", "mmd", "mmd-report004", "fid", "kid", "pr", "is", "is-biased"]
some = settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SEEDS, SIZES = st.integers(0, 2**31), st.integers(5, 70)


class Given:
    """A generator whose images `(n, ...)`, uint8, are given."""

    def __init__(self, pixels):
        self.pixels = pixels

    def stream(self, seed, count):
        yield self.pixels[:count] / np.float32(255), None


def look(pixels):
    """Stands for a network: random features of the pixels, and logits of ten classes."""
    rows = pixels.reshape(len(pixels), -1) / np.float32(255)
    return np.tanh(rows @ WEIGHTS[: rows.shape[1], :6]), rows @ WEIGHTS[: rows.shape[1], 6:]


WEIGHTS = np.random.default_rng(1).normal(size=(192, 16)).astype(np.float32)
NETWORK = features.Network("toy", look, {"network": "toy", "weights_sha256": ""}, np.zeros(10, np.float32))


def pictures(count, seed, classes=2):
    """Returns images uint8 `(count, 8, 8, 3)`, class after class, each of a colour with noise; some occur twice."""
    random = np.random.default_rng(seed)
    colours = random.integers(40, 215, (classes, 1, 1, 3)).repeat(-(-count // classes), axis=0)[:count]
    found = np.clip(colours + random.normal(0, 25, (count, 8, 8, 3)), 0, 255).astype(np.uint8)
    found[1] = found[0]
    return found


def values(real, validation, drawn, metrics=EVERY):
    """Returns `{name: (value, spread)}` of measurements."""
    found = Evaluator(metrics, Real(real, validation, {}), NETWORK, len(drawn))(Given(drawn))
    return {each.name: (each.value, each.spread or 0) for measured in found.values() for each in measured}


def close(found, expected):
    """Compares to the digits of float32, in which features are computed."""
    assert found.keys() == expected.keys()
    for name, pair in expected.items():
        assert found[name] == pytest.approx(pair, rel=1e-4, abs=1e-6), name


@some
@given(SEEDS, SIZES, SIZES)
def test_order_blocks_and_batches(seed, block, batch):
    sets = pictures(60, 0), pictures(30, 1), pictures(50, 2)
    straight = values(*sets)
    random = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        for module in (mmd, precision_recall):
            patch.setattr(module, "BLOCK", block)
        patch.setattr(features, "BATCH", batch)
        found = values(*(random.permutation(each) for each in sets))
    assert len(found) == 14
    close(found, straight)


@some
@given(SIZES)
def test_parzens_blocks(block):
    samples, shown = (pictures(count, count) / np.float32(255) for count in (50, 60))
    expected = parzen.log_likelihoods(samples, shown, parzen.OFFICIAL)
    np.testing.assert_allclose(parzen.log_likelihoods(samples, shown, parzen.OFFICIAL, block), expected, rtol=1e-12)


def written(folder, pixels, classes, random):
    """Writes pictures below names drawn at random: two halves in class folders, or all in one."""
    numbers = random.permutation(len(pixels))
    for i, picture in enumerate(pixels):
        place = folder / classes[2 * i // len(pixels)] if classes else folder
        place.mkdir(parents=True, exist_ok=True)
        images.save_png(place / f"{numbers[i]:03d}.png", picture)
    return folder


@pytest.mark.parametrize("classes", [("a", "b"), ("b", "a"), ("9", "10"), ("x y", "\u00e9")])
@pytest.mark.parametrize("threads", [1, 7])
def test_names_and_threads(classes, threads, tmp_path, monkeypatch):
    """A slice of the folder too is the same images."""
    random = np.random.default_rng([threads, len(classes[0])])
    real, validation, drawn = pictures(60, 3), pictures(30, 4), pictures(40, 5)
    plain = written(tmp_path / "plain", real, ("a", "b"), np.random.default_rng(0))
    straight = {
        part: values(data.load(f"folder:{plain}", part, size=8).images, validation, drawn)
        for part in ("train", "train[10:50]")
    }
    named = written(tmp_path / "named", real, classes, random)
    generated = written(tmp_path / "generated", drawn, (), random)
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    again = reference.folder(generated, (8, 8, 3))
    for part, expected in straight.items():
        close(values(data.load(f"folder:{named}", part, size=8).images, validation, again), expected)


def test_an_order_that_matters_is_seen():
    """The pure functions of pairs and subsets do depend on it: it is the evaluator that does not."""
    real, drawn = (pictures(count, count).reshape(count, -1) / np.float32(255) for count in (60, 50))
    kernel = mmd.gaussian(1.0)
    pairs = [mmd.linear_time(real[:50], each, kernel).value for each in (drawn, drawn[::-1])]
    subsets = [kid.kernel_distance(real, each, 10, 20).mean for each in (drawn, drawn[::-1])]
    splits = [
        inception_score.classifier_score(each).mean for each in (drawn, np.random.default_rng(0).permutation(drawn))
    ]
    for one, other in (pairs, subsets, splits):
        assert abs(one - other) > 1e-6
    distances = [fid.frechet_distance(fid.statistics(real), fid.statistics(each)) for each in (drawn, drawn[::-1])]
    assert distances[0] == pytest.approx(distances[1])
