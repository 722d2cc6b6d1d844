"""The baselines of ACAI: networks in NumPy and losses by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from kgen import images, rng
from kgen.core import autoencoding
from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from kgen.models import acai
from kgen.rng import Rng
from tests.helpers.recipes import pictures

NAMES = ["acai-autoencoder", "acai-vae", "acai-adversarial"]
TINY = {"image_size": None, "depth": 2, "latent_width": 2, "latent_channels": 3}
DATA = pictures(6, size=8)
SIZE = 12  # numbers of a code


def game(name="acai-autoencoder", data=DATA, scale=2, **changes):
    """Returns a small game with biases other than 0 and codes that differ."""
    keras.utils.set_random_seed(0)
    made = dataclasses.replace(recipes.find(name), **{**TINY, **changes}).game(data)
    random = np.random.default_rng(0)
    for player in made.players.values():
        for weight in player.network.trainable_variables:
            weight.assign(scale * weight + 0.1 * random.normal(size=weight.shape))
    return made


def symmetric(data=DATA):
    return np.float32(data.images / 127.5 - 1)


def lost(made, x, seed=1):
    with Rng(seed):
        return float(made.turn(tf.constant(x))["autoencoder"])


def squared(x, y):
    return np.square(np.float64(x) - np.float64(y)).mean()


# The networks, in numpy.


def convolved(x, weights):
    kernel, bias = map(np.float64, weights)
    k = kernel.shape[0]
    x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))  # batch, h, w, channels, k, k
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + bias


def rectified(x):
    return np.where(x > 0, x, 0.2 * x)


def pooled(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def weights_of(network):
    """Returns iterators over `(kernel, bias)` of the layers in the order in which they compute."""
    found = network.get_weights()
    return iter(list(zip(found[::2], found[1::2], strict=True)))


def encoded(network, x, scales=2):
    weights = weights_of(network)
    x = convolved(x, next(weights))  # 1x1, linear
    for _ in range(scales):
        x = pooled(rectified(convolved(rectified(convolved(x, next(weights))), next(weights))))
    x = convolved(rectified(convolved(x, next(weights))), next(weights))
    assert next(weights, None) is None
    return x.reshape(len(x), -1)


def decoded(network, code, scales=2):
    weights, side = weights_of(network), 2
    x = code.reshape(len(code), side, side, -1)
    for _ in range(scales):
        x = rectified(convolved(rectified(convolved(x, next(weights))), next(weights)))
        x = x.repeat(2, axis=1).repeat(2, axis=2)
    x = convolved(rectified(convolved(x, next(weights))), next(weights))
    assert next(weights, None) is None
    return x


@pytest.mark.parametrize("name", ["acai-autoencoder", "acai-adversarial", "acai"])
def test_the_networks_in_numpy(name):
    made = game(name)
    x = symmetric()
    code = encoded(made.encoder, x)
    np.testing.assert_allclose(made.encoder(x, training=True), code, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(made.decoder(code), decoded(made.decoder, code), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(made.autoencoder(x), decoded(made.decoder, code), rtol=1e-3, atol=1e-4)
    assert code.shape == (6, SIZE) and code.std(axis=0).min() > 1e-3
    channels = [[kernel.shape[-1] for kernel, _ in weights_of(half)] for half in (made.encoder, made.decoder)]
    assert channels == [[2, 2, 2, 4, 4, 8, 3], [4, 4, 2, 2, 2, 1]]


@pytest.mark.parametrize("name", NAMES)
def test_all_train_on_lines_as_long_as_acai_does(name):
    own, other = recipes.find(name), recipes.find("acai")
    for field in ("dataset", "steps", "batch_size", "learning_rate", "depth", "latent_width", "latent_channels"):
        assert getattr(own, field) == getattr(other, field), field
    assert own.steps * own.batch_size == 2**24 and acai.LINES["dataset"] == "lines"


# Plain, denoising, dropout.


def test_the_plain_loss_is_the_mean_squared_error_in_the_symmetric_range():
    made = game()
    x = symmetric()
    assert made.range == images.SYMMETRIC and list(made.players) == ["autoencoder"]
    assert lost(made, x) == pytest.approx(squared(x, made.autoencoder(x)), rel=1e-5) == lost(made, x, seed=2)
    np.testing.assert_allclose(made.receive(tf.constant(DATA.images)[None])[0], x, atol=1e-6)


def test_noise_is_normal_seen_in_training_alone_and_the_clean_image_asked_for():
    made = game(input_noise=0.7)
    x = symmetric()
    with Rng(1):
        noisy = x + 0.7 * rng.current().normal(x.shape).numpy()
    answer = made.autoencoder(noisy)
    assert lost(made, x) == pytest.approx(squared(x, answer), rel=1e-5)
    assert lost(made, x) != pytest.approx(squared(noisy, answer), rel=0.01)
    assert lost(made, x) == lost(made, x) != lost(made, x, seed=2)
    assert lost(made, x) != pytest.approx(squared(x, made.autoencoder(x)), rel=1e-3)
    module, _ = made.signatures()
    found = module.reconstruct(tf.constant((x + 1) / 2))["images"]
    np.testing.assert_allclose(found, np.clip((made.autoencoder(x) + 1) / 2, 0, 1), atol=1e-5)


def test_the_code_is_dropped_out_in_training_alone():
    made = game(code_dropout=0.25)
    x = symmetric()
    with Rng(1):
        kept = rng.current().uniform((6, SIZE)).numpy() >= 0.25
    code = made.encoder(x).numpy()
    assert 0.05 < 1 - kept.mean() < 0.45
    assert lost(made, x) == pytest.approx(squared(x, made.decoder(kept * code / 0.75)), rel=1e-5)
    assert lost(made, x) == lost(made, x) != lost(made, x, seed=2)
    plain = game()
    np.testing.assert_array_equal(made.autoencoder(x), plain.autoencoder(x))
    assert lost(made, x) != pytest.approx(lost(plain, x), rel=1e-3)
    rates = [[layer.rate for layer in half.layers if hasattr(layer, "rate")] for half in (made.encoder, made.decoder)]
    assert rates == [[], [0.25]]


# Variational.


def test_the_vaes_bound_by_hand_of_images_that_the_encoder_sees_rescaled():
    made = game("acai-vae")
    x = np.float32(DATA.images / 255)
    assert made.range == images.UNIT and made.beta == 1.0 and made.prior.size == SIZE
    maps, *_ = [layer for layer in made.encoder.layers if isinstance(layer, keras.Model)]
    flat = encoded(maps, 2 * np.float64(x) - 1)
    (w_mean, b_mean), (w_log, b_log) = (
        map(np.float64, layer.get_weights()) for layer in made.encoder.layers if isinstance(layer, keras.layers.Dense)
    )
    mean, log_variance = flat @ w_mean + b_mean, flat @ w_log + b_log
    for found, expected in zip(made.encoder(x), (mean, log_variance), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    with Rng(1):
        z = mean + np.exp(log_variance / 2) * rng.current().normal((6, SIZE)).numpy()
    p = expit(decoded(made.decoder, z))
    nats = (-x * np.log(p) - (1 - x) * np.log(1 - p)).sum(axis=(1, 2, 3)).mean()
    kl = (0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance)).sum(axis=1).mean()
    with Rng(1):
        values = made.turn(tf.constant(x))
    assert float(values["reconstruction"]) == pytest.approx(nats, rel=1e-3)
    assert float(values["kl"]) == pytest.approx(kl, rel=1e-3)
    assert float(values["autoencoder"]) == pytest.approx(nats + kl, rel=1e-3)
    assert kl > 0.1 * nats > 1 and w_mean.shape == w_log.shape == (SIZE, SIZE)
    np.testing.assert_allclose(made.autoencoder(x), decoded(made.decoder, mean), rtol=1e-3, atol=1e-3)


# Adversarial.


def test_the_adversarial_baseline_judges_codes_by_two_layers_of_a_hundred():
    made = game("acai-adversarial", scale=1)
    code = np.random.default_rng(0).normal(size=(5, SIZE))
    weights = [np.float64(weight) for weight in made.discriminator.get_weights()]
    assert [weight.shape for weight in weights[::2]] == [(SIZE, 100), (100, 100), (100, 1)]
    x = code
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = rectified(x @ kernel + bias)
    np.testing.assert_allclose(made.discriminator(code), x @ weights[-2] + weights[-1], rtol=1e-3, atol=1e-5)
    assert made.range == images.SYMMETRIC and made.weight == 1.0 and made.prior.size == SIZE
    real = symmetric()
    expected = squared(real, made.autoencoder(real)) + np.log1p(np.exp(-made.discriminator(made.encoder(real)))).mean()
    assert lost(made, real) == pytest.approx(expected, rel=1e-4)


# Refusals and sheets.


@pytest.mark.parametrize(
    "name, changes",
    [
        ("acai-autoencoder", {"input_noise": -0.1}),
        ("acai-autoencoder", {"code_dropout": -0.1}),
        ("acai-autoencoder", {"code_dropout": 1.0}),
        ("acai-adversarial", {"units": (100, 0)}),
        *((name, {"depth": 0}) for name in NAMES),
    ],
)
def test_numbers_that_cannot_be_are_refused(name, changes):
    with pytest.raises(UsageError, match="^--" + next(iter(changes)).replace("_", "-")):
        dataclasses.replace(recipes.find(name), **changes)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_that_do_not_halve_are_refused(name):
    with pytest.raises(UsageError, match="cannot be halved from 12x12 pixels: give --image-size 16"):
        dataclasses.replace(recipes.find(name), **TINY).game(Images(np.zeros((2, 12, 12, 1), np.uint8), None, ()))


def test_a_sheet_shows_pairs_and_walks():
    made = game(scale=1.5)
    made.examples = pictures(24, size=8, seed=3).images
    sheet = made.pictures(64).numpy()
    shown = np.float32(made.examples / 255)
    answers = np.clip((made.autoencoder(2 * shown - 1).numpy() + 1) / 2, 0, 1)
    for row in range(2):
        part = slice(8 * row, 8 * row + 8)
        np.testing.assert_allclose(sheet[16 * row : 16 * row + 8], shown[part], atol=1e-6)
        np.testing.assert_allclose(sheet[16 * row + 8 : 16 * row + 16], answers[part], atol=1e-5)
    codes = made.encoder(2 * shown - 1).numpy()
    for row in range(4):
        first, last = codes[16 + 2 * row], codes[17 + 2 * row]
        walk = made.decoder(np.linspace(first, last, autoencoding.COLUMNS)).numpy()
        np.testing.assert_allclose(sheet[32 + 8 * row :][:8], np.clip((walk + 1) / 2, 0, 1), atol=1e-5)
        np.testing.assert_allclose(sheet[32 + 8 * row], answers[16 + 2 * row], atol=1e-5)
