"""Spectral norm: sigma against the singular value decomposition, gradients through it, what calls leave alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import SpectralNorm

# Wrapped layer, input shape, and the axes that turn its kernel into (output channels, all the rest).
CASES = {
    "dense": (lambda **k: keras.layers.Dense(5, **k), (7,), (1, 0)),
    "conv": (lambda **k: keras.layers.Conv2D(5, 3, strides=2, padding="same", **k), (6, 6, 2), (3, 0, 1, 2)),
    "transposed": (
        lambda **k: keras.layers.Conv2DTranspose(5, 4, strides=2, padding="same", **k),
        (4, 4, 3),
        (2, 0, 1, 3),
    ),
}
cases = pytest.mark.parametrize("name", CASES)


class Case:
    """A wrapped layer with a kernel of large norm and its exact singular value decomposition."""

    def __init__(self, name, power_iterations=1, **layer_kwargs):
        make, shape, self.axes = CASES[name]
        kwargs = {"kernel_initializer": keras.initializers.RandomNormal(stddev=1.0, seed=1), **layer_kwargs}
        self.inner = make(bias_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=2), **kwargs)
        self.layer = SpectralNorm(self.inner, power_iterations)
        self.x = tf.random.stateless_normal((3, *shape), seed=(0, 0))
        self.layer.build(self.x.shape)
        self.layer.u.assign(np.random.default_rng(0).normal(size=5))
        self.kernel = self.inner.kernel.numpy()
        left, values, right = np.linalg.svd(self.matrix(self.kernel), full_matrices=False)
        self.sigma, self.u, self.v = values[0], left[:, 0], right[0]

    def matrix(self, kernel):
        return kernel.transpose(self.axes).reshape(5, -1)

    def reference(self, kernel):
        """Returns a plain layer with `kernel` and the same bias."""
        plain = self.inner.__class__.from_config({**self.inner.get_config(), "name": "plain"})
        plain.build(self.x.shape)
        plain.set_weights([kernel, self.inner.bias])
        return plain

    def converge(self):
        for _ in range(100):
            self.layer(self.x, training=True)
        return self


@cases
def test_sigma_is_the_largest_singular_value(name):
    case = Case(name).converge()
    np.testing.assert_allclose(case.layer.sigma(), case.sigma, rtol=1e-5)
    assert abs(case.u @ case.layer.u.numpy()) == pytest.approx(1, abs=1e-5)


@cases
def test_one_call_is_one_power_iteration(name):
    case = Case(name)
    matrix, u = case.matrix(case.kernel), case.layer.u.numpy()
    case.layer(case.x, training=True)
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    expected = matrix @ v / np.linalg.norm(matrix @ v)
    np.testing.assert_allclose(case.layer.u, expected, rtol=1e-5, atol=1e-6)
    assert np.abs(expected - case.u * np.sign(case.u @ expected)).max() > 1e-3  # not converged yet


def test_more_power_iterations_per_call():
    thrice, once = Case("conv", power_iterations=3), Case("conv")
    thrice.layer(thrice.x, training=True)
    for _ in range(3):
        once.layer(once.x, training=True)
    np.testing.assert_allclose(thrice.layer.u, once.layer.u, rtol=1e-5, atol=1e-6)


@cases
def test_output_is_that_of_the_normalised_kernel(name):
    case = Case(name).converge()
    expected = case.reference(case.kernel / case.sigma)(case.x)
    np.testing.assert_allclose(case.layer(case.x, training=True), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(case.layer(case.x, training=False), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(expected - case.reference(case.kernel)(case.x)).max() > 0.1  # it does matter here


def gradient_of(case, layer, kernel, weights, wrap, training):
    def gradient(x):
        with tf.GradientTape() as tape:
            y = layer(x, training=training) if training else layer(x)
            loss = tf.reduce_sum(y * weights)
        return tape.gradient(loss, kernel.value)

    return wrap(gradient)(case.x).numpy()


WRAPS = {"eager": lambda f: f, "graph": tf.function, "xla": lambda f: tf.function(f, jit_compile=True)}


@cases
@pytest.mark.parametrize("wrap", WRAPS)
def test_gradient_goes_through_sigma(name, wrap):
    """d/dW sum(G * W / sigma) = (G - <G, W / sigma> u v^T) / sigma, with the true singular vectors."""
    case = Case(name).converge()
    normalised = case.reference(case.kernel / case.sigma)
    weights = tf.random.stateless_normal(normalised(case.x).shape, seed=(1, 1))
    g = case.matrix(gradient_of(case, normalised, normalised.kernel, weights, WRAPS["eager"], False))
    through_sigma = np.sum(g * case.matrix(case.kernel) / case.sigma) * np.outer(case.u, case.v)
    gradient = case.matrix(gradient_of(case, case.layer, case.inner.kernel, weights, WRAPS[wrap], True))
    np.testing.assert_allclose(
        gradient, (g - through_sigma) / case.sigma, rtol=1e-3, atol=1e-3 * np.abs(gradient).max()
    )
    # The gradient with sigma as a constant is another one, by far.
    assert np.linalg.norm(gradient - g / case.sigma) > 0.05 * np.linalg.norm(gradient)


def test_gradient_is_orthogonal_to_the_kernel_unlike_that_of_keras():
    """W / sigma(W) does not change with the scale of W, so its gradient has no part along W; Keras' has one."""
    case = Case("dense").converge()
    theirs = keras.layers.SpectralNormalization(case.reference(case.kernel), power_iterations=50)
    weights = tf.random.stateless_normal((3, 5), seed=(1, 1))
    ours = gradient_of(case, case.layer, case.inner.kernel, weights, WRAPS["eager"], True)
    theirs_gradient = gradient_of(case, theirs, theirs.layer.kernel, weights, WRAPS["eager"], True)

    def cosine(gradient):
        return np.sum(gradient * case.kernel) / np.linalg.norm(gradient) / np.linalg.norm(case.kernel)

    assert abs(cosine(ours)) < 1e-4
    assert abs(cosine(theirs_gradient)) > 0.02


@cases
@pytest.mark.parametrize("training", [True, False])
def test_calls_leave_the_kernel_alone_and_inference_leaves_u_alone(name, training):
    case = Case(name)
    u = case.layer.u.numpy()
    case.layer(case.x, training=training)
    np.testing.assert_array_equal(case.inner.kernel, case.kernel)
    assert (np.abs(case.layer.u - u).max() > 1e-3) == training
    assert np.array_equal(case.layer.u, u) != training


@cases
def test_weights(name):
    case = Case(name)
    assert case.layer.trainable_variables == [case.inner.kernel, case.inner.bias]
    assert case.layer.non_trainable_variables == [case.layer.u]
    assert case.layer.u.shape == (5,)


@cases
def test_without_bias(name):
    case = Case(name)
    bare = SpectralNorm(CASES[name][0](use_bias=False))
    bare.build(case.x.shape)
    bare.layer.kernel.assign(case.kernel)
    bare.u.assign(case.layer.u)
    bias = case.inner.bias.numpy()
    np.testing.assert_allclose(bare(case.x), case.layer(case.x) - bias, rtol=1e-4, atol=1e-5)


@cases
def test_mixed_bfloat16_keeps_sigma_in_float32(name):
    case, mixed = Case(name), Case(name, dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input(mixed.x.shape[1:], dtype="bfloat16"), mixed.layer], name="mixed")
    y = model(tf.cast(mixed.x, tf.bfloat16), training=True)
    assert y.dtype == tf.bfloat16 and keras.backend.standardize_dtype(mixed.layer.output.dtype) == "bfloat16"
    expected = case.layer(case.x, training=True)
    assert mixed.layer.u.dtype == "float32" and mixed.inner.kernel.dtype == "float32"
    np.testing.assert_allclose(mixed.layer.u, case.layer.u, rtol=1e-6, atol=1e-7)  # bfloat16 is off by 1e-3
    np.testing.assert_allclose(mixed.layer.sigma(), case.layer.sigma(), rtol=1e-6)
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, rtol=0.02, atol=0.02)


def test_inside_a_mixed_model_the_estimate_is_float32_too():
    """A model of bfloat16 layers opens an autocast scope around each of them."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = SpectralNorm(keras.layers.Dense(5))
        model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(7), layer, keras.layers.ReLU()])
    finally:
        keras.config.set_dtype_policy(before)
    matrix, u = layer.layer.kernel.numpy().T, layer.u.numpy()
    assert model(np.ones((2, 7), np.float32), training=True).dtype == tf.bfloat16
    v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    np.testing.assert_allclose(layer.u, matrix @ v / np.linalg.norm(matrix @ v), rtol=1e-5, atol=1e-6)


def test_a_kernel_of_zeros_stays_finite_and_recovers():
    case = Case("dense", kernel_initializer="zeros")
    np.testing.assert_allclose(case.layer(case.x, training=True), np.tile(case.inner.bias, (3, 1)))
    case.inner.kernel.assign(Case("dense").kernel)
    np.testing.assert_allclose(case.converge().layer.sigma(), Case("dense").sigma, rtol=1e-5)


@cases
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_graph_and_xla_equal_eager(name, jit_compile):
    eager, compiled = Case(name), Case(name)
    y = tf.function(lambda x: compiled.layer(x, training=True), jit_compile=jit_compile)(compiled.x)
    np.testing.assert_allclose(y, eager.layer(eager.x, training=True), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(compiled.layer.u, eager.layer.u, rtol=1e-5, atol=1e-6)


def test_stateless_calls_see_the_state_that_they_are_given():
    case = Case("dense")
    model = keras.Sequential([keras.Input((7,)), case.layer])
    kernel, bias, u = 2 * case.kernel, np.arange(5.0, dtype=np.float32), case.layer.u.numpy()
    y, [new_u] = model.stateless_call([kernel, bias], [u], case.x, training=True)
    np.testing.assert_array_equal(case.layer.u, u)
    assert np.abs(new_u - u).max() > 1e-3
    np.testing.assert_allclose(y - bias, case.layer(case.x) - case.inner.bias, rtol=1e-4, atol=1e-5)


@cases
def test_model_is_saved_and_loaded(name, tmp_path):
    case = Case(name, power_iterations=2)
    model = keras.Sequential([keras.Input(case.x.shape[1:]), case.layer])
    model(case.x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[0], SpectralNorm) and loaded.layers[0].power_iterations == 2
    assert loaded.output_shape == (None, *case.layer(case.x).shape[1:])
    np.testing.assert_array_equal(loaded.layers[0].u, case.layer.u)
    np.testing.assert_array_equal(loaded(case.x), model(case.x))


def test_refuses_other_layers():
    with pytest.raises(ValueError, match="without an activation.*activation=relu"):
        SpectralNorm(keras.layers.Dense(3, activation="relu"))
    with pytest.raises(TypeError, match="wraps Dense, Conv2D or Conv2DTranspose. Received: Embedding"):
        SpectralNorm(keras.layers.Embedding(3, 4))
    with pytest.raises(ValueError, match="`power_iterations` must be at least 1"):
        SpectralNorm(keras.layers.Dense(3), power_iterations=0)
