"""The improved GAN: both turns by hand, reference batches, minibatch features, classes."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.data import Images, pipeline
from kgen.losses import penalties
from kgen.models.improved_gan import KPlusOneGAN, log_odds
from kgen.rng import Rng
from tests.helpers.recipes import pictures, shrink


def game(seed=0, size=28, data=None, **changes):
    """A small game; weights and reference batch from `seed`."""
    keras.utils.set_random_seed(seed)
    small = shrink(recipes.find("improved-gan"), seed=seed, **{"minibatch_dims": 2, "reference": 5, **changes})
    return small.game(data or pictures(size=size))


def weight(network, name):
    return [w for w in network.non_trainable_variables if w.name == name]


def trainable(network):
    return sum(int(np.prod(w.shape)) for w in network.trainable_variables)


def test_parameter_counts():
    data = pictures(count=2, size=28)
    full = recipes.find("improved-gan").game(data)
    maps, norms = 7 * 7 * 128, 2 * 128 + 2 * 64
    assert trainable(full.generator) == 10 * 100 + 200 * maps + 25 * 128 * 64 + 25 * 64 + norms
    logits = (maps + 100) * 11 + 11
    assert trainable(full.discriminator) == 25 * 64 + 64 + 25 * 64 * 128 + 2 * 128 + maps * 500 + 100 + logits


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(size, channels):
    made = game(data=pictures(count=4, size=size, channels=channels), width=2)
    shown = made.generator([tf.zeros((3, made.prior.size)), tf.constant([0, 4, 9])], training=False)
    logits, features = made.discriminator(shown, training=False)
    assert shown.shape == (3, size, size, channels) and logits.shape == (3, 11)
    assert features.shape == (3, {28: 7 * 7 * 4, 32: 4 * 4 * 8, 64: 4 * 4 * 16}[size])


class Fixed:
    """A network whose outputs depend on the first pixel alone: 0 generated, 1 real."""

    def __init__(self, real, fake):
        self.real, self.fake = real, fake

    def __call__(self, batch, training):
        assert training
        chosen = self.real if float(batch[0, 0, 0, 0]) == 1 else self.fake
        return [tf.constant(part, tf.float32) for part in chosen]


class Drawn:
    """A generator that remembers the labels it was given and makes images of zeros."""

    def __call__(self, inputs, training):
        assert training
        self.labels = inputs[1].numpy()
        return tf.zeros((len(inputs[0]), 2, 2, 1))


def told(**kwargs):
    """A game of two classes whose networks answer fixed numbers."""
    real = [[2.0, 0.0, 1.0], [0.0, 3.0, 0.5]], [[1.0, 3.0], [3.0, 5.0]]
    fake = [[1.0, 0.0, 3.0], [0.0, 2.0, 0.0]], [[0.0, 0.0], [2.0, 4.0]]
    networks = Player(Drawn(), None), Player(Fixed(real, fake), None)
    return KPlusOneGAN(*networks, prior=Normal(3), image_range=images.SYMMETRIC, classes=("a", "b"), **kwargs)


REAL, LABELS = tf.ones((2, 2, 2, 1)), tf.constant([0, 1])


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


P_REAL, P_FAKE = softmax([[2.0, 0, 1], [0, 3, 0.5]]), softmax([[1.0, 0, 3], [0, 2, 0]])


@pytest.mark.parametrize("target", [1.0, 0.9])
def test_the_discriminators_turn_by_hand(target):
    with Rng(0):
        values = told(real_target=target).discriminator_turn((REAL, LABELS))
    of_class, generated = P_REAL[[0, 1], [0, 1]], P_REAL[:, 2]
    on_real = -target * np.log(of_class) - (1 - target) * np.log(generated)
    assert float(values["discriminator"]) == pytest.approx(on_real.mean() - np.log(P_FAKE[:, 2]).mean(), rel=1e-5)
    assert float(values["real_score"]) == pytest.approx(1 - P_REAL[:, 2].mean(), rel=1e-5)
    assert float(values["fake_score"]) == pytest.approx(1 - P_FAKE[:, 2].mean(), rel=1e-5)


@pytest.mark.parametrize("matching", [0.0, 3.0])
def test_the_generators_turn_by_hand(matching):
    made = told(feature_matching=matching)
    with Rng(1):
        values = made.generator_turn((REAL, LABELS))
    asked = made.generator.labels
    classes = -np.log(P_FAKE[[0, 1], asked]).mean()
    distance = ((2 - 1) ** 2 + (4 - 2) ** 2) / 2  # mean features: real 2 and 4, generated 1 and 2
    assert float(values["generator"]) == pytest.approx(classes + matching * distance, rel=1e-5)
    assert set(values) == {"generator"} | ({"feature_distance"} if matching else set())
    assert set(made.reports) == {"real_score", "fake_score"} | ({"feature_distance"} if matching else set())


def test_the_generator_is_asked_for_every_class_whatever_the_data_show():
    made, asked = told(), set()
    for seed in range(10):
        with Rng(seed):
            made.generator_turn((REAL, tf.constant([0, 0])))
        asked |= set(made.generator.labels)
    assert asked == {0, 1}


def test_r1_is_on_the_logit_of_being_real():
    made = game(r1=2.0)
    batch = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)), tf.float32)
    with Rng(0):
        values = made.discriminator_turn((batch, tf.constant([1, 2, 3, 4])))

    def logit(x):
        p = tf.nn.softmax(made.discriminator(x, training=True)[0])[:, -1]
        return tf.math.log((1 - p) / p)

    assert float(values["r1"]) == pytest.approx(float(penalties.r1(logit, batch)), rel=1e-3) and values["r1"] > 0


def test_log_odds():
    np.testing.assert_allclose(log_odds(tf.constant([[2.0, 0, 1]])), np.log(1 / P_REAL[:1, 2] - 1), rtol=1e-5)
    np.testing.assert_allclose(log_odds(tf.constant([[2.0, 0, 900]])), np.log(np.e**2 + 1) - 900, rtol=1e-6)


def test_the_reference_batches_are_training_images_and_all_classes_with_noise():
    data = pictures(size=28)
    made = game(seed=3)
    [seen] = weight(made.discriminator, "batch")
    chosen = pipeline.indices(3, 0, 5, 16)
    np.testing.assert_allclose(seen, data.images[chosen] / 127.5 - 1, atol=1e-6)
    named, noise = sorted((w.numpy() for w in weight(made.generator, "batch")), key=lambda w: w.min() < 0)
    np.testing.assert_array_equal(named, np.eye(10)[[0, 1, 2, 3, 4]])
    assert noise.shape == (5, made.prior.size) and 0.8 < np.abs(noise).max() < 1
    again, other = weight(game(seed=3).generator, "batch"), weight(game(seed=4).generator, "batch")
    assert [np.array_equal(a, b) for a, b in zip(weight(made.generator, "batch"), again, strict=True)] == [True] * 2
    assert any(not np.array_equal(a, b) for a, b in zip(again, other, strict=True))


def test_a_game_of_one_image_takes_the_weights_of_another():
    """Sampling opens a run without its images; the reference batch comes from the checkpoint."""
    one = Images(np.zeros((1, 28, 28, 1), np.uint8), np.zeros(1, np.int64), tuple(map(str, range(10))))
    trained, opened = game(seed=1), game(seed=2, data=one)
    x = tf.constant(np.random.default_rng(0).uniform(-1, 1, (3, 28, 28, 1)), tf.float32)
    assert not np.allclose(trained.discriminator(x)[0], opened.discriminator(x)[0])
    for name in ("generator", "discriminator"):
        getattr(opened, name).set_weights(getattr(trained, name).get_weights())
    np.testing.assert_array_equal(trained.discriminator(x)[0], opened.discriminator(x)[0])
    with Rng(0):
        shown = trained.pictures(10)
    with Rng(0):
        np.testing.assert_array_equal(shown, opened.pictures(10))


def test_an_image_depends_on_its_batch_mates_through_the_minibatch_features_alone():
    made = game()
    x = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)), tf.float32)
    (logits, features), (alone, own) = made.discriminator(x), made.discriminator(x[:1])
    np.testing.assert_allclose(features[:1], own, rtol=1e-4, atol=1e-5)
    closeness = made.discriminator.layers[-1].kernel[features.shape[1] :]
    assert closeness.shape[0] == made.discriminator.layers[-2].kernels
    seen = made.discriminator.layers[-2](features)[:1] - made.discriminator.layers[-2](features[:1])
    assert np.abs(seen[:, features.shape[1] :]).max() > 0
    np.testing.assert_allclose(logits[:1] - alone, seen @ made.discriminator.layers[-1].kernel, rtol=1e-3, atol=1e-5)


def test_generated_images_depend_on_z_and_on_the_class():
    made = game()
    z = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, made.prior.size)), tf.float32)
    of = {pair: made.generator([z[pair[0] :][:1], tf.constant([pair[1]])]).numpy() for pair in ((0, 1), (0, 2), (1, 1))}
    assert np.abs(of[0, 1] - of[0, 2]).max() > 0.01 and np.abs(of[0, 1] - of[1, 1]).max() > 0.01
    both = made.generator([z, tf.constant([1, 1])]).numpy()
    np.testing.assert_allclose(both, np.concatenate([of[0, 1], of[1, 1]]), atol=1e-5)


def test_the_game_is_balanced_by_half_of_the_discriminators_loss():
    """Both losses are log(K + 1) where the discriminator cannot tell: its own is a sum of two."""
    made = dataclasses.replace(shrink(recipes.find("improved-gan")), balance=0.1).game(pictures())
    assert made.update_rule.shares == {"discriminator": 0.5, "generator": 1.0}
