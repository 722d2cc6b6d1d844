"""Losses of class heads against their formulas and TensorFlow GAN."""

import math

import numpy as np
import pytest
import tensorflow as tf

from kgen.losses import adversarial as adversarial_losses
from kgen.losses.classification import (
    class_cross_entropy,
    feature_matching,
    k_plus_one_discriminator,
    k_plus_one_generator,
    k_plus_one_score,
)
from tests.helpers.tfgan import tensorflow_gan

LABELS = np.array([2, 0, 1])
REAL = np.array([[1.5, -0.5, 0.25, 0.0], [3.0, 0.0, -1.0, 2.0], [0.0, 0.0, 0.0, 0.0]], np.float32)
FAKE = np.array([[-2.0, 0.5, 1.0, 0.25], [0.0, 1.0, 2.0, 3.0], [1.0, -1.0, 0.5, -0.5]], np.float32)
# Logits of the classes with probabilities 1/8, 1/8, 1/4, 1/2 and 1/2, 1/4, 1/8, 1/8, moved by a number.
ODDS = np.log(np.float32([[1, 1, 2, 4], [4, 2, 1, 1]])) + np.float32([[0.0], [7.0]])


def probabilities(logits):
    powers = np.exp(logits.astype(np.float64))
    return powers / powers.sum(-1, keepdims=True)


def negative_log(p, labels):
    return -np.log([row[label] for row, label in zip(p, labels, strict=True)]).mean()


def test_class_cross_entropy_numbers():
    np.testing.assert_allclose(class_cross_entropy([2, 2], ODDS), (2 + 3) / 2 * math.log(2), rtol=1e-6)
    np.testing.assert_allclose(class_cross_entropy([0, 0], ODDS), (3 + 1) / 2 * math.log(2), rtol=1e-6)
    np.testing.assert_allclose(class_cross_entropy([0, 9], np.zeros((2, 10))), math.log(10), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_class_cross_entropy_equals_the_formula(dtype):
    expected = negative_log(probabilities(REAL), LABELS)
    np.testing.assert_allclose(class_cross_entropy(LABELS.astype(dtype), REAL), expected, rtol=1e-6)


def test_the_players_of_ac_gan_equal_tensorflow_gan():
    reference, one_hot = tensorflow_gan().losses.wargs, np.eye(4, dtype=np.float32)[LABELS]
    real, fake = REAL[:, 0], FAKE[:, 0]  # any logits will do for the other head

    discriminator = adversarial_losses.minimax_discriminator(real, fake)
    discriminator += class_cross_entropy(LABELS, REAL) + class_cross_entropy(LABELS, FAKE)
    expected = reference.minimax_discriminator_loss(real, fake, label_smoothing=0.0)
    expected += reference.acgan_discriminator_loss(REAL, FAKE, one_hot)
    np.testing.assert_allclose(discriminator, expected, rtol=1e-6)

    generator = adversarial_losses.non_saturating_generator(fake) + class_cross_entropy(LABELS, FAKE)
    expected = reference.modified_generator_loss(fake, label_smoothing=0.0)
    expected += reference.acgan_generator_loss(FAKE, one_hot)
    np.testing.assert_allclose(generator, expected, rtol=1e-6)


def test_k_plus_one_numbers():
    # On data the classes asked for have 1/4 and 1/8, "generated" 1/2 and 1/8; on the fakes it has those too.
    on_fake = (1 + 3) / 2
    value = k_plus_one_discriminator([2, 2], ODDS, ODDS)
    np.testing.assert_allclose(value, ((2 + 3) / 2 + on_fake) * math.log(2), rtol=1e-6)
    value = k_plus_one_discriminator([2, 2], ODDS, ODDS, target=0.75)
    np.testing.assert_allclose(value, (0.75 * 5 / 2 + 0.25 * 4 / 2 + on_fake) * math.log(2), rtol=1e-6)
    np.testing.assert_allclose(k_plus_one_generator([1, 1], ODDS), (3 + 2) / 2 * math.log(2), rtol=1e-6)
    np.testing.assert_allclose(k_plus_one_score(ODDS), [0.5, 0.875], rtol=1e-6)


@pytest.mark.parametrize("target", [1.0, 0.9, 0.0])
def test_k_plus_one_equals_the_formula(target):
    real, fake, generated = probabilities(REAL), probabilities(FAKE), [3, 3, 3]
    on_real = target * negative_log(real, LABELS) + (1 - target) * negative_log(real, generated)
    value = k_plus_one_discriminator(LABELS, REAL, FAKE, target)
    np.testing.assert_allclose(value, on_real + negative_log(fake, generated), rtol=1e-6)
    np.testing.assert_allclose(k_plus_one_generator(LABELS, FAKE), negative_log(fake, LABELS), rtol=1e-6)
    np.testing.assert_allclose(k_plus_one_score(FAKE), 1 - fake[:, 3], rtol=1e-6)


@pytest.mark.parametrize("target", [1.0, 0.9])
def test_one_class_and_generated_is_the_binary_game(target):
    real, fake, labels = REAL[:, :2], FAKE[:, :2], np.zeros(3, int)
    binary = real[:, 0] - real[:, 1], fake[:, 0] - fake[:, 1]
    value = k_plus_one_discriminator(labels, real, fake, target)
    np.testing.assert_allclose(value, adversarial_losses.smoothed_discriminator(*binary, target), rtol=1e-6)
    np.testing.assert_allclose(
        k_plus_one_generator(labels, fake), adversarial_losses.non_saturating_generator(binary[1]), rtol=1e-6
    )
    np.testing.assert_allclose(k_plus_one_score(real), adversarial_losses.LOSSES["minimax"].score(binary[0]), rtol=1e-6)


def test_extreme_logits_are_linear_and_have_exact_gradients():
    # Real is taken for class 0 instead of 1, fake for class 0 instead of "generated".
    real, fake = tf.constant([[1000.0, -1000.0, 0.0]]), tf.constant([[1000.0, 0.0, -1000.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        discriminator = k_plus_one_discriminator([1], real, fake, target=0.75)
        generator, score = k_plus_one_generator([1], fake), k_plus_one_score(fake)
    np.testing.assert_allclose(discriminator, 0.75 * 2000 + 0.25 * 1000 + 2000)
    np.testing.assert_allclose(generator, 1000)
    np.testing.assert_array_equal(score, [1.0])
    slopes = [*tape.gradient(discriminator, [real, fake]), tape.gradient(generator, fake), tape.gradient(score, fake)]
    np.testing.assert_array_equal(slopes, [[[1, -0.75, -0.25]], [[1, 0, -1]], [[1, -1, 0]], [[0, 0, 0]]])


def test_a_score_near_0_is_not_rounded_away():
    # 1 - softmax would be off by 6e-8, as much as the number itself is.
    np.testing.assert_allclose(k_plus_one_score([[0.0, 0.0, 20.0]]), 2 * math.exp(-20), rtol=1e-5)


def test_bfloat16_gives_float32():
    # The mean of 4096 equal rows is lost if any sum is kept in bfloat16.
    logits = tf.repeat(tf.constant([[1.0078125, 0.0, 0.5]], tf.bfloat16), 4096, axis=0)
    exact, labels, label = np.float32([[1.0078125, 0.0, 0.5]]), np.zeros(4096, int), np.zeros(1, int)
    for value, expected in (
        (class_cross_entropy(labels, logits), class_cross_entropy(label, exact)),
        (k_plus_one_discriminator(labels, logits, logits, 0.9), k_plus_one_discriminator(label, exact, exact, 0.9)),
        (k_plus_one_generator(labels, logits), k_plus_one_generator(label, exact)),
        (k_plus_one_score(logits)[0], k_plus_one_score(exact)[0]),
        (feature_matching(logits, 0 * logits), feature_matching(exact, 0 * exact)),
    ):
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_feature_matching_numbers():
    # Means over the batch (2, 0) and (1, 4): (1 + 16) / 2.
    real, fake = np.float32([[1, 1], [3, -1]]), np.float32([[1, 2], [1, 4], [1, 6]])
    np.testing.assert_allclose(feature_matching(real, fake), 8.5, rtol=1e-6)
    assert float(feature_matching(real, real[::-1])) == 0  # only the means are compared


def test_feature_matching_of_maps():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(5, 3, 3, 2)), rng.normal(size=(4, 3, 3, 2))
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum() / 18
    np.testing.assert_allclose(feature_matching(real, fake), expected, rtol=1e-5)


def test_feature_matching_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"same shape, but for the batch. Received: \(4, 1\) and \(4,\) an image"):
        feature_matching(np.zeros((2, 4, 1), np.float32), np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="same shape"):
        feature_matching(np.zeros((2, 1), np.float32), np.zeros((2, 4), np.float32))


@pytest.mark.parametrize(
    "loss", [class_cross_entropy, k_plus_one_generator, lambda y, x: k_plus_one_discriminator(y, x, x)]
)
def test_labels_that_are_not_one_integer_a_row_are_refused(loss):
    with pytest.raises(ValueError, match=r"must be `\(batch,\)`.*Received: \(3, 4\) and \(3, 4\)"):
        loss(np.eye(4, dtype=int)[LABELS], REAL)
    with pytest.raises(ValueError, match=r"Received: \(3, 1\) and \(3, 4\)"):
        loss(LABELS[:, None], REAL)
    with pytest.raises(ValueError, match="same shape"):
        loss(LABELS[:2], REAL)
    with pytest.raises(ValueError, match="must be integers. Received: dtype .*float"):
        loss(LABELS.astype(np.float32), REAL)


def test_what_is_no_probability_and_what_has_no_class_is_refused():
    with pytest.raises(ValueError, match=r"`target` must be in \[0, 1\]. Received: target=1.5"):
        k_plus_one_discriminator(LABELS, REAL, FAKE, 1.5)
    with pytest.raises(ValueError, match=r"at least 2. Received: logits \(3, 1\)"):
        k_plus_one_score(REAL[:, :1])


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_compiled_equals_eager(jit_compile):
    functions = (
        lambda y, real, fake: class_cross_entropy(y, real),
        lambda y, real, fake: k_plus_one_discriminator(y, real, fake, 0.9),
        lambda y, real, fake: feature_matching(real, fake),
        lambda y, real, fake: k_plus_one_score(real)[0],
    )
    unknown = [tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, 4)), tf.TensorSpec((None, 4))]

    @tf.function(input_signature=unknown, jit_compile=jit_compile)
    def compiled(y, real, fake):
        return [function(y, real, fake) for function in functions]

    values = compiled(LABELS.astype(np.int32), REAL, FAKE)
    np.testing.assert_allclose(values, [function(LABELS, REAL, FAKE) for function in functions], rtol=1e-6)
