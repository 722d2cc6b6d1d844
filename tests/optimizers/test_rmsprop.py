"""PyTorch's RMSprop divides by `sqrt(v) + epsilon`, Keras's by `sqrt(v + epsilon)`. WGAN was trained with PyTorch's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.optimizers import RMSprop

RATE = 5e-5  # WGAN's


def moved(optimizer, gradients):
    weight = keras.Variable(np.zeros(gradients.shape[1:], np.float32))
    optimizer.build([weight])
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weight])
    return weight.numpy().astype(np.float64)


def pytorchs(gradients, epsilon=1e-8):
    """Returns the weights, and the length of the way there."""
    square = weight = way = np.zeros(gradients.shape[1:])
    for gradient in gradients:
        square = 0.99 * square + 0.01 * gradient**2
        step = RATE * gradient / (np.sqrt(square) + epsilon)
        weight, way = weight - step, way + abs(step)
    return weight, way


def signed(scale):
    """Returns 20 gradients of 50 weights, of sizes from `scale` to twice that."""
    rng = np.random.default_rng(0)
    return scale * rng.uniform(1, 2, (20, 50)) * rng.choice([-1, 1], (20, 50))


@pytest.mark.parametrize("scale", [1e-1, 1e-5, 1e-8])
def test_it_is_pytorch_s(scale):
    weight, way = pytorchs(signed(scale))
    assert (abs(moved(RMSprop(RATE), signed(scale)) - weight) <= 1e-6 * way).all()


def test_keras_s_epsilon_would_be_a_floor():
    # sqrt(1e-7) = 3e-4 hides gradients of 1e-5: the weights stay where they are, near enough.
    weight, way = pytorchs(signed(1e-5))
    assert abs(moved(keras.optimizers.RMSprop(RATE, rho=0.99), signed(1e-5))).max() < 0.05 * abs(weight).max()


def test_its_configuration_is_complete():
    one = RMSprop(2e-4, rho=0.5, epsilon=1e-3)
    other = RMSprop.from_config(one.get_config())
    assert (other.rho, other.epsilon, float(other.learning_rate)) == (0.5, 1e-3, float(one.learning_rate))


# A falling rate, Keras's own schedule, as VAE/GAN has it.

FALLS = [
    {"decay_steps": 12, "end_learning_rate": RATE / 50, "power": 1.0},
    {"decay_steps": 12, "end_learning_rate": 0.0, "power": 3.0},
    {"decay_steps": 7, "end_learning_rate": RATE / 4, "power": 0.75},
]


def fallen(t, decay_steps, end_learning_rate, power):
    return end_learning_rate + (RATE - end_learning_rate) * max(0.0, 1.0 - t / decay_steps) ** power


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize("fall", FALLS)
def test_the_rate_falls_by_the_formula_and_then_stays(fall, wrap):
    gradients = signed(1e-2)
    optimizer = RMSprop(keras.optimizers.schedules.PolynomialDecay(RATE, **fall))
    weight = keras.Variable(np.zeros(gradients.shape[1:], np.float32))
    optimizer.build([weight])
    apply = wrap(lambda gradient: optimizer.apply([gradient], [weight]))
    square = 0.0
    for t, gradient in enumerate(gradients):
        before = np.float64(weight.numpy())
        apply(keras.ops.convert_to_tensor(gradient, "float32"))
        step = weight.numpy() - before
        square = 0.99 * square + 0.01 * gradient**2
        expected = fallen(t, **fall) * gradient / (np.sqrt(square) + 1e-8)
        np.testing.assert_allclose(-step, expected, rtol=2e-3, atol=1e-5 * RATE)  # differences of float32
        assert (step == 0).all() == (fallen(t, **fall) == 0)
