import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from kgen import images
from kgen.augmentation import noise as noises
from kgen.augmentation.affine import distorted
from kgen.rng import Rng
from tests.helpers.autoencoders import CLEAN, game, logits
from tests.helpers.recipes import pictures


def cross_entropy(x, logits):
    p = np.float64(expit(np.float64(logits)))
    return -x * np.log(p) - (1 - x) * np.log(1 - p)


def squared_error(x, logits):
    return np.square(x - expit(np.float64(logits)))


ERRORS = {"bce": cross_entropy, "mse": squared_error}


def lost(game, seed=1, clean=CLEAN):
    with Rng(seed):
        return float(game.turn(tf.constant(clean))["autoencoder"])


# Losses.


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_loss_is_the_mean_over_pixels(loss):
    made = game(loss=loss)
    expected = ERRORS[loss](CLEAN, logits(made, CLEAN)).mean()
    assert lost(made) == pytest.approx(expected, rel=1e-5)
    assert expected > 0.05


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_reconstructions_of_reconstructions_are_compared_with_the_first_images(loss):
    made, seen, losses = game(loss=loss, passes=3), CLEAN, []
    for _ in range(3):
        answer = logits(made, seen)
        losses.append(ERRORS[loss](CLEAN, answer).mean())
        seen = np.float32(expit(answer))
    assert len({round(value, 4) for value in losses}) == 3
    assert lost(made) == pytest.approx(np.mean(losses), rel=1e-5)


def test_noise_is_seen_and_the_clean_image_asked_for():
    made = game(noise="uniform:0.7+salt-and-pepper:0.3")
    with Rng(1):
        noisy = noises.add(tf.constant(CLEAN), noises.parse("uniform:0.7+salt-and-pepper:0.3")).numpy()
    assert lost(made) == pytest.approx(cross_entropy(CLEAN, logits(made, noisy)).mean(), rel=1e-5)
    assert lost(made) != pytest.approx(cross_entropy(noisy, logits(made, noisy)).mean(), rel=1e-3)
    assert lost(made, seed=2) != lost(made)


def test_only_the_first_pass_is_noisy():
    made = game(noise="uniform:0.7", passes=2)
    with Rng(1):
        first = logits(made, noises.add(tf.constant(CLEAN), noises.parse("uniform:0.7")).numpy())
    losses = [cross_entropy(CLEAN, answer).mean() for answer in (first, logits(made, np.float32(expit(first))))]
    assert lost(made) == pytest.approx(np.mean(losses), rel=1e-5)


def test_distorted_images_are_seen_and_asked_for_alike():
    made = game(distort=True)
    with Rng(1):
        changed = distorted(tf.constant(CLEAN)).numpy()
    assert not np.array_equal(changed, CLEAN)
    assert lost(made) == pytest.approx(cross_entropy(changed, logits(made, changed)).mean(), rel=1e-5)


def test_dropout_is_the_training_encoders():
    made = game(encoder_dropout=0.5)
    assert lost(made, 1) == lost(made, 1) != lost(made, 2)
    assert lost(made) != pytest.approx(cross_entropy(CLEAN, logits(made, CLEAN)).mean(), rel=1e-3)
    drops = [[layer.rate for layer in half.layers if hasattr(layer, "rate")] for half in (made.encoder, made.decoder)]
    assert drops == [[0.5], []]
    both = game(encoder_dropout=0.5, decoder_dropout=0.25)
    assert [layer.rate for layer in both.decoder.layers if hasattr(layer, "rate")] == [0.25]


@pytest.mark.parametrize("loss, first", [("bce", "binary_cross_entropy"), ("mse", "squared_error")])
def test_measures_are_means_over_pixels_and_the_trained_loss_is_the_first(loss, first):
    made = game(loss=loss, encoder_dropout=0.5, passes=3, distort=True)  # measured undistorted, once, without dropout
    found = made.measures(tf.constant(CLEAN))
    assert next(iter(found)) == first and found.keys() == {"binary_cross_entropy", "squared_error"}
    answer = logits(made, CLEAN)
    expected = {"binary_cross_entropy": cross_entropy(CLEAN, answer), "squared_error": squared_error(CLEAN, answer)}
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name].mean(axis=(1, 2, 3)), rtol=1e-5)


def test_measures_of_a_denoiser_see_noise():
    made = game(noise="hole:4x4")
    with Rng(3):
        found = made.measures(tf.constant(CLEAN))["squared_error"]
    with Rng(3):
        noisy = noises.add(tf.constant(CLEAN), noises.parse("hole:4x4")).numpy()
    np.testing.assert_allclose(found, squared_error(CLEAN, logits(made, noisy)).mean(axis=(1, 2, 3)), rtol=1e-5)


# Pictures.


@pytest.mark.parametrize("noise", [None, "uniform:0.5"])
def test_pictures_are_rows_of_inputs_above_their_reconstructions(noise):
    made, examples = game(noise=noise), pictures(32, size=8, seed=4).images
    made.examples = examples
    with Rng(6):
        sheet = made.pictures(64).numpy()
    clean = np.float32(examples / 255)
    with Rng(6):
        seen = noises.add(tf.constant(clean), noises.parse(noise)).numpy()
    answers = expit(logits(made, seen))
    for row in range(4):
        part = slice(8 * row, 8 * row + 8)
        np.testing.assert_allclose(sheet[16 * row : 16 * row + 8], seen[part], atol=1e-6)
        np.testing.assert_allclose(sheet[16 * row + 8 : 16 * row + 16], answers[part], atol=1e-5)
    with Rng(6):
        np.testing.assert_array_equal(made.pictures(70)[64:], sheet[:6])


def test_the_range_is_that_of_a_sigmoid():
    assert game().range == images.UNIT
