"""The test of data copying against SciPy's Mann-Whitney test and scikit-learn's neighbours, and on planted copies."""

import numpy as np
import pytest
import scipy.stats
from sklearn.neighbors import NearestNeighbors

from kgen import data
from kgen.errors import UsageError
from kgen.metrics import memorization
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real
from kgen.metrics.memorization import copying, nearest
from kgen.metrics.reference import Drawn

RANDOM = np.random.default_rng(0)


def pictures(count, seed):
    """Returns grey images of one distribution, uint8 `(count, 4, 4, 1)`."""
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 1), np.uint8)


def rows(images):
    return images.reshape(len(images), -1) / 255


def measured(samples, held_out, training):
    real = Real(held_out, None, {"dataset": "noise"}, data.Images(training, None, ()))
    (found,) = Evaluator(["memorization"], real, None, len(samples))(Drawn(samples / np.float32(255)))["memorization"]
    return found


@pytest.mark.parametrize("block", [3, 1_000])
def test_distances_are_those_of_scikit_learn(block, monkeypatch):
    monkeypatch.setattr(memorization, "BLOCK", block)
    images, training = pictures(30, 1), pictures(50, 2)
    images[4] = training[17]
    expected = NearestNeighbors(n_neighbors=1).fit(rows(training)).kneighbors(rows(images))[0][:, 0]
    found = nearest(images, training)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found[4] == 0


@pytest.mark.parametrize("ties", [False, True])
def test_the_score_is_that_of_scipy(ties):
    samples, held_out = RANDOM.normal(0.3, 1, 40), RANDOM.normal(0, 1, 55)
    if ties:
        samples, held_out = samples.round(), held_out.round()
    found = copying(samples, held_out)
    for alternative, p in (("less", found.p_value), ("greater", 1 - found.p_value)):
        expected = scipy.stats.mannwhitneyu(
            samples, held_out, use_continuity=False, alternative=alternative, method="asymptotic"
        )
        assert p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.nearer == pytest.approx(1 - expected.statistic / (40 * 55))
    assert scipy.stats.norm.cdf(found.z) == pytest.approx(found.p_value)


def test_equal_distances_have_no_score():
    assert copying(np.ones(3), np.ones(4)) == (0.0, 0.5, 0.5)


def test_without_copying_scores_are_standard_normal():
    found = [copying(*RANDOM.exponential(size=(2, 30))).z for _ in range(500)]
    assert scipy.stats.kstest(found, "norm").pvalue > 0.01


def test_copies_are_seen_and_new_images_are_not():
    """A generator of training images with a little noise, one of new images, and one of grey ones that are far."""
    training, held_out = pictures(300, 3), pictures(200, 4)
    noisy = np.uint8(np.clip(training[:200] + RANDOM.integers(-9, 10, (200, 4, 4, 1)), 0, 255))
    copied, new = measured(noisy, held_out, training), measured(pictures(200, 5), held_out, training)
    assert copied.value < -15 and copied.found["p_value"] < 1e-9 and copied.found["nearer"] > 0.99
    assert copied.found["median_of_samples"] < copied.found["median_of_held_out"] / 5
    assert abs(new.value) < 3 and 0.4 < new.found["nearer"] < 0.6
    assert measured(255 * (pictures(200, 6) // 128), held_out, training).value > 15
    half = np.concatenate([noisy[:100], pictures(100, 7)])
    assert copied.value < measured(half, held_out, training).value < -5


def test_the_order_of_images_does_not_matter(monkeypatch):
    monkeypatch.setattr(memorization, "COMPARED", 50)
    monkeypatch.setattr(memorization, "BLOCK", 7)
    sets = pictures(90, 8), pictures(60, 9), pictures(80, 10)
    found, again = measured(*sets), measured(*map(RANDOM.permutation, sets))
    assert (found.value, found.found) == (again.value, again.found)


def test_a_measurement_has_its_protocol(monkeypatch):
    monkeypatch.setattr(memorization, "COMPARED", 50)
    found = measured(pictures(60, 1), pictures(20, 2), pictures(30, 3))
    sizes = {"real": 20, "generated": 60, "compared": 50, "held_out": 20, "training": 30}
    assert found.protocol == {"dataset": "noise", "seed": 0, **sizes, "distance": "Euclidean, of pixels", "cells": 1}
    assert found.higher is None and not found.warnings  # neither far above 0 nor below it is better


def test_held_out_images_that_were_trained_on_are_told():
    (words,) = measured(pictures(9, 1), pictures(20, 2), pictures(20, 2)[:15]).warnings
    assert words.startswith("15 of 20 held-out images are training images")


def test_unknown_training_images_are_told():
    with pytest.raises(UsageError, match="This metric needs the training images"):
        Evaluator(["memorization"], Real(pictures(9, 1), None, {}), None, 9)(Drawn(pictures(9, 2) / np.float32(255)))
