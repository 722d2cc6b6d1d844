"""The ring: its modes, and pictures that give their points back."""

import numpy as np

from kgen import data
from kgen.data.datasets import ring


def test_points_lie_at_the_centres():
    points, centres = ring.points(20000, seed=3), ring.centres()
    assert points.shape == (20000, 2) and points.dtype == np.float32 and centres.shape == (8, 2)
    np.testing.assert_allclose(np.hypot(*centres.T), 0.75, rtol=1e-6)
    distances = np.linalg.norm(points[:, None] - centres[None], axis=2)
    nearest = distances.argmin(axis=1)
    assert distances.min(axis=1).max() < 5 * 0.02  # 4.5 standard deviations is one point in 25,000 in two dimensions
    np.testing.assert_allclose(np.bincount(nearest) / 20000, 1 / 8, atol=0.01)
    np.testing.assert_allclose((points - centres[nearest]).std(axis=0), 0.02, rtol=0.03)
    np.testing.assert_array_equal(points, ring.points(20000, seed=3))
    assert (points != ring.points(20000, seed=4)).any()


def test_pictures_give_their_points_back():
    points = ring.points(1000, seed=1)
    images = ring.render(points)
    assert images.shape == (1000, 32, 32, 1) and images.dtype == np.uint8
    np.testing.assert_allclose(ring.locate(images), points, atol=0.002)
    np.testing.assert_allclose(ring.locate(images / 255.0), points, atol=0.002)
    assert np.isnan(ring.locate(np.zeros((1, 32, 32, 1)))).all()


def test_a_picture_is_a_plane_with_y_upwards():
    image = ring.render(np.array([[0.75, 0.5]]))[0, ..., 0]
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert abs(column + 0.5 - 16 * 1.75) <= 0.5 and abs(row + 0.5 - 16 * 0.5) <= 0.5


def test_labels_are_the_modes():
    train, test = data.load("ring"), data.load("ring", "test")
    assert len(train.images) == 10000 and len(test.images) == 2000 and len(train.classes) == 8
    distances = np.linalg.norm(ring.locate(train.images)[:, None] - ring.centres()[None], axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), train.labels)
    assert not np.array_equal(train.images[:2000], test.images)
