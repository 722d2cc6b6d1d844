"""Path length against SciPy's great circles, derivatives by hand, and generators that jump or round."""

import numpy as np
import pytest
import scipy.spatial

from kgen.errors import UsageError
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real
from kgen.metrics.features import Network
from kgen.metrics.path_length import lengths, slerp
from kgen.metrics.reference import Drawn

RANDOM = np.random.default_rng(0)
FIRST, SECOND = RANDOM.normal(size=(2, 50, 5))
T = RANDOM.random(50)
SIZE = (4, 4, 1)


def test_points_are_those_of_scipys_great_circles():
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (FIRST, SECOND)]
    circles = [scipy.spatial.geometric_slerp(*ends, at) for *ends, at in zip(*units, T, strict=True)]
    scale = (1 - T) * np.linalg.norm(FIRST, axis=1) + T * np.linalg.norm(SECOND, axis=1)
    np.testing.assert_allclose(slerp(FIRST, SECOND, T), scale[:, None] * circles, rtol=1e-6)
    np.testing.assert_allclose(slerp(FIRST, SECOND, np.zeros(50)), FIRST, atol=1e-12)
    np.testing.assert_allclose(slerp(FIRST, SECOND, np.ones(50)), SECOND, atol=1e-12)


def test_ends_on_one_line_have_points_between():
    found = slerp(FIRST, np.concatenate([2 * FIRST[:25], FIRST[25:]]), T)
    np.testing.assert_allclose(found[:25], FIRST[:25] * (1 + T[:25, None]), rtol=1e-6)
    np.testing.assert_allclose(found[25:], FIRST[25:], rtol=1e-6)
    assert np.isfinite(slerp(FIRST, -FIRST, T)).all()


def test_on_a_sphere_it_is_the_square_of_the_arc():
    ends = [3 * rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (FIRST, SECOND)]
    arcs = 3 * np.arccos((ends[0] * ends[1]).sum(axis=1) / 9)
    np.testing.assert_allclose(lengths(lambda z: z, *ends, T), arcs**2, rtol=1e-4)


def test_of_a_smooth_generator_it_is_the_square_of_the_derivative():
    """By the chain rule and the product rule, for f(G(z)) = tanh(z) W."""
    weights, fine = RANDOM.normal(size=(5, 7)), 1e-6
    sides = [slerp(FIRST, SECOND, T + sign * fine) for sign in (-1, 1)]
    slopes = (1 - np.tanh(slerp(FIRST, SECOND, T)) ** 2) * (sides[1] - sides[0]) / (2 * fine)
    expected = np.square(slopes @ weights).sum(axis=1)
    np.testing.assert_allclose(lengths(lambda z: np.tanh(z) @ weights, FIRST, SECOND, T), expected, rtol=0.02)


class Generator:
    """Paints latents of 16 numbers as images, by way of a function."""

    def __init__(self, paint):
        self.paint = paint

    def latents(self, seed, count):
        return np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)

    def decode(self, latent):
        return self.paint(np.asarray(latent, np.float64)).reshape(-1, *SIZE).astype(np.float32)

    def draw(self, seed, count):
        return self.decode(self.latents(seed, count))


def of_unit(images):
    """Returns pixels as features, of 50 images at most."""
    assert images.dtype == np.float32 and len(images) <= 50
    return images.reshape(len(images), -1)


NETWORK = Network("toy", None, {"network": "toy", "step": 7, "weights_sha256": ""}, of_unit=of_unit)


def measured(paint, network=NETWORK, count=120, seed=3):
    real = Real(np.zeros((2, *SIZE), np.uint8), None, {})
    (found,) = Evaluator(["path-length"], real, network, count, seed)(Generator(paint))["path-length"]
    return found


def smooth(z):
    return 0.5 + z / 20


def test_a_generator_that_jumps_is_longer():
    """The jumps here are waves of the same height, ten times as many."""
    even = measured(lambda z: 0.5 + np.sin(z) / 20)
    jumps = measured(lambda z: 0.5 + np.sin(10 * z) / 20)
    assert not even.warnings and jumps.value / even.value == pytest.approx(100, rel=0.4)


def test_a_measurement_has_its_error_and_protocol():
    found = measured(smooth)
    latents = np.float64(Generator(smooth).latents(3, 240))
    t = np.random.default_rng(3).random(120)
    each = lengths(lambda z: z / 20, latents[0::2], latents[1::2], t)
    assert found.value == pytest.approx(each.mean(), rel=0.01)
    assert found.spread == pytest.approx(each.std(ddof=1) / np.sqrt(120), rel=0.05)
    assert found.protocol["pairs"] == 120 and found.protocol["interval"] == 1e-4 and found.protocol["seed"] == 3
    assert (
        found.protocol["interpolation"] == "spherical"
        and found.protocol["network"] == "toy"
        and found.protocol["step"] == 7
    )
    assert found.label == "Path length on toy features" and not found.higher
    other = measured(smooth, seed=4).value
    assert other != found.value and other == pytest.approx(found.value, rel=0.2)


def test_coarse_numbers_are_told():
    """Images that were rounded have jumps, which short steps either miss or divide by little."""
    assert not measured(smooth).warnings
    (words,) = measured(lambda z: np.rint(50 * smooth(z)) / 50).warnings
    assert "the networks' numbers are coarse, see --precision" in words
    (words,) = measured(lambda z: np.full_like(z, 0.5)).warnings


def test_mistakes_are_told():
    with pytest.raises(UsageError, match="path-length needs --classifier"):
        measured(smooth, NETWORK._replace(of_unit=None))
    drawn, real = Drawn(np.zeros((3, *SIZE), np.float32)), Real(np.zeros((2, *SIZE), np.uint8), None, {})
    with pytest.raises(UsageError, match="is of models that draw images of noise: give a run or an export"):
        Evaluator(["path-length"], real, NETWORK, 3)(drawn)
