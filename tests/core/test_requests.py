"""What may be asked of an export: bounds of numbers, latents and images, drawn latents, PNG files."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core import requests
from kgen.core.priors import Normal
from kgen.rng import Rng


def graph(function):
    """Returns a function that runs in a graph, as signatures do."""
    return tf.function(function, autograph=False)


@pytest.mark.parametrize("number, least", [(1, 1), (256, 1), (2, 2)])
def test_the_bounds_of_a_number_are_inside(number, least):
    found = graph(lambda n: requests.bounded(n, "steps", least))(tf.constant(number))
    assert int(found) == number


@pytest.mark.parametrize("number, least", [(0, 1), (257, 1), (-5, 1), (1, 2)])
def test_a_number_out_of_bounds_is_refused_by_name(number, least):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"steps must be from {least} to 256, but is"):
        graph(lambda n: requests.bounded(n, "steps", least))(tf.constant(number))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_latents_must_be_finite_and_not_too_many(value):
    latent = np.random.default_rng(0).normal(size=(256, 2)).astype(np.float32)
    np.testing.assert_array_equal(graph(requests.allowed)(latent), latent)
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of latents must be from 1 to 256"):
        graph(requests.allowed)(np.zeros((257, 2), np.float32))
    latent[7, 1] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match="latent must be finite"):
        graph(requests.allowed)(latent)


@pytest.mark.parametrize("value", [-1e-6, 1.001, np.nan])
def test_images_must_lie_in_0_to_1(value):
    images = np.float32([0, 0.5, 1, 0.25]).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(graph(requests.seen)(images), images)
    images[0, 0, 1, 0] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"images must lie in \[0, 1\]"):
        graph(requests.seen)(images)
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of images must be from 1 to 256"):
        graph(requests.seen)(np.zeros((0, 2, 2, 1), np.float32))


@pytest.mark.parametrize("seed", [0, 11, 2**31 + 5, -1, 2**62 + 3])
def test_latents_are_drawn_from_all_64_bits_of_the_seed(seed):
    low, high = np.array([seed], np.int64).view(np.int32)
    found = graph(lambda seed: requests.drawn(Normal(3), seed, 4))(tf.constant(seed, tf.int64))
    with Rng(0).fold_in(int(low), int(high)):
        np.testing.assert_array_equal(found, Normal(3).draw(4))


def test_pictures_are_rounded_to_the_nearest_byte_and_files():
    images = np.linspace(0, 1, 48, dtype=np.float32).reshape(2, 2, 4, 3)
    files = requests.encoded(tf.constant(images)).numpy()
    pixels = np.stack([tf.io.decode_png(file) for file in files])
    np.testing.assert_array_equal(pixels, np.rint(images * 255))


def test_a_module_holds_the_variables_and_names_its_functions():
    variable = keras.Variable(2.0)

    @tf.function
    def doubled():
        return 2 * variable.value

    module, signatures = requests.module_of([variable], doubled)
    assert list(signatures) == ["doubled"] and module.doubled is doubled is signatures["doubled"]
    assert [weight is variable.value for weight in module.variables] == [True]
    assert float(module.doubled()) == 4.0


def test_specifications_name_the_inputs_and_leave_their_number_open():
    image = keras.Input((4, 6, 3))
    found = requests.pictures(keras.Model(image, image))
    assert found == tf.TensorSpec((None, 4, 6, 3), tf.float32, "images")
    assert requests.latents(Normal(5)) == tf.TensorSpec((None, 5), tf.float32, "latent")
