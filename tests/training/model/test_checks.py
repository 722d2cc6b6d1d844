"""Images and labels that fit, and those that do not."""

import numpy as np
import pytest

import kgen
from kgen.errors import UsageError
from kgen.training.model import checks
from tests.helpers.keras_models import PIXELS, gan


@pytest.fixture(scope="module")
def classed():
    return kgen.create("classifier", PIXELS, classes=3, width=2, features=4)


def test_labels_of_a_column_are_labels(classed):
    assert (checks.demand_labels(classed, np.array([[0], [2]]), 2) == [0, 2]).all()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "This model learns 3 classes: give labels too"),
        (np.eye(3)[[0, 1]], r"must be 2 integers, not float64 \(2, 3\); of one-hot rows give np.argmax"),
        (np.array([0, 3]), "must be from 0 to 2, these are from 0 to 3"),
        (np.array([0, 1, 2]), "must be 2 integers"),
    ],
)
def test_other_labels_are_told(classed, labels, words):
    with pytest.raises(UsageError, match=words):
        checks.demand_labels(classed, labels, 2)


def test_images_of_the_other_range_are_told():
    model = gan()
    with pytest.raises(UsageError, match="scale them"):
        checks.demand_images(model, np.full((2, 28, 28, 1), 0.5, np.float32))
    checks.demand_images(model, np.linspace(-1, 1, 784, dtype=np.float32).reshape(1, 28, 28, 1))
