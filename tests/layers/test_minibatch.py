"""Minibatch discrimination against loops, finite gradients of equal samples, sizes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import MinibatchDiscrimination


def batch(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def built(features, kernels=4, dims=3, **kwargs):
    """A layer with weights of no special kind."""
    layer = MinibatchDiscrimination(kernels, dims, **kwargs)
    layer.build((None, features))
    layer.set_weights([0.3 * batch((features, kernels, dims), 1), batch((kernels,), 2)])
    return layer


def by_loops(x, layer):
    tensor, bias = (np.float64(weight) for weight in layer.get_weights())
    rows = np.einsum("nf,fkd->nkd", np.float64(x), tensor)
    closeness = np.zeros((len(x), len(bias)))
    for i in range(len(x)):
        for j in range(len(x)):
            for b in range(len(bias)):
                if i != j:
                    closeness[i, b] += np.exp(-np.abs(rows[i, b] - rows[j, b]).sum())
    return np.concatenate([x, closeness + bias], axis=1)


@pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "graph", "xla"])
def test_equals_loops(jit_compile):
    x, layer = batch((6, 5)), built(5)
    call = layer if jit_compile is None else tf.function(layer, jit_compile=jit_compile)
    expected = by_loops(x, layer)
    np.testing.assert_allclose(call(x), expected, rtol=1e-5, atol=1e-6)
    closeness = expected[:, 5:] - layer.bias.numpy()
    assert closeness.min() < 0.3 and closeness.max() > 0.8  # neither all far nor all the same


def test_numbers():
    layer = MinibatchDiscrimination(1, 2)
    layer.build((None, 2))
    layer.set_weights([np.eye(2, dtype=np.float32)[:, None], np.float32([-1])])
    y = layer(np.float32([[0, 0], [1, 2], [1, 2]]))  # L1 distances 3, 3, 0
    far = np.exp(-3)
    np.testing.assert_allclose(y, [[0, 0, 2 * far - 1], [1, 2, far], [1, 2, far]], rtol=1e-6)


def test_a_batch_of_one_gives_the_bias_exactly():
    x, layer = batch((1, 5)), built(5)
    np.testing.assert_array_equal(layer(x), np.concatenate([x, layer.bias.numpy()[None]], axis=1))


def test_closeness_far_below_the_rounding_of_one():
    layer = built(2)
    layer.set_weights([np.ones((2, 4, 3), np.float32), np.zeros(4, np.float32)])
    closeness = layer(np.float32([[0, 0], [4, 3]]))[:, 2:]
    np.testing.assert_allclose(closeness, np.full((2, 4), np.exp(-21)), rtol=1e-5)  # 7.6e-10


def gradients(layer, x, weights):
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(weights * layer(x))
    return [tf.convert_to_tensor(slope) for slope in tape.gradient(loss, [x, *layer.trainable_variables])]


def test_gradients_equal_differences():
    x, layer, weights = batch((6, 5)), built(5), batch((6, 9), 3)
    original = layer.get_weights()

    def loss(x, tensor):
        layer.set_weights([tensor, original[1]])
        return (weights.numpy() * by_loops(x, layer)).sum()

    of_x, of_tensor, of_bias = gradients(layer, x, weights)
    x, step = x.numpy(), 1e-2
    for slope, values, function in (
        (of_x, x, lambda value: loss(value, original[0])),
        (of_tensor, original[0], lambda value: loss(x, value)),
    ):
        direction = batch(values.shape, 4).numpy()
        direction /= np.linalg.norm(direction)
        difference = (function(values + step * direction) - function(values - step * direction)) / (2 * step)
        np.testing.assert_allclose((slope.numpy() * direction).sum(), difference, rtol=2e-2)
    np.testing.assert_allclose(of_bias, weights.numpy()[:, 5:].sum(axis=0), rtol=1e-5)


def test_gradients_of_equal_samples_are_finite():
    x = tf.repeat(batch((1, 5)), 4, axis=0)
    layer = built(5)
    y = layer(x).numpy()
    np.testing.assert_allclose(y[:, 5:], np.tile(3 + layer.bias.numpy(), (4, 1)), rtol=1e-6)
    for slope in gradients(layer, x, batch((4, 9), 3)):
        assert np.isfinite(slope).all()


def test_order_of_the_batch_does_not_matter():
    x, layer = batch((6, 5)), built(5)
    np.testing.assert_allclose(layer(x[::-1])[::-1], layer(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16"])
def test_bfloat16_comes_out_and_the_arithmetic_is_float32(dtype):
    exact = built(5)
    mixed = built(5, dtype=dtype)
    x = tf.cast(batch((6, 5)), tf.bfloat16)
    y = mixed(x)
    assert y.dtype == tf.bfloat16 and [weight.dtype for weight in mixed.weights] == ["float32"] * 2
    np.testing.assert_array_equal(y, tf.cast(exact(tf.cast(x, tf.float32)), tf.bfloat16))


def test_shapes():
    image = keras.Input((8,))
    model = keras.Model(image, MinibatchDiscrimination()(image))
    assert model.output_shape == (None, 108)
    assert model(batch((3, 8))).shape == (3, 108)
    graph = tf.function(model, input_signature=[tf.TensorSpec((None, 8))])
    np.testing.assert_allclose(graph(batch((3, 8))), model(batch((3, 8))), rtol=1e-5)
    with pytest.raises(ValueError, match=r"2 axes. Received: shape \(None, 4, 4, 2\)"):
        MinibatchDiscrimination()(keras.Input((4, 4, 2)))


def test_initial_weights():
    layer = MinibatchDiscrimination(200, 5)
    layer.build((None, 64))
    assert [weight.name for weight in layer.trainable_variables] == ["kernel", "bias"]
    np.testing.assert_array_equal(layer.bias, np.full(200, -1))
    norms = np.square(layer.kernel.numpy()).sum(axis=0)
    np.testing.assert_allclose(norms.mean(), 1, atol=5 * (2 / 64 / 1000) ** 0.5)


@pytest.mark.parametrize("sizes", [(0, 5), (100, 0)])
def test_refuses_sizes_below_one(sizes):
    with pytest.raises(ValueError, match=f"at least 1. Received: kernels={sizes[0]}, dims={sizes[1]}"):
        MinibatchDiscrimination(*sizes)


def test_model_is_saved_loaded_and_cloned(tmp_path):
    model = keras.Sequential([keras.Input((5,)), built(5, 7, 2)])
    model.save(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for copy in (keras.models.load_model(tmp_path / "model.keras"), clone):
        assert (copy.layers[0].kernels, copy.layers[0].dims) == (7, 2)
        np.testing.assert_array_equal(copy(batch((4, 5))), model(batch((4, 5))))
