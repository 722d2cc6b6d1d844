"""Steps made of what users give: which images they take, in which order."""

import numpy as np
import pytest
import tensorflow as tf

import kgen
from kgen.data import Images, pipeline
from kgen.errors import UsageError
from kgen.training.model import batches
from tests.helpers.keras_models import PIXELS, gan

NUMBERED = np.broadcast_to(np.arange(10, dtype=np.uint8)[:, None, None, None], (10, 28, 28, 1)).copy()


@pytest.fixture(scope="module")
def model():
    return gan()


@pytest.fixture(scope="module")
def critics():
    return kgen.create("wgan-gp", PIXELS, width=1, latent_dim=2, discriminator_steps=2)


def numbers(steps):
    """Returns the numbers of the images of each step, flat."""
    return [step[..., 0, 0, 0].ravel().tolist() for step in steps.as_numpy_iterator()]


def test_steps_of_arrays_are_those_of_the_step_and_the_seed(model):
    begun = batches.EpochBegin()
    steps = batches.steps_of_arrays(model, Images(NUMBERED, None, ()), 4, None, begun)
    for first in (0, 3, 7):
        begun.step = first
        assert numbers(steps) == [pipeline.indices(0, first + step, 4, 10).tolist() for step in range(3)]


def test_a_last_step_is_filled_with_the_first_images(model, critics):
    whole = tf.data.Dataset.from_tensor_slices(NUMBERED)
    assert numbers(batches.steps_of_dataset(model, batches.given(whole.batch(4)), None, 32)) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 0, 1],
    ]
    assert numbers(batches.steps_of_dataset(critics, batches.given(whole.batch(4)), None, 32)) == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [8, 9, 0, 1, 2, 3, 4, 5],
    ]
    assert numbers(batches.steps_of_dataset(model, batches.given(whole), 4, 32))[-1] == [8, 9, 0, 1]


def test_steps_of_a_generator_read_each_batch_once(model):
    given = batches.given(NUMBERED[start : start + 4] for start in range(0, 10, 4))
    found = numbers(batches.steps_of_dataset(model, given, None, 32))
    assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]


def test_the_number_of_steps_is_known(model, critics):
    whole = tf.data.Dataset.from_tensor_slices(NUMBERED)
    for trainer, dataset, size, count in (
        (model, whole.batch(4), None, 3),
        (critics, whole.batch(4), None, 2),
        (model, whole, 5, 2),
    ):
        steps = batches.steps_of_dataset(trainer, batches.given(dataset), size, 32)
        assert int(steps.cardinality()) == count == len(list(steps))


def test_another_batch_size_deals_the_images_anew(model):
    given = batches.given(tf.data.Dataset.from_tensor_slices(NUMBERED).batch(4))
    assert numbers(batches.steps_of_dataset(model, given, 5, 32)) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_all_images_of_a_dataset(model):
    dataset = tf.data.Dataset.from_tensor_slices(NUMBERED).batch(4)
    assert (batches.all_of(model, dataset).images == NUMBERED).all()
    assert (batches.all_of(model, dataset, steps=1).images == NUMBERED[:4]).all()
    with pytest.raises(UsageError, match="never ends"):
        batches.all_of(model, dataset.repeat())


def test_uneven_batches_are_all_seen(model):
    uneven = tf.data.Dataset.from_tensor_slices(NUMBERED[:6]).batch(4)  # batches of 4, 2, 4, 2
    found = numbers(batches.steps_of_dataset(model, batches.given(uneven.concatenate(uneven)), None, 32))
    assert found == [[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5], [0, 1, 2, 3]]


def test_a_shuffle_may_bring_the_small_batch_first(model):
    batched = tf.data.Dataset.from_tensor_slices(NUMBERED).batch(4)
    shuffled = batched.skip(2).concatenate(batched.take(2))  # batches of 2, 4, 4
    found = numbers(batches.steps_of_dataset(model, batches.given(shuffled), None, 32))
    assert found == [[8, 9, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]


def test_a_later_batch_that_is_larger_is_told(model):
    small, whole = (tf.data.Dataset.from_tensor_slices(NUMBERED[:n]).batch(size) for n, size in ((4, 2), (10, 4)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must not be larger than its first"):
        numbers(batches.steps_of_dataset(model, batches.given(small.concatenate(whole)), None, 32))


def test_a_later_image_of_another_range_is_told(model):
    floats = np.linspace(-1, 1, 7840, dtype=np.float32).reshape(10, 28, 28, 1)
    floats[7] *= 100
    with pytest.raises(tf.errors.InvalidArgumentError, match="but one of the dataset does not"):
        list(
            batches.steps_of_dataset(
                model, batches.given(tf.data.Dataset.from_tensor_slices(floats).batch(4)), None, 32
            )
        )
