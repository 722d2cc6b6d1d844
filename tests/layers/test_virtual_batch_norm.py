"""Virtual batch norm against loops: an image depends on the reference batch and itself alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import VirtualBatchNorm, WithoutReference, WithReference

R = 4
SHAPES = {"images": (R + 3, 5, 6, 3), "vectors": (R + 3, 3)}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
jit = pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "graph", "xla"])


def compiled(function, jit_compile):
    return function if jit_compile is None else tf.function(function, jit_compile=jit_compile)


def batch(shape, seed=0):
    """Rows whose channels have different means and deviations."""
    x = np.random.default_rng(seed).normal(size=shape) * [0.5, 2.0, 3.0] + [1.0, -2.0, 0.0]
    return tf.constant(x, tf.float32)


def built(shape, reference=R, **kwargs):
    layer = VirtualBatchNorm(reference, **kwargs)
    layer.build(shape)
    layer.set_weights([np.float32([1.5, 0.5, -1.0]), np.float32([0.1, -0.2, 0.3])])
    return layer


def by_loops(x, layer, epsilon=1e-5):
    gamma, beta = layer.get_weights()
    x, r = np.float64(x), layer.reference
    result = np.empty_like(x)
    for c in range(x.shape[-1]):
        mean, mean_square = x[:r, ..., c].mean(), (x[:r, ..., c] ** 2).mean()
        for i, row in enumerate(x[..., c]):
            m, s = mean, mean_square
            if i >= r:
                m = row.mean() / (r + 1) + mean * r / (r + 1)
                s = (row**2).mean() / (r + 1) + mean_square * r / (r + 1)
            result[i, ..., c] = gamma[c] * (row - m) / np.sqrt(epsilon + s - m**2) + beta[c]
    return result


@shapes
@jit
@pytest.mark.parametrize("reference", [1, R])
def test_equals_loops(shape, jit_compile, reference):
    x, layer = batch(shape), built(shape, reference)
    if reference == 1 and len(shape) == 2:
        x = x * 0.01 + 1  # one vector has no variance: epsilon decides
    np.testing.assert_allclose(compiled(layer, jit_compile)(x), by_loops(x, layer), rtol=1e-4, atol=1e-4)


def test_numbers():
    """Reference 0 and 2, live 10: mean (10 + 2 * 1) / 3 = 4, mean square (100 + 2 * 2) / 3, deviation sqrt(56 / 3)."""
    layer = VirtualBatchNorm(2, epsilon=0.0, gamma_initializer="ones")
    y = layer(np.float32([[0], [2], [10]]))
    np.testing.assert_allclose(y, [[-1], [1], [6 / (56 / 3) ** 0.5]], rtol=1e-6)


@shapes
def test_reference_rows_are_batch_normalised(shape):
    x, layer = batch(shape), built(shape)
    plain = keras.layers.BatchNormalization(epsilon=1e-5)
    plain.build(shape)
    plain.set_weights([*layer.get_weights(), np.zeros(3), np.ones(3)])
    np.testing.assert_allclose(layer(x)[:R], plain(x[:R], training=True), rtol=1e-5, atol=1e-5)


def network(shape, reference):
    """A small network with the layers where they belong."""
    x = image = keras.Input(shape[1:])
    x = WithReference(reference.numpy())(x)
    for _ in range(2):
        x = keras.layers.Conv2D(3, 3)(x) if len(shape) == 4 else keras.layers.Dense(3)(x)
        x = keras.layers.LeakyReLU()(VirtualBatchNorm(len(reference))(x))
    return keras.Model(image, WithoutReference(len(reference))(keras.layers.Flatten()(x)))


@shapes
def test_an_image_does_not_depend_on_its_batch_mates(shape):
    x, reference = batch(shape), batch((R, *shape[1:]), 1)
    model = network(shape, reference)
    y = model(x)
    assert model.output_shape == (None, *y.shape[1:]) and len(y) == len(x)
    for i in range(len(x)):
        np.testing.assert_allclose(model(x[i : i + 1])[0], y[i], rtol=1e-5, atol=1e-5)
    crowd = tf.concat([x[:1], 100 + 50 * x[1:]], axis=0)
    np.testing.assert_allclose(model(crowd)[0], y[0], rtol=1e-5, atol=1e-5)


@shapes
def test_an_image_depends_on_the_reference_and_on_itself(shape):
    x, reference = batch(shape), batch((R, *shape[1:]), 1)
    model = network(shape, reference)
    y = model(x)
    [weight] = [weight for weight in model.weights if weight.name == "batch"]
    weight.assign(reference * 3 + 1)
    assert np.abs(model(x) - y).max() > 0.05
    twice = built(shape)(tf.concat([x[:R], x[:R]], axis=0))
    assert np.abs(twice[:R] - twice[R:]).max() > 0.02  # the same rows, but live ones count themselves once more


@shapes
def test_training_and_inference_do_the_same(shape):
    model = network(shape, batch((R, *shape[1:]), 1))
    x, before = batch(shape), model.get_weights()
    np.testing.assert_array_equal(model(x, training=True), model(x, training=False))
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def gradients(layer, x, weights):
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(weights * layer(x))
    return [tf.convert_to_tensor(slope) for slope in tape.gradient(loss, [x, *layer.trainable_variables])]


@shapes
def test_gradients_flow_through_both_statistics(shape):
    x, layer, weights = batch(shape), built(shape), batch(shape, 1).numpy()
    of_x, of_gamma, of_beta = (slope.numpy() for slope in gradients(layer, x, weights))
    step = 1e-4
    for part in (slice(0, R), slice(R, None)):
        direction = np.zeros(shape)
        direction[part] = np.random.default_rng(2).normal(size=direction[part].shape)
        ahead, behind = (by_loops(np.float64(x) + sign * step * direction, layer) for sign in (1, -1))
        difference = (weights * (ahead - behind)).sum() / (2 * step)
        np.testing.assert_allclose((of_x * direction).sum(), difference, rtol=1e-3)
    y, gamma = by_loops(x, layer), layer.gamma.numpy()
    axes = tuple(range(len(shape) - 1))
    np.testing.assert_allclose(of_beta, weights.sum(axis=axes), rtol=1e-4)
    np.testing.assert_allclose(of_gamma, (weights * (y - layer.beta.numpy()) / gamma).sum(axis=axes), rtol=1e-4)


@shapes
def test_gradients_stay_within_the_reference_and_the_row(shape):
    """A row has a gradient at the reference and at itself alone."""
    x, layer = batch(shape), built(shape)
    for i in range(len(x)):
        weights = np.zeros(shape, np.float32)
        weights[i] = batch(shape, 1)[i]
        moved = np.abs(gradients(layer, x, weights)[0]).reshape(len(x), -1).max(axis=1) > 0
        np.testing.assert_array_equal(moved, [j < R or j == i for j in range(len(x))])


def test_a_mean_far_above_the_deviation():
    """The plain msq - mean^2 is off by as much as the variance itself here, and negative."""
    x = np.float32(batch(SHAPES["images"]) * 2.0**-10 + 64)
    layer = built(x.shape)
    y = layer(x)
    np.testing.assert_allclose(y, by_loops(x, layer), rtol=2e-2, atol=2e-2)
    constant = layer(np.full_like(x, 1000.1))
    np.testing.assert_allclose(constant, np.broadcast_to(layer.beta, x.shape), atol=1e-6)


@shapes
@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16"])
def test_bfloat16_comes_out_and_statistics_are_float32(shape, dtype):
    exact, mixed = built(shape), built(shape, dtype=dtype)
    x = tf.cast(batch(shape), tf.bfloat16)
    y = mixed(x)
    assert y.dtype == tf.bfloat16 and [weight.dtype for weight in mixed.weights] == ["float32"] * 2
    np.testing.assert_array_equal(y, tf.cast(exact(tf.cast(x, tf.float32)), tf.bfloat16))


def test_bfloat16_reference():
    reference = batch((R, 3)).numpy()
    layer = WithReference(reference, dtype="mixed_bfloat16")
    y = layer(batch((2, 3), 1))
    assert y.dtype == tf.bfloat16 and layer.batch.dtype == "float32"
    np.testing.assert_array_equal(y[:R], tf.cast(reference, tf.bfloat16))
    np.testing.assert_array_equal(layer.batch, reference)
    assert WithReference.from_config(layer.get_config()).compute_dtype == "bfloat16"
    assert WithoutReference(R, dtype="mixed_bfloat16")(y).dtype == tf.bfloat16


@jit
def test_reference_in_front_and_off_again(jit_compile):
    reference, x = batch((R, 5, 6, 3)), batch((2, 5, 6, 3), 1)
    front, off = WithReference(reference.numpy()), WithoutReference(R)
    both = compiled(front, jit_compile)(x)
    np.testing.assert_array_equal(both, np.concatenate([reference, x]))
    np.testing.assert_array_equal(compiled(off, jit_compile)(both), x)
    assert front.compute_output_shape((None, 5, 6, 3)) == (None, 5, 6, 3)
    assert front.compute_output_shape((2, 5, 6, 3)) == (R + 2, 5, 6, 3)
    assert off.compute_output_shape((None, 7)) == (None, 7) and off.compute_output_shape((6, 7)) == (2, 7)
    assert not front.trainable_variables and len(front.non_trainable_variables) == 1


@shapes
def test_clone_and_saved_model(shape, tmp_path):
    model = network(shape, batch((R, *shape[1:]), 1))
    model.save(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    assert np.abs(clone(batch(shape)) - model(batch(shape))).max() > 1e-3
    clone.set_weights(model.get_weights())
    for copy in (clone, keras.models.load_model(tmp_path / "model.keras")):
        np.testing.assert_array_equal(copy(batch(shape)), model(batch(shape)))


def test_configs():
    front = WithReference(batch((R, 3)).numpy(), name="front")
    config = front.get_config()
    assert config["batch"] == {"shape": [R, 3], "dtype": "float32"} and config["name"] == "front"
    np.testing.assert_array_equal(WithReference.from_config(config).batch, np.zeros((R, 3)))
    assert config["batch"] == {"shape": [R, 3], "dtype": "float32"}  # from_config leaves it whole
    layer = VirtualBatchNorm.from_config(VirtualBatchNorm(7, 1e-3, "ones").get_config())
    assert (layer.reference, layer.epsilon, layer.gamma_initializer.__class__.__name__) == (7, 1e-3, "Ones")
    assert WithoutReference.from_config(WithoutReference(7).get_config()).reference == 7


def test_initial_weights():
    first, second = VirtualBatchNorm(1), VirtualBatchNorm(1)
    for layer in (first, second):
        layer.build((None, 10_000))
        assert [weight.name for weight in layer.trainable_variables] == ["gamma", "beta"]
    gamma = first.gamma.numpy()
    np.testing.assert_allclose([gamma.mean(), gamma.std()], [1.0, 0.02], atol=1e-3)
    assert np.abs(gamma - second.gamma.numpy()).max() > 0.01 and not first.beta.numpy().any()


@shapes
def test_a_batch_of_unknown_size(shape):
    model = network(shape, batch((R, *shape[1:]), 1))
    graph = tf.function(model, input_signature=[tf.TensorSpec((None, *shape[1:]))])
    np.testing.assert_allclose(graph(batch(shape)), model(batch(shape)), rtol=1e-5, atol=1e-5)


def test_refusals():
    reference = batch((R, 3)).numpy()
    for wrong, received in (
        (reference[:0], r"float32 \(0, 3\)"),
        (reference[0], r"float32 \(3,\)"),
        (reference.astype(np.uint8), r"uint8 \(4, 3\)"),
    ):
        with pytest.raises(ValueError, match="`batch` must be float32.*Received: " + received):
            WithReference(wrong)
    with pytest.raises(ValueError, match=r"shape of the reference.*reference \(4, 3\), input \(2, 5\)"):
        WithReference(reference)(np.zeros((2, 5), np.float32))
    for layer in (VirtualBatchNorm, WithoutReference):
        with pytest.raises(ValueError, match="`reference` must be at least 1. Received: reference=0"):
            layer(0)
        with pytest.raises(ValueError, match=r"begin with the 9 rows of the reference. Received: \(4, 3\)"):
            layer(9)(reference)
    with pytest.raises(ValueError, match="2 or 4 axes"):
        VirtualBatchNorm(1)(np.zeros((2, 3, 4), np.float32))
