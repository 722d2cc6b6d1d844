"""Turned, zoomed, moved and mirrored images against SciPy, and which images are changed."""

import itertools

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from kgen.augmentation.affine import GENTLE, STRONG, affine, distorted, flipped
from kgen.rng import Rng

SHAPES = {"grey": (5, 11, 11, 1), "colour": (5, 9, 14, 3)}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def batch(shape, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 1, shape).astype(np.float32)


def scipys(image, degrees, zoom, down, right):
    """Turned counter-clockwise as one looks at it, then zoomed, then moved; "grid-constant": 0 outside, then weighted.

    SciPy asks where a pixel of the output comes from: that is the inverse of what happens to the image.
    """
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])  # of (row, column): up is -row
    inverse = np.linalg.inv(zoom * turn)
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = middle - inverse @ (middle + np.array([down, right]))
    how = {"order": 1, "mode": "grid-constant"}
    channels = [scipy.ndimage.affine_transform(np.float64(x), inverse, offset, **how) for x in np.moveaxis(image, 2, 0)]
    return np.stack(channels, axis=2)


def wrapped(jit):
    return tf.function(affine, autograph=False, jit_compile=jit)


@shapes
@pytest.mark.parametrize("compute", [affine, wrapped(False), wrapped(True)], ids=["eager", "graph", "xla"])
def test_it_is_scipys(compute, shape):
    x = batch(shape)
    degrees, zoom = np.float32([0, 7, -30, 90, 171]), np.float32([1.2, 0.9, 1.06, 1, 0.5])
    down, right = np.float32([0.5, -1.25, 2, 0, 3.5]), np.float32([0, 2.5, -0.3, -4, 20])
    made = compute(*map(tf.constant, (x, degrees, zoom, down, right)))
    for image, found, *numbers in zip(x, made, degrees, zoom, down, right, strict=True):
        np.testing.assert_allclose(found, scipys(image, *numbers), atol=1e-4)


@shapes
def test_nothing_changes_nothing(shape):
    x = batch(shape)
    np.testing.assert_array_equal(affine(tf.constant(x), tf.zeros(5), tf.ones(5), tf.zeros(5), tf.zeros(5)), x)
    np.testing.assert_array_equal(affine(tf.constant(x), tf.zeros(5)), x)


def test_numbers_hold_for_all_images():
    x = tf.constant(batch(SHAPES["colour"]))
    each = affine(x, *(tf.fill((5,), number) for number in (20.0, 1.1, 1.0, -2.0)))
    np.testing.assert_array_equal(affine(x, 20.0, 1.1, 1.0, -2.0), each)


def test_directions():
    x = np.zeros((1, 5, 5, 1), np.float32)
    x[0, 1, 2] = 1  # above the centre

    def place(*numbers):
        found = affine(tf.constant(x), *(tf.constant([number]) for number in numbers)).numpy()[0, ..., 0]
        return tuple(int(i) for i in np.unravel_index(found.argmax(), found.shape)) if found.max() > 0.9 else None

    assert place(90.0) == (2, 1)  # counter-clockwise: to the left
    assert place(0.0, 1.0, 1.0, 0.0) == (2, 2) and place(0.0, 1.0, 0.0, 1.0) == (1, 3)
    assert place(0.0, 2.0) == (0, 2)  # twice as far from the centre
    assert place(90.0, 2.0, 1.0, 0.0) == (3, 0)  # moved last, and not by the zoom
    assert place(0.0, 1.0, 9.0, 0.0) is None


def test_distorted_changes_half_of_the_images_each_by_its_own_numbers():
    x = np.tile(batch((1, 28, 28, 1)), (400, 1, 1, 1))
    with Rng(0):
        made = distorted(tf.constant(x)).numpy()
    changed = np.array([not np.array_equal(a, b) for a, b in zip(x, made, strict=True)])
    assert 160 < changed.sum() < 240  # 200 +- 4 deviations
    assert len({image.tobytes() for image in made}) == changed.sum() + 1
    with Rng(0):
        np.testing.assert_array_equal(distorted(tf.constant(x)), made)
    with Rng(1):
        assert not np.array_equal(distorted(tf.constant(x)), made)


def test_strong_distortion_spares_no_image():
    x = np.tile(batch((1, 12, 12, 1)), (200, 1, 1, 1))
    with Rng(0):
        made = distorted(tf.constant(x), STRONG).numpy()
    assert all(not np.array_equal(a, b) for a, b in zip(x, made, strict=True))


@pytest.mark.parametrize("amounts", [GENTLE, STRONG])
def test_distorted_takes_its_numbers_from_within_their_bounds_and_from_all_of_them(amounts):
    """Where three bright spots go says how an image was turned, zoomed and moved."""
    x = np.zeros((300, 40, 60, 1), np.float32)
    spots = np.array([(8, 10), (8, 49), (31, 10)])
    for (row, column), (i, j) in itertools.product(spots, itertools.product(range(-3, 4), repeat=2)):
        x[:, row + i, column + j] = 1
    with Rng(2):
        made = distorted(tf.constant(x), amounts).numpy()[..., 0]
    made = made[[not np.array_equal(a, b) for a, b in zip(made, x[..., 0], strict=True)]]
    rows, columns = np.mgrid[:40, :60]
    found = []
    for image in made:
        masks = [(abs(rows - row) < 9) & (abs(columns - column) < 9) for row, column in spots]
        found.append([[(image * m * k).sum() / (image * m).sum() for k in (rows, columns)] for m in masks])
    found = np.array(found)  # (image, spot, row and column)
    across = found[:, 1] - found[:, 0]
    degrees = np.degrees(np.arctan2(-across[:, 0], across[:, 1]))
    zoom = np.hypot(across[:, 0], across[:, 1]) / 39
    middle = (found[:, 1] + found[:, 2]) / 2  # the spots are symmetric about the centre
    for values, bound in (
        (degrees, amounts.turn),
        (zoom - 1, amounts.zoom),
        (middle[:, 0] - 19.5, 40 * amounts.move),
        (middle[:, 1] - 29.5, 60 * amounts.move),
    ):
        assert 0.9 * bound < np.abs(values).max() < 1.02 * bound
        assert values.min() < -0.9 * bound and abs(values.mean()) < 0.25 * bound


@pytest.mark.parametrize("compute", [flipped, tf.function(flipped)], ids=["eager", "graph"])
def test_flipped_mirrors_half_of_the_images_left_to_right_and_leaves_the_others(compute):
    x = batch((400, 3, 5, 2))
    with Rng(0):
        made = compute(tf.constant(x)).numpy()
    mirrored = np.stack([image[:, ::-1] for image in x])
    same, other = ([np.array_equal(*pair) for pair in zip(made, images, strict=True)] for images in (x, mirrored))
    assert all(a != b for a, b in zip(same, other, strict=True))  # each is one of the two
    assert 160 < sum(other) < 240  # 200 +- 4 deviations


def test_flipped_is_a_function_of_the_dice_and_draws_of_its_own_follow():
    x = tf.constant(batch((60, 3, 5, 2)))

    def rolled(seed):
        with Rng(seed):
            return [flipped(x).numpy() for _ in range(2)]

    first, second = rolled(0)
    np.testing.assert_array_equal(rolled(0), [first, second])
    changed = [(a != b).any(axis=(1, 2, 3)).mean() for a, b in ((first, second), (first, rolled(1)[0]))]
    assert all(0.25 < share < 0.75 for share in changed)  # of 60 coins, 4 deviations


def test_flipped_tosses_a_coin_for_each_image_and_not_for_their_numbers():
    x = tf.constant(np.tile(batch((1, 3, 5, 2)), (50, 1, 1, 1)))
    with Rng(3):
        assert len({image.tobytes() for image in flipped(x).numpy()}) == 2
