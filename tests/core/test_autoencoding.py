"""Sheets, walks and mixtures of codes, with a linear encoder and decoder that NumPy follows."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from scipy.special import expit, log_expit

from kgen import images
from kgen.core import autoencoding
from kgen.core.base_trainer import BaseTrainer
from kgen.core.game import Player
from kgen.core.priors import Normal, Uniform
from kgen.core.requests import LIMIT
from kgen.rng import Rng
from tests.helpers.recipes import pictures

SHAPE, SIZE = (2, 3, 1), 4


def halves(seed=0, heads=1):
    """Returns an encoder, linear in the image, and a decoder, linear in the code."""
    keras.utils.set_random_seed(seed)
    image, code = keras.Input(SHAPE), keras.Input((SIZE,))
    ends = [keras.layers.Dense(SIZE, bias_initializer="normal")(keras.layers.Flatten()(image)) for _ in range(heads)]
    encoder = keras.Model(image, ends if heads > 1 else ends[0], name="encoder")
    x = keras.layers.Dense(6, bias_initializer="normal")(code)
    return encoder, keras.Model(code, keras.layers.Reshape(SHAPE)(x), name="decoder")


class Layers(autoencoding.AutoencodingGame):
    """An encoder and a decoder that are layers of one player."""

    def __init__(self, encoder, decoder):
        super().__init__(SHAPE, autoencoder=Player(autoencoding.autoencoder(encoder, decoder), keras.optimizers.SGD()))

    def paint(self, numbers):
        return keras.ops.tanh(numbers)


class Players(Layers):
    """An encoder and a decoder that are players."""

    exported = ("encoder", "decoder")
    encoder = decoder = None

    def __init__(self, encoder, decoder):
        players = {
            "encoder": Player(encoder, keras.optimizers.SGD()),
            "decoder": Player(decoder, keras.optimizers.SGD()),
        }
        autoencoding.AutoencodingGame.__init__(self, SHAPE, **players)


both_ways = pytest.mark.parametrize("kind", [Layers, Players])


def of(kind, walks=4, draws=0, heads=1, range=images.SYMMETRIC, prior=None, **more):
    """Returns a game of that kind which shows random pictures."""
    made = type("Game", (kind,), {"walks": walks, "draws": draws, "range": range, "prior": prior, **more})(
        *halves(heads=heads)
    )
    made.examples = pictures(made.fixed_images_shape[0], seed=3).images[:, :2, :3]
    assert made.fixed_images_shape == made.examples.shape
    return made


def encoded(made, x):
    """Returns the (mean) codes of images in [0, 1], by NumPy."""
    low, high = made.range
    weight, bias = made.encoder.get_weights()[:2]
    return (np.float64(x) * (high - low) + low).reshape(len(x), -1) @ weight + bias


def painted(made, codes):
    """Returns images in [0, 1] of codes, by NumPy."""
    low, high = made.range
    weight, bias = made.decoder.get_weights()
    return np.clip((np.tanh(codes @ weight + bias).reshape(-1, *SHAPE) - low) / (high - low), 0, 1)


# Sheets.


@both_ways
@pytest.mark.parametrize("range", [images.SYMMETRIC, images.UNIT])
@pytest.mark.parametrize("walks, draws, heads", [(4, 0, 1), (2, 2, 2), (0, 4, 2), (0, 0, 1), (1, 1, 1)])
def test_a_sheet_has_reconstructions_then_walks_then_draws(kind, range, walks, draws, heads):
    made = of(kind, walks, draws, heads, range, Uniform(SIZE, 2.0))
    pairs = (8 - walks - draws) // 2
    shown = made.examples / 255
    assert len(shown) == 8 * pairs + 2 * walks
    with Rng(5):
        sheet = made.pictures(64).numpy().reshape(8, 8, *SHAPE)
    assert sheet.dtype == np.float32 and sheet.shape[0] == 2 * pairs + walks + draws
    for pair in np.arange(pairs):
        row = shown[8 * pair : 8 * pair + 8]
        np.testing.assert_allclose(sheet[2 * pair], row, atol=1e-6)
        np.testing.assert_allclose(sheet[2 * pair + 1], painted(made, encoded(made, row)), atol=1e-5)
    for walk in np.arange(walks):
        first, last = encoded(made, shown[8 * pairs + 2 * walk :][:2])
        steps = np.linspace(first, last, 8)
        np.testing.assert_allclose(sheet[2 * pairs + walk], painted(made, steps), atol=1e-5)
        assert np.abs(first - last).max() > 0.1
    expected = painted(made, np.float64(Rng(5).uniform((8 * draws, SIZE), -2.0, 2.0)))
    np.testing.assert_allclose(sheet[2 * pairs + walks :].reshape(-1, *SHAPE), expected, atol=1e-5)


def test_more_or_fewer_pictures_than_a_sheet_holds():
    made = of(Layers, 2, 2, prior=Normal(SIZE))
    counts = {}
    for count in (3, 64, 70):
        with Rng(1):
            counts[count] = made.pictures(count).numpy()
    assert [len(sheet) for sheet in counts.values()] == [3, 64, 70]
    np.testing.assert_array_equal(counts[3], counts[64][:3])
    np.testing.assert_array_equal(counts[70], np.concatenate([counts[64], counts[64][:6]]))


def test_what_the_encoder_is_shown_is_on_the_sheet():
    made = of(Layers, 2, 2, prior=Normal(SIZE), seen=lambda self, batch: -batch / 2)
    with Rng(1):
        sheet = made.pictures(64).numpy()
    half = 0.5 - (made.examples / 255 - 0.5) / 2
    np.testing.assert_allclose(sheet[:8], half[:8], atol=1e-6)
    np.testing.assert_allclose(sheet[8:16], painted(made, encoded(made, half[:8])), atol=1e-5)
    np.testing.assert_allclose(sheet[32], painted(made, encoded(made, half[16:17]))[0], atol=1e-5)


def test_the_match_keeps_as_many_examples_as_the_sheet_shows():
    made = of(Players, 2, 2)
    trainer = BaseTrainer(made)
    trainer.show(np.uint8(np.arange(7 * 6).reshape(7, *SHAPE)))
    assert trainer.examples.shape == (20, *SHAPE) and made.examples is trainer.examples
    np.testing.assert_array_equal(trainer.examples[7:14], trainer.examples[:7])


# Encoders and decoders.


@both_ways
@pytest.mark.parametrize("heads", [1, 2])
def test_layers_or_players_encode_and_decode_alike(kind, heads):
    made, x = of(kind, heads=heads), np.float32(pictures(5, seed=1).images[:, :2, :3] / 255)
    module, found = made.served
    answers = {"decode", "reconstruct", "interpolate"}
    png = {f"{name}_png" for name in answers}
    assert set(found) == {"serving_default", "encode", *answers, *png}  # no prior to draw from
    codes = module.encode(x)
    assert ("log_variance" in codes) == (heads == 2)
    np.testing.assert_allclose(codes["latent"], encoded(made, x), atol=1e-5)
    if heads == 2:
        weight, bias = made.encoder.get_weights()[2:]
        np.testing.assert_allclose(codes["log_variance"], (2 * x - 1).reshape(5, -1) @ weight + bias, atol=1e-5)
    np.testing.assert_allclose(module.reconstruct(x)["images"], painted(made, encoded(made, x)), atol=1e-5)
    np.testing.assert_allclose(made.painter()(codes["latent"]), 2 * painted(made, encoded(made, x)) - 1, atol=1e-5)
    assert {"sample", "png"} <= set(of(kind, prior=Normal(SIZE)).served[1])


@both_ways
def test_other_networks_are_encoded_and_decoded_with_in_their_place(kind):
    made, others = of(kind), halves(seed=9)
    networks = (
        {"autoencoder": autoencoding.autoencoder(*others)}
        if kind is Layers
        else dict(zip(("encoder", "decoder"), others))
    )
    other = made.with_networks({name: networks[name] for name in kind.exported})
    assert set(networks) == set(kind.exported) and (other.encoder, other.decoder) == others
    x = made.examples[:2] / np.float32(255)
    found = [game.served[0].reconstruct(x)["images"] for game in (made, other)]
    for game, shown in zip((made, other), found, strict=True):
        np.testing.assert_allclose(shown, painted(game, encoded(game, x)), atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 0.05


@pytest.mark.parametrize("heads", [1, 2])
def test_an_autoencoder_decodes_the_mean_code(heads):
    encoder, decoder = halves(heads=heads)
    network = autoencoding.autoencoder(encoder, decoder)
    assert (network.name, network.get_layer("encoder"), network.get_layer("decoder")) == (
        "autoencoder",
        encoder,
        decoder,
    )
    assert len(network.trainable_variables) == 2 * heads + 2
    x = np.random.default_rng(0).normal(size=(3, *SHAPE)).astype(np.float32)
    weight, bias = encoder.get_weights()[:2]
    expected = (x.reshape(3, -1) @ weight + bias) @ decoder.get_weights()[0] + decoder.get_weights()[1]
    np.testing.assert_allclose(network(x), expected.reshape(3, *SHAPE), atol=1e-5)


# Codes.


def test_walks_go_in_seven_equal_steps_from_every_other_code_to_the_next():
    codes = np.random.default_rng(2).normal(size=(6, SIZE)).astype(np.float32)
    found = autoencoding.walks(tf.constant(codes)).numpy().reshape(3, 8, SIZE)
    np.testing.assert_array_equal(found[:, 0], codes[::2])
    np.testing.assert_array_equal(found[:, -1], codes[1::2])
    np.testing.assert_allclose(
        np.diff(found, axis=1), np.repeat((codes[1::2] - codes[::2])[:, None] / 7, 7, 1), atol=1e-6
    )


@pytest.mark.parametrize("count", [2, 5])
def test_mixed_by_hand(count):
    codes = np.random.default_rng(2).normal(size=(count, SIZE)).astype(np.float32)
    with Rng(4):
        mixed, alpha = autoencoding.mixed(tf.constant(codes))
    uniform = Rng(4).uniform((count, 1)).numpy()
    expected = np.where(uniform < 0.5, uniform, 1 - uniform)
    np.testing.assert_allclose(alpha, expected, atol=1e-7)
    for i in range(count):
        partner = codes[count - 1 - i]
        np.testing.assert_allclose(mixed[i], expected[i] * codes[i] + (1 - expected[i]) * partner, atol=1e-6)
    with Rng(4):
        many = autoencoding.mixed(tf.zeros((20_000, 1)))[1].numpy().ravel()
    assert scipy.stats.kstest(many, scipy.stats.uniform(0, 0.5).cdf).pvalue > 0.01


@pytest.mark.parametrize("loss", ["mse", "tanh", "bce"])
def test_what_a_decoders_numbers_mean(loss):
    random, pixels = np.random.default_rng(0), autoencoding.PIXELS[loss]
    x, numbers = np.float32(random.uniform(size=(3, *SHAPE))), np.float32(random.normal(size=(3, *SHAPE)))
    entropies = -x * log_expit(numbers) - (1 - x) * log_expit(-numbers)
    expected = {
        "mse": (images.SYMMETRIC, np.square(x - numbers).mean(), numbers),
        "tanh": (images.SYMMETRIC, np.square(x - np.tanh(numbers)).mean(), np.tanh(numbers)),
        "bce": (images.UNIT, entropies.mean(), expit(numbers)),
    }[loss]
    assert pixels.range == expected[0]
    assert float(pixels.error(x, numbers)) == pytest.approx(expected[1], rel=1e-6)
    np.testing.assert_allclose(pixels.paint(tf.constant(numbers)), expected[2], rtol=1e-6)


def test_a_sheet_fits_into_one_request():
    assert autoencoding.ROWS * autoencoding.COLUMNS <= LIMIT


@both_ways
def test_a_game_with_another_prior_shows_half_a_sheet_of_its_draws_and_itself_stays_as_it_was(kind):
    game = of(kind)
    other, before = game.with_prior(Normal(SIZE)), (game.pairs, game.walks, game.draws, game.prior)
    with Rng(3):
        sheet = other.pictures(64).numpy()
    with Rng(3):
        drawn = other.served[0].decode(Normal(SIZE).draw(32))["images"]
    np.testing.assert_allclose(sheet[32:], drawn, atol=1e-6)
    np.testing.assert_allclose(sheet[:8], np.float32(np.asarray(game.examples)[:8] / 255), atol=1e-6)
    assert (game.pairs, game.walks, game.draws, game.prior) == before and "sample" not in game.signatures()[1]
