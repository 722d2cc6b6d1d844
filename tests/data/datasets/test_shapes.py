"""The shapes: each factor changes what its name says, and all combinations are there."""

import numpy as np
import pytest

from kgen import data
from kgen.data.datasets import shapes
from kgen.errors import UsageError


def drawn(shape=0, scale=3, rotation=0, x=0, y=0):
    """Returns an image as float64 `(32, 32)` in [0, 1]."""
    return shapes.render(np.array([[shape, scale, rotation, x, y]]))[0, ..., 0] / 255


def test_every_combination_is_there_once_and_no_two_images_are_equal():
    values, loaded = shapes.factors(), data.load("shapes")
    assert len(np.unique(values, axis=0)) == len(values) == 3 * 4 * 8 * 8 * 8 == len(loaded.images)
    assert (values.min(axis=0) == 0).all() and (values.max(axis=0) + 1 == list(shapes.FACTORS.values())).all()
    assert len(np.unique(loaded.images.reshape(len(values), -1), axis=0)) == len(values)
    np.testing.assert_array_equal(loaded.labels, values[:, 0])
    assert loaded.classes == ("square", "ellipse", "heart") and loaded.images.shape[1:] == (32, 32, 1)
    np.testing.assert_array_equal(loaded.images[4321:4323], shapes.render(values[4321:4323]))


def test_areas_are_those_of_the_formulas():
    """In pixels, 16 to a unit; a heart has 3.66 for (a, b). Off by at most half a point, 1/8, along an outline."""
    for kind, unit in enumerate((1.6**2, np.pi / 2, 3.66 / 1.25**2)):
        for scale, radius in ((0, 0.2), (3, 0.4)):
            area = unit * (16 * radius) ** 2
            assert drawn(kind, scale, x=3, y=4).sum() == pytest.approx(area, abs=4 * np.sqrt(area) / 8)


def test_x_grows_to_the_right_and_y_upwards():
    rows, columns = np.mgrid[:32, :32] + 0.5
    for x, y in ((0, 0), (7, 2), (3, 7)):
        image = drawn(1, x=x, y=y)
        place = 16 + 16 * 0.5 * (2 * np.array([x, y]) / 7 - 1)
        assert (image * columns).sum() / image.sum() == pytest.approx(place[0], abs=0.1)
        assert (image * rows).sum() / image.sum() == pytest.approx(32 - place[1], abs=0.1)


def test_rotations_turn_counter_clockwise_by_an_eighth_of_a_quarter():
    rows, columns = np.mgrid[:32, :32] + 0.5
    for turn in range(8):
        image = drawn(1, 3, turn, 4, 4)  # the long axis of an ellipse lies along x at first
        dx, dy = columns - (image * columns).sum() / image.sum(), (image * rows).sum() / image.sum() - rows
        moments = [(image * a * b).sum() for a, b in ((dx, dx), (dy, dy), (dx, dy))]
        angle = np.arctan2(2 * moments[2], moments[0] - moments[1]) / 2
        assert np.degrees(angle) == pytest.approx(90 / 8 * turn, abs=2)


def test_a_heart_has_its_tip_below():
    image = drawn(2, 3, 0, 4, 4)
    rows = np.flatnonzero(image.sum(axis=1))
    assert image[rows[-1]].sum() < 3 < image[rows[0] + 1].sum()


def test_there_is_one_split_and_it_can_be_sliced_and_resized():
    assert data.load("shapes", "train[:7]", size=16).images.shape == (7, 16, 16, 1)
    with pytest.raises(UsageError, match="train"):
        data.load("shapes", "test")
