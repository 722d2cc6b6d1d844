"""The report's convolutional autoencoder: parameter counts, maps, PyTorch's layers and initial weights."""

import keras
import numpy as np
import pytest
from scipy.special import expit

from kgen import layers
from kgen.errors import UsageError
from kgen.networks.conv_autoencoder import Plan, decoder, encoder, initial, transposed

BASIC = Plan((8, 16, 32), (3, 3, 3), (2, 2, 2), (1, 1, 0), (128, 16))
BEST = Plan((6, 12, 17), (2, 2, 3), (1, 1, 3), (1, 0, 1), (57,))
DENSE = Plan((), (), (), (), (5, 4))
SMALL = Plan((3, 4), (3, 2), (2, 3), (1, 1), (5,), "elu")


def maps(network):
    """Returns the shapes of the maps, in order and without repetitions."""
    shapes = [layer.output.shape[1:] for layer in network.layers if len(layer.output.shape) == 4]
    return list(dict.fromkeys(shapes))


@pytest.mark.parametrize("plan, code, counts", [(BASIC, 4, (45_012, 45_265)), (BEST, 6, (99_488, 101_166))])
def test_parameter_counts_are_the_reports(plan, code, counts):
    networks = encoder((28, 28, 1), plan, code), decoder((28, 28, 1), plan, code)
    assert tuple(network.count_params() for network in networks) == counts


def test_maps_are_the_reports():
    assert BASIC.maps((28, 28, 1)) == [(28, 28, 1), (14, 14, 8), (7, 7, 16), (3, 3, 32)]
    assert BEST.maps((28, 28, 1)) == [(28, 28, 1), (29, 29, 6), (28, 28, 12), (10, 10, 17)]
    assert [maps(encoder((28, 28, 1), plan, 6))[-1] for plan in (BASIC, BEST)] == [(3, 3, 32), (10, 10, 17)]
    basic, best = (maps(decoder((28, 28, 1), plan, 6)) for plan in (BASIC, BEST))  # with the borders to be cut off
    assert basic == [(3, 3, 32), (7, 7, 16), (16, 16, 8), (14, 14, 8), (30, 30, 1), (28, 28, 1)]
    assert best == [(10, 10, 17), (30, 30, 12), (28, 28, 12), (29, 29, 6), (30, 30, 1), (28, 28, 1)]


# PyTorch's arithmetic, in loops.


def convolved(x, kernel, bias, stride, padding):
    """A convolution of `(height, width, channels)` with zeros around it."""
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    k = kernel.shape[0]
    rows, columns = (range(0, size - k + 1, stride) for size in x.shape[:2])
    patches = [[np.tensordot(x[i : i + k, j : j + k], kernel, 3) for j in columns] for i in rows]
    return np.array(patches) + bias


def by_loops(x, kernel, bias, stride, padding, extra):
    """A transposed convolution: each pixel adds its kernel to the output, which has `extra` more rows and columns.

    Then `padding` is cut off at both ends. What no kernel reaches has the bias alone.
    """
    k = kernel.shape[0]
    height, width = (stride * (size - 1) + k + more for size, more in zip(x.shape[:2], extra, strict=True))
    full = np.zeros((height, width, kernel.shape[2]))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            full[stride * i : stride * i + k, stride * j : stride * j + k] += kernel @ x[i, j]
    return full[padding : height - padding, padding : width - padding] + bias


@pytest.mark.parametrize(
    "kernel, stride, padding, size, extra",
    [
        (3, 2, 1, (28, 28), (1, 1)),
        (3, 3, 1, (28, 32), (0, 1)),
        (3, 3, 0, (10, 11), (1, 2)),  # more than the padding
        (5, 4, 1, (14, 12), (3, 1)),
        (2, 3, 1, (9, 10), (0, 1)),  # a kernel less than the stride leaves gaps
        (1, 4, 0, (8, 9), (3, 0)),
        (2, 2, 1, (7, 8), (1, 0)),
        (6, 1, 3, (5, 4), (0, 0)),
    ],
)
def test_a_transposed_convolution_is_pytorchs(kernel, stride, padding, size, extra):
    side = Plan((2,), (kernel,), (stride,), (padding,)).maps((*size, 3))[-1]
    x = keras.Input(side)
    network = keras.Model(x, transposed(x, (*size, 3), kernel, stride, padding))
    assert network.output_shape == (None, *size, 3)
    weights = [np.random.default_rng(1).normal(size=weight.shape) for weight in network.weights]
    network.set_weights(weights)
    given = np.random.default_rng(0).normal(size=side)
    expected = by_loops(given, *weights, stride, padding, extra)
    np.testing.assert_allclose(network(np.float32(given[None]))[0], expected, rtol=1e-4, atol=1e-4)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def relu(x):
    return np.maximum(x, 0)


def randomised(network):
    """Sets larger weights than the initial ones, so that each counts; returns them."""
    drawn = np.random.default_rng(2)
    network.set_weights([drawn.normal(size=weight.shape) * 0.3 for weight in network.weights])
    return network.get_weights()


def test_an_encoder_is_convolutions_a_hidden_layer_and_a_linear_code():
    network = encoder((9, 12, 2), SMALL, 3)
    k1, b1, k2, b2, w1, c1, w2, c2 = randomised(network)
    x = np.random.default_rng(0).uniform(size=(4, 9, 12, 2))
    maps = [elu(convolved(elu(convolved(image, k1, b1, 2, 1)), k2, b2, 3, 1)) for image in x]
    assert np.shape(maps) == (4, *SMALL.maps((9, 12, 2))[-1])
    codes = elu(np.reshape(maps, (4, -1)) @ w1 + c1) @ w2 + c2
    assert codes.min() < -0.1  # an activation would show
    np.testing.assert_allclose(network(np.float32(x)), codes, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("squash, squashed", [(None, lambda logits: logits), ("sigmoid", expit)])
def test_a_decoder_is_the_mirror_image(squash, squashed):
    network = decoder((9, 12, 2), SMALL, 3, squash=squash)
    w1, c1, w2, c2, k1, b1, k2, b2 = randomised(network)
    codes = np.random.default_rng(0).normal(size=(4, 3))
    assert SMALL.maps((9, 12, 2)) == [(9, 12, 2), (5, 6, 3), (2, 3, 4)]
    flat = elu(elu(codes @ w1 + c1) @ w2 + c2)
    maps = [elu(by_loops(x.reshape(2, 3, 4), k1, b1, 3, 1, (2, 0))) for x in flat]
    images = [by_loops(x, k2, b2, 2, 1, (0, 1)) for x in maps]
    np.testing.assert_allclose(network(np.float32(codes)), squashed(np.array(images)), rtol=1e-4, atol=1e-5)


def test_a_plan_without_convolutions_is_dense():
    ahead, back = encoder((4, 3, 2), DENSE, 3), decoder((4, 3, 2), DENSE, 3)
    assert [w.shape for w in ahead.weights] == [(24, 5), (5,), (5, 4), (4,), (4, 3), (3,)]
    assert [w.shape for w in back.weights] == [(3, 4), (4,), (4, 5), (5,), (5, 24), (24,)]
    x = np.random.default_rng(0).uniform(size=(6, 4, 3, 2))
    w1, b1, w2, b2, w3, b3 = randomised(ahead)
    code = relu(relu(x.reshape(6, 24) @ w1 + b1) @ w2 + b2) @ w3 + b3
    np.testing.assert_allclose(ahead(np.float32(x)), code, rtol=1e-4, atol=1e-5)
    w1, b1, w2, b2, w3, b3 = randomised(back)
    logits = relu(relu(code @ w1 + b1) @ w2 + b2) @ w3 + b3
    assert (logits < 0).any()  # pixels have no activation of their own
    np.testing.assert_allclose(back(np.float32(code)), logits.reshape(6, 4, 3, 2), rtol=1e-4, atol=1e-5)


# Sizes.


@pytest.mark.parametrize("shape", [(28, 28, 1), (29, 31, 3), (33, 28, 1), (9, 40, 3), (64, 64, 3)])
@pytest.mark.parametrize("plan", [BASIC, BEST, SMALL, DENSE, Plan((5, 4), (6, 5), (4, 3), (3, 2), ())])
def test_a_decoder_makes_images_of_the_encoders_shape(plan, shape):
    assert encoder(shape, plan, 3).output_shape == (None, 3)
    assert decoder(shape, plan, 3).output_shape == (None, *shape)


@pytest.mark.parametrize("make", [encoder, decoder])
def test_images_too_small_are_refused(make):
    make((9, 9, 1), BASIC, 4)
    for shape, size in (((8, 8, 1), "8x8"), ((28, 5, 1), "28x5")):
        with pytest.raises(UsageError, match=rf"^Of images of {size} pixels convolution 3 .*--image-size.*\.$"):
            make(shape, BASIC, 4)


def test_an_image_that_one_kernel_covers_is_large_enough():
    plan = Plan((2,), (4,), (3,), (1,), ())
    assert plan.maps((2, 3, 1))[-1] == (1, 1, 2)
    with pytest.raises(UsageError, match="convolution 1 "):
        plan.maps((1, 3, 1))


# Weights and dropout.


def test_initial_weights_and_biases_are_uniform_in_one_over_root_fan():
    keras.utils.set_random_seed(0)
    transposed_fans = 16 * 9, 8 * 9, 1 * 9  # counted at the output
    fans = {encoder: (9, 72, 144, 288, 128, 16), decoder: (4, 16, 128, *transposed_fans)}
    for make, expected in fans.items():
        networks = [make((28, 28, 1), BASIC, 4) for _ in range(12)]
        drawn = [np.concatenate([w.ravel() for w in ws]) for ws in zip(*(n.get_weights() for n in networks))]
        for numbers, fan in zip(drawn, np.repeat(expected, 2), strict=True):
            limit = np.float32(1 / np.sqrt(fan))
            assert limit * (1 - 10 / numbers.size) < np.abs(numbers).max() <= limit * 1.000001
            assert abs(numbers.mean()) < 4 * limit / np.sqrt(3 * numbers.size)


def test_initializers_are_new_at_each_call():
    one, other = initial(9), initial(9)
    assert one.keys() == {"kernel_initializer", "bias_initializer"}
    assert all(one[name] is not other[name] for name in one)


def order(network):
    """Returns the sequence of dense layers, as their units, and of dropouts, as their rates."""
    kinds = {keras.layers.Dense: "units", layers.Dropout: "rate"}
    return [getattr(layer, kinds[type(layer)]) for layer in network.layers if type(layer) in kinds]


def test_dropout_stands_before_each_hidden_dense_layer():
    assert order(encoder((28, 28, 1), BASIC, 4, dropout=0.2)) == [0.2, 128, 0.2, 16, 4]
    assert order(decoder((28, 28, 1), BASIC, 4, dropout=0.3)) == [16, 0.3, 128, 0.3, 288]  # never of the code
    assert order(encoder((28, 28, 1), BEST, 6, dropout=0.19015)) == [0.19015, 57, 6]
    assert order(encoder((4, 3, 2), DENSE, 3, dropout=0.2)) == [0.2, 5, 0.2, 4, 3]
    assert order(encoder((28, 28, 1), BASIC, 4)) == [128, 16, 4]


def test_images_are_float32_whatever_the_precision():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        network = decoder((9, 12, 2), SMALL, 3, squash="sigmoid")
    finally:
        keras.config.set_dtype_policy(before)
    assert network.output.dtype == "float32"
    assert {layer.compute_dtype for layer in network.layers if layer.weights} == {"bfloat16"}
