"""The order of images, and the steps made of it."""

import concurrent.futures

import numpy as np
import pytest
import tensorflow as tf

from kgen.data import Images, pipeline
from kgen.errors import UsageError


def numbered(count, dtype=np.uint8, labelled=True):
    """Image i is filled with i, its label is i."""
    pixels = np.broadcast_to(np.arange(count, dtype=dtype)[:, None, None, None], (count, 4, 6, 3)).copy()
    return Images(pixels, np.arange(count) if labelled else None, tuple(map(str, range(count))) if labelled else ())


def test_order_is_a_permutation_that_differs_by_seed_and_epoch():
    orders = [pipeline.order(seed, epoch, 1000) for seed in (0, 1) for epoch in (0, 1, 2)]
    for permutation in orders:
        assert sorted(permutation) == list(range(1000))
    assert len({permutation.tobytes() for permutation in orders}) == 6
    places = np.mean([pipeline.order(7, epoch, 20) for epoch in range(4000)], axis=0)
    np.testing.assert_allclose(places, 9.5, atol=0.5)  # uniform: 5.77 / sqrt(4000) = 0.09 each


def test_order_does_not_depend_on_what_was_asked_before():
    first = pipeline.order(3, 5, 100).copy()
    pipeline.order.cache_clear()
    np.testing.assert_array_equal(pipeline.order(3, 5, 100), first)
    pipeline.order.cache_clear()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        orders = list(pool.map(lambda i: pipeline.order(3, i % 7, 100).copy(), range(200)))
    for i, permutation in enumerate(orders):
        np.testing.assert_array_equal(permutation, pipeline.order(3, i % 7, 100))
    with pytest.raises(ValueError, match="read-only"):
        pipeline.order(3, 5, 100)[0] = 1


@pytest.mark.parametrize(("per_step", "n"), [(4, 12), (5, 12), (12, 12), (30, 12), (1, 1), (7, 1)])
def test_every_epoch_visits_each_image_once(per_step, n):
    steps = 3 * n  # whole epochs, whatever per_step
    visits = np.concatenate([pipeline.indices(2, step, per_step, n) for step in range(steps)])
    assert visits.dtype == np.int64 and len(visits) == per_step * steps
    for epoch in range(len(visits) // n):
        np.testing.assert_array_equal(visits[epoch * n : (epoch + 1) * n], pipeline.order(2, epoch, n))


def test_rounds_hold_the_images_of_their_indices():
    images = numbered(10)
    dataset = pipeline.training_steps(images, batch_size=3, batches=2, seed=4, start=0, stop=5)
    assert dataset.element_spec == tf.TensorSpec((2, 3, 4, 6, 3), tf.uint8)
    assert dataset.cardinality() == 5
    options = dataset.options()
    assert options.deterministic is True and options.autotune.enabled is False
    got = list(dataset.as_numpy_iterator())
    assert len(got) == 5
    for step, batch in enumerate(got):
        expected = images.images[pipeline.indices(4, step, 6, 10)].reshape(2, 3, 4, 6, 3)
        np.testing.assert_array_equal(batch, expected)


def test_labels_go_with_their_images():
    dataset = pipeline.training_steps(numbered(10), batch_size=4, batches=3, seed=0, start=0, stop=4, labelled=True)
    assert dataset.element_spec == (tf.TensorSpec((3, 4, 4, 6, 3), tf.uint8), tf.TensorSpec((3, 4), tf.int32))
    count = 0
    for pixels, labels in dataset.as_numpy_iterator():
        np.testing.assert_array_equal(pixels[..., 0, 0, 0], labels)
        count += 1
    assert count == 4


def test_a_resumed_run_sees_what_the_interrupted_one_would_have_seen():
    options = {"batch_size": 4, "batches": 2, "seed": 9, "labelled": True}
    straight = list(pipeline.training_steps(numbered(13), start=0, stop=12, **options).as_numpy_iterator())
    pipeline.order.cache_clear()
    resumed = list(pipeline.training_steps(numbered(13), start=7, stop=12, **options).as_numpy_iterator())
    assert len(resumed) == 5
    for (pixels, labels), (again, labels_again) in zip(straight[7:], resumed, strict=True):
        np.testing.assert_array_equal(pixels, again)
        np.testing.assert_array_equal(labels, labels_again)


def test_floats_pass_unchanged():
    images = numbered(5, np.float32)
    images.images[:] += 0.25
    batch = next(pipeline.training_steps(images, batch_size=5, seed=0, start=0, stop=1).as_numpy_iterator())
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(np.sort(batch[0, :, 0, 0, 0]), np.arange(5) + np.float32(0.25))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labelled": True}, "needs labels"),
        ({"batch_size": 0}, "at least 1"),
        ({"start": 3, "stop": 2}, "Steps run from 0"),
        ({"start": -1}, "Steps run from 0"),
    ],
)
def test_mistakes_are_named(changes, message):
    options = {"batch_size": 2, "seed": 0, "start": 0, "stop": 1} | changes
    with pytest.raises(UsageError, match=message):
        pipeline.training_steps(numbered(5, labelled=False), **options)


# Strata.

UNEQUAL = [np.array([3, 8, 1, 6, 0]), np.array([2, 4, 5, 7, 9, 10, 11])]
EQUAL = [np.arange(0, 40, 2), np.arange(1, 40, 2)]


def of_strata(strata, seed, steps, part):
    """Returns what each stratum gives to the steps 0 to `steps`, `(strata, steps, part)`."""
    count = part * len(strata)
    found = [pipeline.stratified(seed, step, count, strata).reshape(len(strata), part) for step in range(steps)]
    return np.stack(found, axis=1)


@pytest.mark.parametrize("part", [1, 3, 12])
@pytest.mark.parametrize("strata", [UNEQUAL, EQUAL, [*UNEQUAL, np.array([12, 13])]], ids=["two", "equal", "three"])
def test_each_part_comes_from_its_stratum_which_is_visited_once_per_epoch_of_its_own(strata, part):
    steps = 3 * max(map(len, strata))
    for rows, visits in zip(strata, of_strata(strata, 2, steps, part).reshape(len(strata), -1), strict=True):
        epochs = [visits[i : i + len(rows)] for i in range(0, len(visits) - len(rows) + 1, len(rows))]
        assert len(epochs) >= 3
        for epoch in epochs:
            assert sorted(epoch) == sorted(rows)
        assert len({epoch.tobytes() for epoch in epochs}) > 1 or len(rows) == 1


def test_pairs_change_from_epoch_to_epoch():
    """Strata of one size in one order would show each image the same partner for ever."""
    one, other = of_strata(EQUAL, 5, 5 * 200, 4).reshape(2, 200, 20)
    partners = {int(image): set() for image in EQUAL[0]}
    for epoch in zip(one, other, strict=True):
        assert len(set(epoch[1] - epoch[0])) > 5
        for image, partner in zip(*epoch, strict=True):
            partners[int(image)].add(int(partner))
    assert min(map(len, partners.values())) == 20  # all there are


def test_strata_are_a_pure_function_of_seed_and_round():
    asked = [pipeline.stratified(3, step, 6, UNEQUAL).copy() for step in range(8)]
    for step in (6, 1, 7, 0):
        pipeline.order.cache_clear()
        np.testing.assert_array_equal(pipeline.stratified(3, step, 6, UNEQUAL), asked[step])
    assert any((pipeline.stratified(4, step, 6, UNEQUAL) != asked[step]).any() for step in range(3))


def test_a_stratum_has_another_order_than_its_neighbours_and_than_the_whole():
    orders = [pipeline.order(1, 2, 50, stratum) for stratum in (None, 0, 1, 2)]
    assert len({order.tobytes() for order in orders}) == 4
    for order in orders:
        assert sorted(order) == list(range(50))


def test_every_batch_of_a_round_has_equal_parts_in_order():
    options = {"batch_size": 4, "batches": 3, "seed": 6, "labelled": True, "strata": UNEQUAL}
    pixels, labels = zip(
        *pipeline.training_steps(numbered(12), start=0, stop=7, **options).as_numpy_iterator(), strict=True
    )
    pixels, labels = np.stack(pixels), np.stack(labels)
    assert pixels.shape == (7, 3, 4, 4, 6, 3)
    np.testing.assert_array_equal(pixels[..., 0, 0, 0], labels)
    assert np.isin(labels[..., :2], UNEQUAL[0]).all() and np.isin(labels[..., 2:], UNEQUAL[1]).all()
    batches = [pipeline.stratified(6, number, 4, UNEQUAL) for number in range(21)]
    np.testing.assert_array_equal(labels.reshape(21, 4), batches)
    again = pipeline.training_steps(numbered(12), start=5, stop=7, **options).as_numpy_iterator()
    np.testing.assert_array_equal(np.stack([labels for _, labels in again]), labels[5:])


def test_without_strata_the_order_is_that_of_before():
    """Numbers of the version that knew none."""
    assert list(pipeline.order(7, 3, 10)) == [0, 9, 3, 6, 5, 1, 8, 7, 4, 2]
    assert [int(i) for step in range(4) for i in pipeline.indices(7, step, 3, 10)][:10] == list(
        pipeline.order(7, 0, 10)
    )
    options = {"batch_size": 3, "batches": 2, "seed": 7, "start": 0, "stop": 5}
    for strata in ({}, {"strata": None}):
        steps = pipeline.training_steps(numbered(10), **options, **strata).as_numpy_iterator()
        for step, pixels in enumerate(steps):
            np.testing.assert_array_equal(pixels[..., 0, 0, 0].ravel(), pipeline.indices(7, step, 6, 10))
