"""Batch norm against NumPy in training and Keras at inference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import BatchNorm

SHAPES = {"images": (6, 4, 5, 3), "vectors": (12, 3)}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
jit = pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "graph", "xla"])


def compiled(function, jit_compile):
    return function if jit_compile is None else tf.function(function, jit_compile=jit_compile)


def batch(shape, seed=0):
    """Images whose channels have different means and deviations."""
    x = np.random.default_rng(seed).normal(size=shape) * [0.5, 2.0, 3.0] + [1.0, -2.0, 0.0]
    return tf.constant(x, tf.float32)


def pair(shape):
    """Our layer and Keras' own, with the same, untypical weights and moving averages."""
    ours, theirs = BatchNorm(momentum=0.8), keras.layers.BatchNormalization(momentum=0.8, epsilon=1e-5)
    weights = [[1.5, 0.5, -1.0], [0.1, -0.2, 0.3], [0.5, -1.0, 0.2], [0.6, 3.0, 8.0]]
    for layer in (ours, theirs):
        layer.build(shape)
        layer.set_weights([np.float32(weight) for weight in weights])
    return ours, theirs


@shapes
@jit
def test_training_equals_numpy(shape, jit_compile):
    ours, _ = pair(shape)
    gamma, beta, old_mean, old_variance = ours.get_weights()
    x = batch(shape)
    y = compiled(lambda x: ours(x, training=True), jit_compile)(x)
    values = x.numpy().astype(np.float64).reshape(-1, 3)
    mean, variance, n = values.mean(0), values.var(0), len(values)
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean, 0.8 * old_mean + 0.2 * mean, rtol=1e-5, atol=1e-6)
    unbiased = variance * n / (n - 1)  # as PyTorch: 1.7 % (images) and 9 % (vectors) more than the biased one
    np.testing.assert_allclose(ours.moving_variance, 0.8 * old_variance + 0.2 * unbiased, rtol=1e-5)


@shapes
@jit
@pytest.mark.parametrize("training", [True, False])
def test_output_equals_keras(shape, jit_compile, training):
    ours, theirs = pair(shape)
    x = batch(shape)
    y = compiled(lambda x: ours(x, training=training), jit_compile)(x)
    np.testing.assert_allclose(y, theirs(x, training=training), rtol=1e-5, atol=1e-5)
    if not training:
        np.testing.assert_array_equal(ours.get_weights(), theirs.get_weights())


def gradients(layer, x, training, second):
    """Gradients of a curved function of the output, or of the squared norm of that gradient, as in R1."""
    weights = np.random.default_rng(3).normal(size=x.shape).astype(np.float32)
    variables = [layer.gamma.value, layer.beta.value]
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.cast(layer(x, training=training), tf.float32)
            loss = tf.reduce_sum(tf.tanh(y) * weights)
            result = loss
        if second:
            result = tf.reduce_sum(tf.square(inner.gradient(loss, x)))
    return outer.gradient(result, [x, *variables])


@shapes
@jit
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("second", [False, True], ids=["first", "second"])
def test_gradients_equal_keras(shape, jit_compile, training, second):
    ours, theirs = pair(shape)
    x = batch(shape)
    expected = gradients(theirs, x, training, second)
    for value, reference in zip(
        compiled(lambda x: gradients(ours, x, training, second), jit_compile)(x), expected, strict=True
    ):
        np.testing.assert_allclose(value, reference, rtol=1e-4, atol=1e-4 * np.abs(reference).max())
        assert np.abs(reference).max() > 1e-2


@shapes
@jit
@pytest.mark.parametrize("training", [True, False])
def test_bfloat16_images_and_float32_statistics(shape, jit_compile, training):
    exact, _ = pair(shape)
    mixed = BatchNorm(momentum=0.8, dtype="mixed_bfloat16")
    mixed.build(shape)
    mixed.set_weights(exact.get_weights())
    x = tf.cast(batch(shape), tf.bfloat16)
    y = compiled(lambda x: mixed(x, training=training), jit_compile)(x)
    expected = exact(tf.cast(x, tf.float32), training=training)
    assert y.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, rtol=2**-7, atol=2**-7)
    for ours, reference in zip(mixed.weights, exact.weights, strict=True):
        assert ours.dtype == "float32"
        np.testing.assert_allclose(ours, reference, rtol=1e-5, atol=1e-6)


def test_weights_are_float32_under_a_pure_bfloat16_policy():
    layer = BatchNorm(dtype="bfloat16")
    assert layer(tf.ones((4, 3), tf.bfloat16), training=True).dtype == tf.bfloat16
    assert [weight.value.dtype for weight in layer.weights] == [tf.float32] * 4


def test_a_constant_channel_gives_beta():
    layer, _ = pair((4, 3))
    np.testing.assert_allclose(layer(tf.fill((4, 3), 7.0), training=True), np.tile(layer.beta, (4, 1)), atol=1e-5)


def test_statistics_stay_at_inference_and_are_not_trained():
    layer, _ = pair((4, 3))
    before = layer.get_weights()
    layer(batch((4, 3)))
    np.testing.assert_array_equal(layer.get_weights(), before)
    assert [weight.name for weight in layer.trainable_variables] == ["gamma", "beta"]
    assert [weight.name for weight in layer.non_trainable_variables] == ["moving_mean", "moving_variance"]


def test_defaults():
    layer = BatchNorm()
    layer.build((None, 3))
    assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)
    np.testing.assert_array_equal(layer.get_weights(), [[1] * 3, [0] * 3, [0] * 3, [1] * 3])


def test_gamma_initializer():
    layer = BatchNorm(gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02, seed=1))
    layer.build((None, 10_000))
    np.testing.assert_allclose(layer.gamma.numpy().mean(), 1.0, atol=1e-3)
    np.testing.assert_allclose(layer.gamma.numpy().std(), 0.02, rtol=0.05)


@shapes
def test_batch_of_unknown_size(shape):
    ours, theirs = pair(shape)
    graph = tf.function(ours, input_signature=[tf.TensorSpec((None, *shape[1:]))])
    np.testing.assert_allclose(graph(batch(shape)), theirs(batch(shape)), rtol=1e-5, atol=1e-5)


@shapes
def test_model_is_saved_and_loaded(shape, tmp_path):
    initializer = keras.initializers.RandomNormal(1.0, 0.02)
    layer = BatchNorm(0.7, 1e-3, initializer)
    model = keras.Sequential([keras.Input(shape[1:]), layer])
    model(batch(shape), training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.layers[0].momentum, loaded.layers[0].epsilon) == (0.7, 1e-3)
    assert loaded.layers[0].gamma_initializer.get_config() == initializer.get_config()
    np.testing.assert_array_equal(loaded(batch(shape)), model(batch(shape)))
    np.testing.assert_array_equal(loaded.layers[0].get_weights(), layer.get_weights())


def test_other_ranks_are_refused():
    with pytest.raises(ValueError, match="2 or 4 axes"):
        BatchNorm()(tf.ones((2, 3, 4)))


def test_without_gain_and_bias_they_are_1_and_0():
    plain, learned = BatchNorm(affine=False), BatchNorm()
    x = batch(SHAPES["images"])
    np.testing.assert_array_equal(plain(x, training=True), learned(x, training=True))
    assert plain.trainable_variables == [] and len(learned.trainable_variables) == 2
    assert not BatchNorm.from_config(plain.get_config()).affine
