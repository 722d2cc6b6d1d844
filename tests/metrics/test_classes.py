"""Classes found by a classifier, against counts by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.metrics import classes
from kgen.metrics.evaluator import Evaluator
from kgen.metrics.evidence import Real
from kgen.metrics.features import Network
from kgen.metrics.reference import Drawn


def logits_of(labels, classes=10):
    """Returns logits whose greatest are `labels`; their others differ."""
    return np.eye(classes)[labels] * 3 + np.random.default_rng(0).uniform(0, 1, (len(labels), classes))


@pytest.mark.parametrize(
    "labels, expected",
    [
        ([0] * 100, 1),
        ([0] * 99 + [1], 2),  # one of 100 is a tenth of an even share of 10
        ([0] * 199 + [1], 1),  # one of 200 is half of that
        (list(range(10)) * 3, 10),
    ],
)
def test_a_class_is_found_from_a_tenth_of_an_even_share(labels, expected):
    found = classes.classes_found(logits_of(labels))
    assert found.classes == expected
    assert found.counts.tolist() == [labels.count(label) for label in range(10)]


def test_the_measurement_has_the_counts_and_the_network():
    reals, grey = np.zeros((8, 4, 4, 1), np.uint8), np.arange(6) / 5
    drawn = Drawn(np.full((6, 4, 4, 1), grey[:, None, None, None], np.float32))
    network = Network(
        "toy-classifier",
        lambda pixels: (pixels.reshape(len(pixels), -1), logits_of(pixels[:, 0, 0, 0] // 128, 2)),
        {"network": "toy-classifier", "weights_sha256": ""},
    )
    (found,) = Evaluator(["classes"], Real(reals, None, {}), network, 6)(drawn)["classes"]
    assert (found.value, found.found) == (2.0, {"counts": [3, 3]})  # 0, 51, 102 and 153, 204, 255
    assert found.protocol["network"] == "toy-classifier" and "2 found by toy-classifier" in found.label


def test_inception_cannot_tell_the_classes():
    with pytest.raises(UsageError, match="classes needs --classifier"):
        classes.measure(SimpleNamespace(network=SimpleNamespace(name="")))


@pytest.mark.parametrize("logits", [np.zeros((0, 3)), np.full((2, 3), np.nan)])
def test_mistakes_are_told(logits):
    with pytest.raises(ValueError, match="`logits` must be"):
        classes.classes_found(logits)
