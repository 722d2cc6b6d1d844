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


# A falling rate.

FALLS = [
    {"end": 12, "final_rate": RATE / 50, "power": 1.0},
    {"end": 12, "final_rate": 0.0, "power": 3.0},
    {"end": 7, "final_rate": RATE / 4, "power": 0.5},
    {"end": 40, "final_rate": 3 * RATE, "power": 2.0},
]


def fallen(t, end, final_rate, power, rate=RATE):
    return final_rate + (rate - final_rate) * max(0.0, 1.0 - t / end) ** power


def weights_after_each(optimizer, gradients, wrap=lambda function: function):
    """Returns the weights after each update, and before the first."""
    weight = keras.Variable(np.zeros(gradients.shape[1:], np.float32))
    optimizer.build([weight])
    apply = wrap(lambda gradient: optimizer.apply([gradient], [weight]))
    found = [weight.numpy()]
    for gradient in gradients:
        apply(keras.ops.convert_to_tensor(gradient, "float32"))
        found.append(weight.numpy())
    return np.float64(found)


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize("fall", FALLS)
def test_the_rate_falls_by_the_formula_and_then_stays(fall, wrap):
    """Update t = 0, 1, ... goes as far as that of a constant rate, times a(t) / a."""
    gradients = signed(1e-2)
    steps = np.diff(weights_after_each(RMSprop(RATE, **fall), gradients, wrap), axis=0)
    square = 0.0
    for t, (step, gradient) in enumerate(zip(steps, gradients, strict=True)):
        square = 0.99 * square + 0.01 * gradient**2
        expected = fallen(t, **fall) * gradient / (np.sqrt(square) + 1e-8)
        np.testing.assert_allclose(-step, expected, rtol=2e-3, atol=1e-5 * RATE)  # differences of float32
    if fall["end"] < len(gradients) and not fall["final_rate"]:
        assert (steps[fall["end"] :] == 0).all() and (steps[: fall["end"]] != 0).all()


def test_a_rate_that_is_assigned_falls_too():
    fall = {"end": 10, "final_rate": RATE / 10, "power": 2.0}
    optimizer, weight = RMSprop(RATE, **fall), keras.Variable(np.zeros(1, np.float32))
    optimizer.build([weight])
    for t, rate in enumerate([RATE, RATE, 4 * RATE, 4 * RATE]):
        optimizer.learning_rate.assign(rate)
        before = float(weight[0])
        optimizer.apply([keras.ops.ones(1)], [weight])
        root = np.sqrt(float(optimizer.mean_squares[0][0]))
        assert before - float(weight[0]) == pytest.approx(fallen(t, **fall, rate=rate) / root, rel=1e-3)


def test_without_an_end_nothing_falls():
    """Bit for bit, whatever the other two are."""
    plain = weights_after_each(RMSprop(RATE), signed(1e-2))
    other = weights_after_each(RMSprop(RATE, final_rate=1.0, power=5.0), signed(1e-2))
    np.testing.assert_array_equal(plain, other)
    weight, way = pytorchs(signed(1e-2))
    assert (abs(plain[-1] - weight) <= 1e-6 * way).all()


def test_its_configuration_has_the_fall():
    fall = {"end": 12, "final_rate": 1e-6, "power": 3.0}
    other = RMSprop.from_config(RMSprop(RATE, **fall).get_config())
    assert {name: getattr(other, name) for name in fall} == fall
    assert RMSprop.from_config(RMSprop(RATE).get_config()).end is None
