"""The order of images, and the rounds made of it."""

import concurrent.futures

import numpy as np
import pytest
import tensorflow as tf

from kgen import pipeline
from kgen.data import Images
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
    dataset = pipeline.rounds(images, batch_size=3, batches=2, seed=4, start=0, stop=5)
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
    dataset = pipeline.rounds(numbered(10), batch_size=4, batches=3, seed=0, start=0, stop=4, labelled=True)
    assert dataset.element_spec == (tf.TensorSpec((3, 4, 4, 6, 3), tf.uint8), tf.TensorSpec((3, 4), tf.int32))
    count = 0
    for pixels, labels in dataset.as_numpy_iterator():
        np.testing.assert_array_equal(pixels[..., 0, 0, 0], labels)
        count += 1
    assert count == 4


def test_a_resumed_run_sees_what_the_interrupted_one_would_have_seen():
    options = {"batch_size": 4, "batches": 2, "seed": 9, "labelled": True}
    straight = list(pipeline.rounds(numbered(13), start=0, stop=12, **options).as_numpy_iterator())
    pipeline.order.cache_clear()
    resumed = list(pipeline.rounds(numbered(13), start=7, stop=12, **options).as_numpy_iterator())
    assert len(resumed) == 5
    for (pixels, labels), (again, labels_again) in zip(straight[7:], resumed, strict=True):
        np.testing.assert_array_equal(pixels, again)
        np.testing.assert_array_equal(labels, labels_again)


def test_floats_pass_unchanged():
    images = numbered(5, np.float32)
    images.images[:] += 0.25
    batch = next(pipeline.rounds(images, batch_size=5, seed=0, start=0, stop=1).as_numpy_iterator())
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(np.sort(batch[0, :, 0, 0, 0]), np.arange(5) + np.float32(0.25))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labelled": True}, "needs labels"),
        ({"batch_size": 0}, "at least 1"),
        ({"start": 3, "stop": 2}, "Rounds run from 0"),
        ({"start": -1}, "Rounds run from 0"),
    ],
)
def test_mistakes_are_named(changes, message):
    options = {"batch_size": 2, "seed": 0, "start": 0, "stop": 1} | changes
    with pytest.raises(UsageError, match=message):
        pipeline.rounds(numbered(5, labelled=False), **options)
