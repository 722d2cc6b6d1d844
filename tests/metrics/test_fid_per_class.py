"""FID of each class against SciPy's square root of a matrix, and on generators that confuse classes."""

import numpy as np
import pytest
import scipy.linalg

from kgen.errors import UsageError
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real
from kgen.metrics.fid_per_class import distances
from tests.helpers.conditional import CLASSES, NETWORK, Conditional, coloured


def frechet(x, y):
    """Returns the distance with the root of a product of covariances by SciPy."""
    (m, c), (n, d) = ((rows.mean(axis=0), np.cov(rows.T)) for rows in (x, y))
    return ((m - n) ** 2).sum() + np.trace(c + d - 2 * scipy.linalg.sqrtm(c @ d).real)


def test_each_class_is_that_of_scipy():
    random = np.random.default_rng(0)
    fake, real = random.normal(size=(60, 3)), random.normal(1, 2, (90, 3))
    labels, real_labels = random.integers(3, size=60), random.integers(3, size=90)
    found = distances(fake, labels, real, real_labels, 3)
    expected = [frechet(fake[labels == label], real[real_labels == label]) for label in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def measured(generator, order=slice(None), metrics=("fid-per-class",)):
    images, labels = coloured(40, 1)
    real = Real(images[order], None, {"dataset": "colours"}, None, labels[order], CLASSES)
    found = Evaluator(list(metrics), real, NETWORK, 90)(generator)
    return [each for several in found.values() for each in several]


def test_a_generator_that_confuses_classes_is_seen_though_its_fid_is_good():
    right, wrong = (measured(Conditional(turn), metrics=("fid", "fid-per-class")) for turn in (0, 1))
    assert wrong[0].value == pytest.approx(right[0].value, rel=1e-6)  # the same images
    assert wrong[1].value > 20 * right[1].value
    assert all(wrong[1].found[name] > 20 * right[1].found[name] for name in CLASSES)


def test_one_confused_class_is_named():
    generator = Conditional(0)
    generator.blank = 2
    (found,) = measured(generator)
    assert max(found.found, key=found.found.get) == CLASSES[2]
    each = np.array(list(found.found.values()))
    assert list(found.found) == list(CLASSES)
    assert (found.value, found.spread) == pytest.approx((each.mean(), each.std()))


def test_neither_the_order_of_images_nor_of_classes_matters():
    (straight,) = measured(Conditional(0))
    (permuted,) = measured(Conditional(0, reverse=True), np.random.default_rng(0).permutation(120))
    assert permuted.found == pytest.approx(straight.found, rel=1e-6)


def test_a_measurement_has_its_protocol():
    (found,) = measured(Conditional(0))
    assert found.label == "FID per class, mean, on toy features" and not found.higher
    assert found.protocol["least_generated_of_a_class"] == 30 and found.protocol["least_real_of_a_class"] == 40
    assert found.spread_is == "standard deviation over 3 classes"
    assert found.warnings[0].startswith("of 30 images of a class it is biased upwards by much: take 2048 or more")


def test_mistakes_are_told():
    class Plain:
        draw = Conditional(0).draw

    with pytest.raises(UsageError, match="is of generators that are told the class of an image, such as acgan"):
        measured(Plain())
    other = Conditional(0)
    other.classes = ("red", "green", "grey")
    with pytest.raises(UsageError, match="classes are red, green, grey, those of the real images red, green, blue"):
        measured(other)
    with pytest.raises(ValueError, match="2 real images or more: class 1 has fewer"):
        distances(np.zeros((4, 2)), np.array([0, 0, 1, 1]), np.zeros((3, 2)), np.array([0, 0, 1]), 2)
