"""WAE-MMD: the estimate by loops, its lack of bias, a turn in NumPy, and the networks' sizes."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.metrics.mmd import unbiased
from kgen.models.wae import mmd
from kgen.rng import Rng
from tests.helpers.recipes import pictures

TINY = {"width": 2, "latent_dim": 3, "weight": 7.0}
DATA = pictures(6, size=8)
UNIT = np.float32(DATA.images / 255)


def game(seed=0, data=DATA, **changes):
    """Returns a small game with codes and images that differ from image to image."""
    keras.utils.set_random_seed(seed)
    made = dataclasses.replace(recipes.find("wae"), **{**TINY, **changes}).game(data)
    for weight in made.autoencoder.trainable_variables:
        weight.assign(weight + 0.4 * np.random.default_rng(int(np.prod(weight.shape))).normal(size=weight.shape))
    return made


def by_loops(codes, draws, c):
    """Returns the estimate of Algorithm 2, term by term."""
    n = len(codes)

    def k(x, y):
        return c / (c + np.square(x - y).sum())

    others = [(i, j) for i in range(n) for j in range(n) if i != j]
    within = sum(k(draws[i], draws[j]) + k(codes[i], codes[j]) for i, j in others) / (n * (n - 1))
    return within - 2 / n**2 * sum(k(z, code) for z in draws for code in codes)


@pytest.mark.parametrize("n, d, c", [(2, 1, 0.5), (5, 3, 6.0), (9, 8, 16.0)])
def test_the_estimate_is_that_of_algorithm_2(n, d, c):
    random = np.random.default_rng(n)
    codes, draws = 2 * random.normal(size=(n, d)) + 1, random.normal(size=(n, d))
    found = float(mmd(tf.constant(codes), tf.constant(draws), c))
    assert found == pytest.approx(by_loops(codes, draws, c), rel=1e-4, abs=1e-6)

    def kernel(a, b):
        return c / (c + np.square(a[:, None] - b).sum(axis=2))

    assert found == pytest.approx(unbiased(codes, draws, kernel), rel=1e-4, abs=1e-6)


def test_the_estimate_has_no_bias_and_sees_other_means_and_variances():
    random = np.random.default_rng(0)
    same = [float(mmd(*tf.constant(random.normal(size=(2, 20, 4))), 8.0)) for _ in range(400)]
    error = np.std(same) / np.sqrt(400)
    assert abs(np.mean(same)) < 3 * error and min(same) < 0
    z = random.normal(size=(200, 4))
    for codes in (z[::-1] + 0.5, 1.5 * z[::-1], 0.0 * z):
        assert float(mmd(tf.constant(codes), tf.constant(random.normal(size=(200, 4))), 8.0)) > 20 * error


def test_a_turn_gives_the_squared_error_of_an_image_and_the_mmd():
    made = game()
    with Rng(3):
        draws = made.prior.draw(6).numpy()
    codes = made.encoder(UNIT, training=True).numpy()  # batch norm: of this batch
    decoded = made.decoder(codes, training=True).numpy()
    error = np.square(np.float64(UNIT) - decoded).sum(axis=(1, 2, 3)).mean()
    apart = by_loops(np.float64(codes), np.float64(draws), 2 * 3)  # C = 2 d
    with Rng(3):
        found = {name: float(value) for name, value in made.turn(tf.constant(UNIT)).items()}
    expected = {"autoencoder": error + 7.0 * apart, "reconstruction": error, "mmd": apart}
    assert found == pytest.approx(expected, rel=1e-3)
    assert np.ptp(codes, axis=0).min() > 0.01 and abs(apart) > 0.01 and np.ptp(decoded) > 0.1


@pytest.mark.parametrize("distance", [2.0, 8.0, 30.0])
def test_codes_far_from_the_prior_are_moved_towards_it(distance):
    random = np.random.default_rng(0)
    codes = tf.constant(np.float32(distance + 0.5 * random.normal(size=(64, 3))))
    with tf.GradientTape() as tape:
        tape.watch(codes)
        loss = mmd(codes, tf.constant(random.normal(size=(64, 3))), 6.0)
    assert (-tape.gradient(loss, codes).numpy().mean(axis=0) * distance < -1e-6).all()


def test_networks_have_the_papers_sizes():
    made = recipes.find("wae").game(pictures(2, size=28))
    widths = (1, 128, 256, 512, 1024)
    convolutions = sum(16 * a * b + b + 2 * b for a, b in zip(widths, widths[1:], strict=False))  # kernel, bias, norm
    assert trainable(made.encoder) == convolutions + 2 * 2 * 1024 * 8 + 8
    doublings = sum(16 * a * b + b + 2 * b for a, b in ((1024, 512), (512, 256)))
    assert trainable(made.decoder) == 8 * 49 * 1024 + 49 * 1024 + doublings + 16 * 256 + 1
    assert made.prior.size == 8 and made.weight == 10
    optimizer = made.players["autoencoder"].optimizer
    assert optimizer.beta_1 == 0.5
    rates = [float(optimizer._learning_rate(step)) for step in (0, 18_000, 18_001, 30_000, 30_001)]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4, 1e-4])


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


@pytest.mark.parametrize(
    "name, value", [("width", 0), ("latent_dim", 0), ("weight", -1.0), ("learning_rate", 0.0), ("batch_size", 1)]
)
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="^--" + name.replace("_", "-")):
        dataclasses.replace(recipes.find("wae"), **{name: value})


def test_sides_that_are_no_multiples_of_4_are_refused():
    with pytest.raises(UsageError, match="multiples of 4 pixels, not 30x28: give --image-size 32x28"):
        recipes.find("wae").check((30, 28, 1))
