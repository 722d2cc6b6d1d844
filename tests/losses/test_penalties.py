"""Penalties of critics whose slope is known, against TensorFlow GAN; of known outputs; weights that are clipped."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.losses import penalties
from tests.helpers.tfgan import tensorflow_gan

SHAPE = (4, 3, 3, 2)
MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}
modes = pytest.mark.parametrize("mode", MODES)


def images(seed):
    return tf.constant(np.random.default_rng(seed).normal(size=SHAPE), tf.float32)


def linear_critic(norm=3.0):
    """Returns `D(x) = <w, x>` with `||w|| = norm`, and w."""
    w = np.random.default_rng(7).normal(size=(18, 1))
    layer = keras.layers.Dense(1)
    critic = keras.Sequential([keras.Input(SHAPE[1:]), keras.layers.Flatten(), layer])
    layer.kernel.assign(w * norm / np.linalg.norm(w))
    return critic, layer.kernel


@modes
@pytest.mark.parametrize("target", [1.0, 0.0])
def test_gradient_penalty_of_a_linear_critic(mode, target):
    critic, _ = linear_critic(3.0)
    penalty = MODES[mode](lambda a, b: penalties.gradient_penalty(critic, a, b, tf.linspace(0.0, 1.0, 4), target))
    np.testing.assert_allclose(penalty(images(0), images(1)), (3.0 - target) ** 2, rtol=1e-5)


@modes
def test_r1_of_a_linear_critic(mode):
    critic, _ = linear_critic(3.0)
    np.testing.assert_allclose(MODES[mode](lambda x: penalties.r1(critic, x))(images(0)), 4.5, rtol=1e-5)


@modes
def test_second_derivatives_through_an_outer_tape(mode):
    """d/dw (||w|| - 1)^2 = 2 (||w|| - 1) w / ||w||, and d/dw 1/2 ||w||^2 = w."""
    critic, w = linear_critic(3.0)

    def gradients(real, fake):
        with tf.GradientTape(persistent=True) as tape:
            gp = penalties.gradient_penalty(critic, real, fake, tf.fill((4,), 0.3))
            r1 = penalties.r1(critic, real)
        return tape.gradient(gp, w.value), tape.gradient(r1, w.value)

    gp, r1 = MODES[mode](gradients)(images(0), images(1))
    np.testing.assert_allclose(gp, 2 * (3.0 - 1.0) * w.numpy() / 3.0, rtol=1e-5)
    np.testing.assert_allclose(r1, w.numpy(), rtol=1e-5)


def quadratic_critic(x):
    """`D(x) = 1/2 ||x||^2`, whose gradient at x is x."""
    return 0.5 * tf.reduce_sum(tf.square(x), axis=(1, 2, 3))


def test_each_image_has_its_own_slope_at_its_own_point():
    real, fake, alpha = images(0).numpy(), images(1).numpy(), np.float32([0.0, 0.25, 0.75, 1.0])
    points = real + alpha[:, None, None, None] * (fake - real)
    slopes = np.linalg.norm(points.reshape(4, -1), axis=1)
    penalty = penalties.gradient_penalty(quadratic_critic, real, fake, alpha)
    np.testing.assert_allclose(penalty, np.mean((slopes - 1) ** 2), rtol=1e-5)
    squares = (real.reshape(4, -1) ** 2).sum(axis=1)
    np.testing.assert_allclose(penalties.r1(quadratic_critic, real), 0.5 * squares.mean(), rtol=1e-5)


@modes
def test_no_nan_for_equal_images_or_a_flat_critic(mode):
    critic, w = linear_critic(3.0)

    def gradients(x):
        with tf.GradientTape(persistent=True) as tape:
            same = penalties.gradient_penalty(critic, x, x, tf.fill((4,), 0.5))
            flat = penalties.gradient_penalty(lambda x: 0.0 * critic(x), x, x, tf.fill((4,), 0.5))
        return same, flat, tape.gradient(same, w.value), tape.gradient(flat, w.value)

    same, flat, same_gradient, flat_gradient = MODES[mode](gradients)(images(0))
    np.testing.assert_allclose([same, flat], [4.0, 1.0], rtol=1e-5)
    np.testing.assert_allclose(same_gradient, 4 * w.numpy() / 3, rtol=1e-5)
    np.testing.assert_array_equal(flat_gradient, np.zeros((18, 1)))


def test_gradient_penalty_equals_tensorflow_gan_on_a_linear_critic():
    """Where the slope is the same everywhere, its own draw of alpha does not matter."""
    reference = tensorflow_gan().losses.wargs.wasserstein_gradient_penalty
    critic, _ = linear_critic(3.0)

    @tf.function
    def expected(real, fake):
        return reference(real, fake, None, lambda x, _: critic(x), "critic")

    real, fake = images(0), images(1)
    value = penalties.gradient_penalty(critic, real, fake, tf.fill((4,), 0.5))
    np.testing.assert_allclose(value, expected(real, fake), rtol=1e-5)


def test_a_bfloat16_critic_is_penalised_in_float32():
    layer = keras.layers.Dense(1, dtype="mixed_bfloat16")
    critic = keras.Sequential([keras.Input(SHAPE[1:]), keras.layers.Flatten(dtype="mixed_bfloat16"), layer])
    layer.kernel.assign(np.full((18, 1), 0.5))
    real, fake = tf.cast(images(0), tf.bfloat16), tf.cast(images(1), tf.bfloat16)
    for value, expected in (
        (penalties.gradient_penalty(critic, real, fake, tf.fill((4,), 0.5)), (18**0.5 / 2 - 1) ** 2),
        (penalties.r1(critic, real), 0.5 * 18 / 4),
    ):
        assert value.dtype == tf.float32
        np.testing.assert_allclose(value, expected, rtol=1e-6)


@modes
def test_lecam_is_the_distance_from_the_others_average(mode):
    random = np.random.default_rng(3)
    real, fake = random.normal(2, 1, (6, 1)), random.normal(-1, 1, (6, 1))
    expected = np.mean([(r + 1.5) ** 2 for r in real]) + np.mean([(f - 2.5) ** 2 for f in fake])
    found = MODES[mode](penalties.lecam)(*(tf.constant(x, tf.float32) for x in (real, fake, 2.5, -1.5)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@modes
def test_squared_distance(mode):
    found = MODES[mode](penalties.squared_distance)(tf.constant([[1.0], [2.0]]), tf.constant([[0.0], [5.0]]))
    np.testing.assert_allclose(found, (1 + 9) / 2, rtol=1e-6)


@modes
def test_clip_weights(mode):
    variables = [keras.Variable([-2.0, -0.005, 0.0, 0.02]), keras.Variable([[0.5]])]
    MODES[mode](lambda: penalties.clip_weights(variables, 0.01))()
    np.testing.assert_array_equal(variables[0], np.float32([-0.01, -0.005, 0.0, 0.01]))
    np.testing.assert_array_equal(variables[1], np.float32([[0.01]]))


@pytest.mark.parametrize("limit", [0.0, -0.01])
def test_clip_weights_refuses_a_limit_that_is_not_above_zero(limit):
    with pytest.raises(ValueError, match="`limit` must be above 0"):
        penalties.clip_weights([keras.Variable([1.0])], limit)
