"""The projection discriminator: its logit by NumPy, what the players are paid, the networks' weights by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.priors import Normal
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.models import sngan_projection
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, filled, generator, painted, player, rows
from tests.helpers.recipes import pictures, shrink

LABELS = np.array([0, 2, 1, 1, 2])


def judge():
    """Returns `[images, labels]` -> a row of a matrix for the class, times the image; `judged` does it by hand."""
    image, label = keras.Input((1, 2, 1)), keras.Input((), dtype="int32")
    row = keras.layers.Embedding(3, 2)(label)
    return filled(keras.Model([image, label], keras.layers.Dot(1)([row, keras.layers.Flatten()(image)])))


def judged(network, seen, labels):
    return (np.float64(network.get_weights()[0])[labels] * rows(seen)).sum(axis=1)


def game(loss="hinge", generator_batch=1):
    return sngan_projection.ProjectionGAN(
        player(generator(3)),
        player(judge()),
        loss=LOSSES[loss],
        prior=Normal(2),
        image_range=images.SYMMETRIC,
        classes=("a", "b", "c"),
        generator_batch=generator_batch,
    )


def made_by_hand(made, count, seed):
    """Returns the logits of images of random labels, in the order in which a turn draws."""
    with Rng(seed):
        wanted = made.some_labels(count).numpy()
        fake = painted(made.generator, made.prior.draw(count), wanted)
    assert len(set(wanted)) > 1
    return judged(made.discriminator, fake, wanted)


def test_the_discriminator_sees_each_image_with_its_class():
    made = game()
    with Rng(3):
        found = made.discriminator_turn((tf.constant(REAL), tf.constant(LABELS)))
    real, fake = judged(made.discriminator, REAL, LABELS), made_by_hand(made, len(REAL), 3)
    expected = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert float(found["discriminator"]) == pytest.approx(expected, rel=1e-5)
    assert set(found) - {"discriminator"} == set(made.reports)


@pytest.mark.parametrize("times", [1, 2])
def test_the_generator_makes_several_times_a_batch(times):
    made = game(generator_batch=times)
    with Rng(3):
        found = made.generator_turn((tf.constant(REAL), tf.constant(LABELS)))
    expected = -made_by_hand(made, times * len(REAL), 3).mean()
    assert list(found) == ["generator"] and float(found["generator"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_the_logit_is_projection_and_dense_layer():
    """Equation 3, with V and the dense layer divided by their largest singular values."""
    features, label = keras.Input((4,)), keras.Input((), dtype="int32")
    model = keras.Model([features, label], sngan_projection.projected(features, label, 3))
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape))
    phi, y = random.normal(size=(5, 4)).astype(np.float32), np.array([0, 1, 2, 1, 0])
    for _ in range(200):
        model([phi, y], training=True)  # power iterations
    kernels = {w.shape: np.float64(w.numpy()) for w in model.weights if w.name == "kernel"}
    v, dense = (kernels[shape] / np.linalg.norm(kernels[shape], 2) for shape in ((3, 4), (4, 1)))
    bias = next(w.numpy() for w in model.weights if w.name == "bias")
    expected = (v[y] * phi).sum(axis=1, keepdims=True) + phi @ dense + bias
    np.testing.assert_allclose(model([phi, y]), expected, rtol=1e-4, atol=1e-5)


def test_weights_by_hand():
    """CIFAR-10: three blocks of conditional batch norm in the generator, four of the discriminator, V."""
    made = recipes.find("sngan-projection").game(pictures(size=32, channels=3))
    norm = 2 * 10 * 256 + 2 * 256
    block = 2 * norm + 2 * (9 * 256 * 256 + 256) + 256 * 256 + 256
    assert made.generator.count_params() == 129 * 4 * 4 * 256 + 3 * block + 4 * 256 + 9 * 256 * 3 + 3
    of = lambda rows, out: rows * out + out + out  # noqa: E731  kernel, bias, u
    first = of(27, 128) + of(9 * 128, 128) + of(3, 128)
    others = 3 * 2 * of(9 * 128, 128) + of(128, 128)
    assert made.discriminator.count_params() == first + others + (10 * 128 + 128) + of(128, 1)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_sizes_and_channels(size):
    made = shrink(recipes.find("sngan-projection")).game(pictures(size=size, channels=3))
    shown = made.generator([tf.zeros((2, made.prior.size)), tf.constant([1, 9])])
    assert shown.shape == (2, size, size, 3) and made.discriminator([shown, tf.constant([1, 9])]).shape == (2, 1)


def test_the_class_changes_the_image_and_the_logit():
    made = shrink(recipes.find("sngan-projection")).game(pictures())
    for weight in made.generator.weights:
        if weight.shape[0] == 10:
            weight.assign(np.random.default_rng(0).normal(size=weight.shape))
    z = tf.random.stateless_normal((1, made.prior.size), (0, 0))
    one, other = (made.generator([z, tf.constant([label])]) for label in (0, 1))
    assert np.abs(one - other).max() > 0.01
    logits = [float(made.discriminator([one, tf.constant([label])])[0, 0]) for label in (0, 1)]
    assert abs(logits[0] - logits[1]) > 1e-3


def test_r1_is_on_the_image_of_its_class():
    """The logit is linear in the image, so its gradient is the row of its class."""
    made = game()
    made.penalties = {"r1": 2.0}
    with Rng(3):
        found = made.discriminator_turn((tf.constant(REAL), tf.constant(LABELS)))
    squares = np.square(made.discriminator.get_weights()[0]).sum(axis=1)[LABELS]
    assert float(found["r1"]) == pytest.approx(squares.mean() / 2, rel=1e-4)


def test_the_recipe_is_the_papers():
    own = recipes.find("sngan-projection")
    assert (own.loss, own.latent_dim, own.width, own.discriminator_steps) == ("hinge", 128, 256, 5)
    assert (own.learning_rate, own.beta1, own.beta2, own.batch_size, own.generator_batch) == (2e-4, 0.0, 0.9, 64, 2)
    rate = own.adam(5)._learning_rate
    assert [float(rate(step)) for step in (0, 125_000, 250_000)] == pytest.approx([2e-4, 1e-4, 0])


@pytest.mark.parametrize("name, value", [("width", 6), ("generator_batch", 0), ("beta2", 1.0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        dataclasses.replace(recipes.find("sngan-projection"), **{name: value})
