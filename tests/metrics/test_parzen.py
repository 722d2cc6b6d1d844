"""Parzen log-likelihood against numbers by hand, scikit-learn, and the official protocol on real MNIST."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

from kgen import data
from kgen.data import Images
from kgen.errors import UsageError
from kgen.images.order import order_by_content
from kgen.metrics import parzen
from kgen.metrics.evidence import Evidence, Real
from kgen.metrics.features import Cache
from kgen.metrics.reference import Drawn


def images(count, size=6, seed=0):
    return np.random.default_rng(seed).uniform(size=(count, size))


def test_one_sample_is_a_normal_distribution_in_all_its_dimensions():
    found = parzen.log_likelihoods([[0.5, 0.5, 0.5]], [[0.5, 0.7, 0.1]], [0.2])
    expected = -(0.2**2 + 0.4**2) / (2 * 0.2**2) - 3 * math.log(0.2 * math.sqrt(2 * math.pi))
    assert found.shape == (1, 1) and found[0, 0] == pytest.approx(expected, rel=1e-12)


def test_two_samples_are_their_mean():
    found = parzen.log_likelihoods([[0.0], [1.0]], [[0.25]], [0.5])[0, 0]
    densities = [math.exp(-(d**2) / 0.5) / (0.5 * math.sqrt(2 * math.pi)) for d in (0.25, 0.75)]
    assert found == pytest.approx(math.log(sum(densities) / 2), rel=1e-12)


@pytest.mark.parametrize("sigma", [1e-3, 0.01, 0.1, 1.0])
def test_equals_scikit_learn(sigma):
    samples, test = images(40), images(30, seed=1)
    expected = KernelDensity(bandwidth=sigma).fit(samples).score_samples(test)
    found = parzen.log_likelihoods(samples, test, [sigma])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isfinite(found).all()


def test_far_images_do_not_underflow():
    samples, test = images(40), images(30, seed=1)
    with np.errstate(divide="ignore"):
        naive = np.log(np.exp(-((test[:, None] - samples) ** 2).sum(axis=2) / 2e-6).mean(axis=1))
    assert np.isneginf(naive).all() and np.isfinite(parzen.log_likelihoods(samples, test, [1e-3])).all()


def test_blocks_change_nothing():
    whole = parzen.log_likelihoods(images(20), images(13, seed=1), [0.1, 0.3])
    parts = parzen.log_likelihoods(images(20), images(13, seed=1), [0.1, 0.3], block=5)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_sigma_is_the_validation_images_choice():
    samples, near, far = images(50), images(50) * 0.98 + 0.01, images(30, seed=2)
    found = parzen.parzen(samples, near, far)
    every = parzen.log_likelihoods(samples, near, parzen.OFFICIAL).mean(axis=1)
    others = parzen.log_likelihoods(samples, far, parzen.OFFICIAL)
    assert found.sigma == parzen.OFFICIAL[every.argmax()] == 0.1 and found.edge
    assert others.mean(axis=1).argmax() != every.argmax()
    assert found.mean == pytest.approx(others[0].mean())
    assert found.error == pytest.approx(others[0].std(ddof=1) / math.sqrt(30))
    assert not parzen.parzen(samples, far, near).edge
    top = parzen.parzen(samples, far, near, [0.01, 0.02])
    assert top.sigma == 0.02 and top.edge and top.validation.shape == (2,)


def test_the_fine_grid_has_the_official_one_in_it():
    np.testing.assert_allclose(parzen.FINE[::10], parzen.OFFICIAL)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"samples": images(3) + 1}, r"`samples` must be in \[0, 1\]"),
        ({"test": images(3) * np.nan}, r"`images` must be in \[0, 1\]"),
        ({"samples": images(3) - 1}, r"`samples` must be in \[0, 1\]"),
        ({"validation": images(3, 5)}, "rows of the same length. Received: 6 and 5"),
        ({"grid": []}, "`grid` must be standard deviations above 0"),
        ({"grid": [0.0, 0.1]}, "`grid` must be standard deviations above 0"),
        ({"grid": [0.1, np.nan]}, "`grid` must be standard deviations above 0"),
        ({"test": images(1)}, "`test` must be 2 or more images"),
        ({"samples": images(0)}, "`samples` must be 1 or more rows"),
    ],
)
def test_mistakes_are_told(change, words):
    good = {"samples": images(4), "validation": images(4), "test": images(4), "grid": parzen.OFFICIAL}
    with pytest.raises(ValueError, match=words):
        parzen.parzen(**{**good, **change})


def mnist(real_data, split):
    pictures = data.load("mnist", split, data_dir=real_data).images / np.float32(255)
    return pictures.reshape(len(pictures), -1)


@pytest.mark.parametrize(
    "count, expected, error",
    [
        (None, -59.14, 0.96),
        (1_000, 120.29, None),
        pytest.param(10_000, 242.50, 2.12, marks=pytest.mark.slow),
    ],
)
def test_the_official_protocol_on_real_mnist(count, expected, error, real_data):
    if not (real_data / "mnist").is_dir():
        pytest.skip(f"no MNIST in {real_data}")
    train = mnist(real_data, "train[:50000]")
    chosen = np.random.default_rng(0).permutation(50_000)[:count]
    samples = train[chosen] if count else train.mean(axis=0, keepdims=True)
    found = parzen.parzen(samples, mnist(real_data, "train[50000:51000]"), mnist(real_data, "test"))
    assert found.mean == pytest.approx(expected, abs=0.05)
    assert error is None or found.error == pytest.approx(error, abs=0.01)


GROWTH = """
import re
import numpy as np
def peak():  # of this program; getrusage's begins at the peak of the process that started it
    return 1024 * int(re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
random = np.random.default_rng(0)
samples, test = random.random((10_000, 3_072), np.float32), random.random((10_000, 3_072), np.float32)
held = peak()
from kgen.metrics import parzen
parzen.log_likelihoods(samples, test, [0.2])
print(peak() - held)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_ten_thousand_colour_images_fit_in_a_gigabyte():
    """Above the two arrays: at least the samples as float64, or what was measured is not this."""
    command = [sys.executable, "-c", GROWTH]
    grown = int(subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[2]).stdout)
    assert 8 * 10_000 * 3_072 < grown < 1e9


def test_report_003_chooses_sigma_by_training_images_and_says_so():
    random = np.random.default_rng(0)
    training, validation, test = (random.integers(0, 256, (200, 3, 3, 1), np.uint8) for _ in range(3))
    tenth = training[order_by_content(training, "parzen")[:20]] / np.float32(255)
    drawn = training / np.float32(255)  # a generator that repeats what it was trained on
    evidence = Evidence(
        Real(test, validation, {}, Images(training, None, ())), Drawn(drawn), None, None, 200, 0, Cache(None)
    )
    (found,) = parzen.measure_report003(evidence)
    expected = parzen.parzen(evidence.fake, tenth, evidence.real_unit)
    assert (found.value, found.found["sigma"]) == pytest.approx((expected.mean, expected.sigma))
    assert found.found["sigma"] == parzen.OFFICIAL[0] < parzen.measure(evidence)[0].found["sigma"]
    assert found.protocol["sigma by"] == "20 training images" and "validation" not in found.protocol
    assert (
        "sigma was chosen by training images: it compares with the values of student report 003" in found.warnings[-1]
    )


def test_report_003s_protocol_needs_training_images():
    real = Real(np.zeros((4, 3, 3, 1), np.uint8), None, {})
    with pytest.raises(UsageError, match="^This metric needs the training images"):
        parzen.measure_report003(Evidence(real, None, None, None, 4, 0, Cache(None)))
