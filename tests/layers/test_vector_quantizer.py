"""Vectors replaced by the nearest of a codebook, and where gradients go."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import VectorQuantizer

COUNT, SIZE = 7, 3


def normal(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def layer(codebook=None, **kwargs):
    """Returns a layer with a codebook whose vectors are as far apart as those of `normal`."""
    made = VectorQuantizer(COUNT, **kwargs)
    made.build((None, SIZE))
    made.codebook.assign(normal((COUNT, SIZE), seed=1) if codebook is None else codebook)
    return made


def brute_force(x, codebook):
    """Returns the index of the nearest vector to each of x, one distance after the other."""
    found = [min(range(len(codebook)), key=lambda j: np.linalg.norm(v - codebook[j])) for v in x.reshape(-1, SIZE)]
    return np.array(found).reshape(x.shape[:-1])


@pytest.mark.parametrize("shape", [(40,), (5, 8), (2, 4, 5)])
def test_each_vector_becomes_the_nearest(shape):
    made, x = layer(), normal((*shape, SIZE))
    codebook = made.codebook.numpy().astype(np.float64)
    index = brute_force(x.astype(np.float64), codebook)
    assert len(np.unique(index)) == COUNT
    y = made(tf.constant(x))
    assert y.shape == x.shape and y.dtype == tf.float32
    np.testing.assert_allclose(y, codebook[index], atol=1e-6)
    np.testing.assert_array_equal(made.nearest(tf.constant(x)), made.codebook.numpy()[index])
    np.testing.assert_array_equal(made(tf.constant(x), training=True), y)


def test_nearest_is_not_the_largest_product():
    """Lengths count: a long vector in the same direction is farther than a short one beside."""
    made = VectorQuantizer(2)
    made.build((None, 2))
    made.codebook.assign([[9.0, 0.0], [0.5, 0.5]])
    np.testing.assert_allclose(made(tf.constant([[1.0, 0.0]])), [[0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(made(tf.constant([[6.0, 0.0]])), [[9.0, 0.0]], atol=1e-6)


def test_of_equal_vectors_the_first_is_taken_and_vectors_of_the_codebook_stay():
    made = layer()
    codebook = made.codebook.numpy()
    np.testing.assert_allclose(made(tf.constant(codebook)), codebook, atol=1e-6)
    made.codebook.assign(np.repeat(codebook[:1], COUNT, axis=0))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(made.nearest(tf.constant(normal((4, SIZE)))))
    gradient = tf.convert_to_tensor(tape.gradient(total, made.codebook.value))
    np.testing.assert_array_equal(gradient, [[4.0] * SIZE] + [[0.0] * SIZE] * (COUNT - 1))


def test_the_gradient_passes_as_if_nothing_had_been_replaced():
    made, x, weight = layer(), tf.constant(normal((2, 5, SIZE))), normal((2, 5, SIZE), seed=2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(weight * tf.square(made(x)))
    np.testing.assert_allclose(tape.gradient(loss, x), 2 * weight * made(x), rtol=1e-6)
    assert np.abs(made(x) - x).max() > 0.5


def test_what_passes_moves_no_codebook():
    made, x = layer(), tf.constant(normal((20, SIZE)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(made(x)))
    assert tape.gradient(loss, made.trainable_variables) == [None]
    assert [weight.shape for weight in made.trainable_variables] == [(COUNT, SIZE)]


def test_nearest_moves_the_codebook_and_not_what_it_is_near_to():
    made, x, weight = layer(), tf.constant(normal((30, SIZE))), normal((30, SIZE), seed=2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(weight * made.nearest(x))
    of_codebook, of_x = tape.gradient(loss, [made.codebook.value, x])
    expected = np.zeros((COUNT, SIZE))
    np.add.at(expected, brute_force(x.numpy(), made.codebook.numpy()), weight)
    np.testing.assert_allclose(tf.convert_to_tensor(of_codebook), expected, atol=1e-5)
    assert of_x is None


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_and_xla_equal_eager(jit_compile):
    made, x = layer(), tf.constant(normal((50, SIZE)))
    np.testing.assert_allclose(tf.function(made, jit_compile=jit_compile)(x), made(x), atol=1e-6)


@pytest.mark.parametrize("count", [4, 512])
def test_initial_vectors_are_uniform_within_one_over_their_number(count):
    keras.utils.set_random_seed(0)
    made = VectorQuantizer(count)
    made.build((None, 200))
    codebook = made.codebook.numpy() * count
    assert 0.98 < np.abs(codebook).max() <= 1
    assert codebook.std() == pytest.approx(1 / np.sqrt(3), abs=0.05)
    assert abs(codebook.mean()) < 0.1


def test_arithmetic_is_float32_under_every_policy():
    """Vectors that bfloat16, with its 8 bits, cannot tell apart."""
    made = layer(1 + np.arange(COUNT * SIZE).reshape(COUNT, SIZE) / 4096, dtype="mixed_bfloat16")
    codebook = made.codebook.numpy()
    y = made(tf.constant(codebook[::-1].copy()))
    assert y.dtype == tf.float32
    np.testing.assert_allclose(y, codebook[::-1], atol=1e-6)


def test_it_survives_its_configuration_and_a_file(tmp_path):
    code = keras.Input((4, SIZE))
    model = keras.Model(code, VectorQuantizer(COUNT, name="quantizer")(code))
    assert model.output_shape == (None, 4, SIZE)
    model.get_layer("quantizer").codebook.assign(normal((COUNT, SIZE), seed=1))
    model.save(tmp_path / "model.keras")
    other, x = keras.models.load_model(tmp_path / "model.keras"), normal((2, 4, SIZE))
    np.testing.assert_array_equal(other(x), model(x))
    assert other.get_layer("quantizer").count == COUNT
