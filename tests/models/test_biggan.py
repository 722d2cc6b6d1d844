"""BigGAN: the regularisation and conditional batch norm by NumPy, where z and the class go, weights by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from kgen import images, layers
from kgen.core import recipe as recipes
from kgen.core.priors import Normal
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.models import biggan
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, filled, generator, painted, player, rows
from tests.helpers.recipes import pictures, shrink

LABELS = np.array([0, 2, 1, 1, 2])


def by_hand(kernel):
    """Returns the squares of the products of each pair of filters, which are columns, by loops."""
    columns = np.float64(kernel).reshape(-1, kernel.shape[-1]).T
    return sum((a @ b) ** 2 for i, a in enumerate(columns) for j, b in enumerate(columns) if i != j)


def test_the_regularisation_is_that_of_kernels_alone():
    x, label = keras.Input((4, 4, 2)), keras.Input((), dtype="int32")
    y = layers.SpectralNorm(keras.layers.Conv2D(3, 3))(x)
    y = keras.layers.Dense(5)(keras.layers.Flatten()(y))
    network = filled(keras.Model([x, label], keras.layers.Add()([y, keras.layers.Embedding(3, 5)(label)])))
    kernels = [weight.numpy() for weight in network.trainable_variables if weight.name == "kernel"]
    assert sorted(kernel.shape for kernel in kernels) == [(3, 3, 2, 3), (12, 5)]
    expected = sum(map(by_hand, kernels))
    assert float(biggan.orthogonality(network)) == pytest.approx(expected, rel=1e-4) and expected > 1


def test_orthogonal_filters_of_any_norm_cost_nothing():
    network = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    columns = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 4)))[0] * [1, 2, 3, 4]
    network.layers[0].kernel.assign(columns)
    assert float(biggan.orthogonality(network)) == pytest.approx(0, abs=1e-9)


def judge():
    """Returns `[images, labels]` -> a row of a matrix for the class, times the image."""
    image, label = keras.Input((1, 2, 1)), keras.Input((), dtype="int32")
    row = keras.layers.Embedding(3, 2)(label)
    return filled(keras.Model([image, label], keras.layers.Dot(1)([row, keras.layers.Flatten()(image)])))


def test_the_generators_loss_has_the_regularisation():
    settings = {"prior": Normal(2), "image_range": images.SYMMETRIC, "classes": ("a", "b", "c"), "orthogonal": 0.3}
    made = biggan.BigGAN(player(generator(3)), player(judge()), loss=LOSSES["hinge"], **settings)
    with Rng(3):
        wanted = made.some_labels(len(REAL)).numpy()
        fake = painted(made.generator, made.prior.draw(len(REAL)), wanted)
    logits = (np.float64(made.discriminator.get_weights()[0])[wanted] * rows(fake)).sum(axis=1)
    (kernel,) = (weight.numpy() for weight in made.generator.trainable_variables if weight.name == "kernel")
    with Rng(3):
        found = made.generator_turn((tf.constant(REAL), tf.constant(LABELS)))
    assert float(found["orthogonality"]) == pytest.approx(by_hand(kernel), rel=1e-5)
    assert float(found["generator"]) == pytest.approx(-logits.mean() + 0.3 * by_hand(kernel), rel=1e-5)
    assert by_hand(kernel) > 0.01 and "orthogonality" in made.reports


def test_gains_and_biases_are_linear_in_class_and_chunk():
    """Batch norm at inference with statistics 0 and 1; matrices are divided by their largest singular values."""
    x, condition = keras.Input((2, 2, 3)), keras.Input((5,))
    model = keras.Model([x, condition], biggan.conditional_norm(x, condition))
    random = np.random.default_rng(0)
    kernels = [weight for weight in model.trainable_variables if weight.name == "kernel"]
    for kernel in kernels:
        kernel.assign(random.normal(size=kernel.shape))
    maps, given = random.normal(size=(4, 2, 2, 3)).astype("float32"), random.normal(size=(4, 5)).astype("float32")
    iterate = tf.function(lambda: [layer(given, training=True) for layer in model.layers if "spectral" in layer.name])
    for _ in range(200):
        iterate()
    gain, bias = (given @ (np.float64(k.numpy()) / np.linalg.norm(k.numpy(), 2)) for k in kernels)
    expected = maps / np.sqrt(1 + 1e-5) * (1 + gain[:, None, None]) + bias[:, None, None]
    np.testing.assert_allclose(model([maps, given]), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("limit", [0.1, 0.5, 2.0])
def test_truncated_latents_have_the_truncated_distribution_and_keep_what_is_inside(limit):
    z = np.random.default_rng(1).standard_normal((100, 40), np.float32)
    found = biggan.truncated(z, limit)
    assert stats.kstest(found.ravel(), stats.truncnorm(-limit, limit).cdf).pvalue > 0.01
    np.testing.assert_array_equal(found[np.abs(z) <= limit], z[np.abs(z) <= limit])
    np.testing.assert_array_equal(found, biggan.truncated(z, limit))
    assert not np.array_equal(found, biggan.truncated(z, limit, seed=1)) and found.dtype == np.float32


@pytest.mark.parametrize("limit", [0.0, -1.0, np.nan])
def test_a_limit_that_keeps_nothing_is_refused(limit):
    with pytest.raises(ValueError, match="above 0"):
        biggan.truncated(np.ones((1, 2)), limit)


@pytest.mark.parametrize("size, chunks", [(28, 3), (32, 4), pytest.param(64, 5, marks=pytest.mark.slow)])
def test_sizes_and_chunks(size, chunks):
    made = shrink(recipes.find("biggan")).game(pictures(size=size, channels=3))
    assert made.prior.size == 2 * chunks
    shown = made.generator([tf.zeros((2, made.prior.size)), tf.constant([1, 9])])
    assert shown.shape == (2, size, size, 3) and made.discriminator([shown, tf.constant([1, 9])]).shape == (2, 1)


@pytest.mark.slow
def test_every_chunk_and_the_class_change_the_image_and_only_the_first_the_first_map():
    made = shrink(recipes.find("biggan")).game(pictures())
    network = made.generator
    for layer in network.layers:
        if isinstance(layer, layers.SelfAttention):
            layer.gamma.assign(0.0)
    first = keras.Model(network.inputs, next(x for x in network.layers if isinstance(x, keras.layers.Reshape)).output)
    z = np.random.default_rng(0).normal(size=(1, made.prior.size)).astype("float32")
    base = [network([z, np.array([0])]), first([z, np.array([0])])]
    for number in range(made.prior.size // 2):
        other = z.copy()
        other[:, 2 * number : 2 * number + 2] += 3
        assert np.abs(network([other, np.array([0])]) - base[0]).max() > 1e-4, number
        assert (np.abs(first([other, np.array([0])]) - base[1]).max() > 1e-4) == (number == 0)
    assert np.abs(network([z, np.array([1])]) - base[0]).max() > 1e-4
    np.testing.assert_array_equal(first([z, np.array([1])]), base[1])


def test_weights_by_hand():
    """CIFAR-10 with 256 channels: one embedding, four chunks of 20 numbers, two maps for each batch norm."""
    made = recipes.find("biggan").game(pictures(size=32, channels=3))
    of = lambda rows, out: rows * out + out + out  # noqa: E731  kernel, bias, u
    norm = 2 * ((128 + 20) * 256 + 256) + 2 * 256
    block = 2 * norm + 2 * of(9 * 256, 256) + of(256, 256)
    seen = 4 * 256 * 256 // 8 + 3 * 256 // 8 + 256 + 1  # attention
    expected = 10 * 128 + of(20, 4 * 4 * 256) + 3 * block + 4 * 256 + of(9 * 256, 3) + seen
    assert made.generator.count_params() == expected


def test_the_recipe_is_the_papers():
    own = recipes.find("biggan")
    assert (own.loss, own.chunk, own.shared, own.orthogonal, own.ema) == ("hinge", 20, 128, 1e-4, 0.9999)
    assert (own.discriminator_steps, own.generator_steps) == (2, 1)
    optimizers = {name: one.optimizer for name, one in shrink(own).game(pictures()).players.items()}
    rates = {name: float(one.learning_rate) for name, one in optimizers.items()}
    assert rates == pytest.approx({"generator": 5e-5, "discriminator": 2e-4})
    assert {(one.beta_1, one.beta_2) for one in optimizers.values()} == {(0.0, 0.999)}


@pytest.mark.parametrize("name, value", [("width", 6), ("chunk", 0), ("orthogonal", -1.0), ("shared", 0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name} must be .*, not {value}"):
        dataclasses.replace(recipes.find("biggan"), **{name: value})
