"""An adversarial autoencoder: networks in NumPy, losses and gradients of a turn by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from kgen import images
from kgen.core import autoencoding
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.models.adversarial_autoencoder import AdversarialAutoencoder, discriminator
from kgen.rng import Rng
from tests.helpers.recipes import pictures

TINY = {"image_size": None, "units": (9, 7), "latent_dim": 4, "weight": 0.3}
DATA = pictures(6, size=8)
UNIT = np.float32(DATA.images / 255)


def game(seed=0, data=DATA, **changes):
    """Returns a small game with logits that differ from image to image."""
    keras.utils.set_random_seed(seed)
    made = dataclasses.replace(recipes.find("adversarial-autoencoder"), **{**TINY, **changes}).game(data)
    random = np.random.default_rng(seed)
    for player in made.players.values():
        for weight in player.network.trainable_variables:
            weight.assign(1.5 * weight + 0.3 * random.normal(size=weight.shape))
    return made


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def dense(x, network, last=np.array, hidden=lambda x: np.maximum(x, 0)):
    """Returns what a network of dense layers makes of x, in numpy."""
    weights = [np.float64(weight) for weight in network.get_weights()]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    for kernel, bias in pairs[:-1]:
        x = hidden(x @ kernel + bias)
    return last(x @ pairs[-1][0] + pairs[-1][1])


# Networks.


def test_networks_have_the_papers_sizes():
    made = recipes.find("adversarial-autoencoder").game(pictures(2, size=28))
    hidden = 1000 * 1000 + 1000
    assert trainable(made.encoder) == 784 * 1000 + 1000 + hidden + 1000 * 8 + 8
    assert trainable(made.decoder) == 8 * 1000 + 1000 + hidden + 1000 * 784 + 784
    assert trainable(made.discriminator) == 8 * 1000 + 1000 + hidden + 1000 + 1
    assert list(made.players) == ["autoencoder", "discriminator"] and made.prior.size == 8


def test_networks_in_numpy():
    made = game()
    code = dense(UNIT.reshape(6, -1), made.encoder)
    np.testing.assert_allclose(made.encoder(UNIT), code, rtol=1e-3, atol=1e-4)
    logits = dense(code, made.decoder).reshape(UNIT.shape)
    np.testing.assert_allclose(made.autoencoder(UNIT), logits, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(made.discriminator(code), dense(code, made.discriminator), rtol=1e-3, atol=1e-3)
    assert made.discriminator(code).shape == (6, 1) and code.shape == (6, 4)


@pytest.mark.parametrize(
    "name, hidden", [("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)), ("tanh", np.tanh)], ids=["leaky", "tanh"]
)
def test_the_discriminators_hidden_layers_are_rectified(name, hidden):
    judge, code = discriminator(5, (6, 8), name), np.random.default_rng(0).normal(size=(7, 5))
    np.testing.assert_allclose(judge(code), dense(code, judge, hidden=hidden), rtol=1e-4, atol=1e-5)


# Losses.


def by_hand(made, prior, weight):
    """Returns what a turn is to return, from the networks in numpy."""
    code = dense(UNIT.reshape(6, -1), made.encoder)
    p = expit(dense(code, made.decoder)).reshape(UNIT.shape)
    reconstruction = (-UNIT * np.log(p) - (1 - UNIT) * np.log(1 - p)).mean()
    on_codes, on_prior = (expit(dense(z, made.discriminator)) for z in (code, np.float64(prior)))
    return {
        "autoencoder": reconstruction + weight * -np.log(on_codes).mean(),
        "discriminator": -np.log(on_prior).mean() - np.log(1 - on_codes).mean(),
        "reconstruction": reconstruction,
        "real_score": on_prior.mean(),
        "fake_score": on_codes.mean(),
    }


@pytest.mark.parametrize("weight", [0.3, 2.0])
def test_the_losses_of_a_turn_are_those_of_the_paper(weight):
    made = game(weight=weight)
    with Rng(3):
        prior = made.prior.draw(6).numpy()
    expected = by_hand(made, prior, weight)
    with Rng(3):
        found = made.turn(tf.constant(UNIT))
    assert found.keys() == expected.keys() == {"autoencoder", "discriminator", *made.reports}
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-3), name
    assert abs(expected["real_score"] - expected["fake_score"]) > 0.02
    with Rng(4):
        other = made.turn(tf.constant(UNIT))
    changes = {name for name in expected if float(other[name]) != float(found[name])}
    assert changes == {"discriminator", "real_score"}  # the encoder is deterministic


def test_other_pixels_are_compared_in_their_own_way():
    made = game()
    other = AdversarialAutoencoder(*made.players.values(), autoencoding.PIXELS["mse"], made.prior, weight=0.0)
    assert (made.range, other.range) == (images.UNIT, images.SYMMETRIC)
    x = 2 * UNIT - 1
    with Rng(0):
        found = float(other.turn(tf.constant(x))["autoencoder"])
    assert found == pytest.approx(np.square(x - made.autoencoder(x)).mean(), rel=1e-5)


@pytest.mark.slow
def test_codes_are_compared_with_draws_from_a_normal_of_variance_1():
    made, seen = game(), []
    judge = made.discriminator

    def watching(codes, training):
        seen.append(codes.numpy())
        return judge(codes, training=training)

    made.discriminator = watching
    for seed in range(300):
        with Rng(seed):
            made.turn(tf.constant(UNIT))
    drawn, codes = np.concatenate(seen[::2]), seen[1]
    assert drawn.shape == (1800, 4)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=5 / np.sqrt(1800))
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(4), atol=0.15)
    assert np.mean(drawn**4) == pytest.approx(3, abs=0.5)  # 1.8 if they were uniform
    np.testing.assert_allclose(codes, made.encoder(UNIT), rtol=1e-5)


# Moves.


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_a_round_moves_each_player_by_the_gradient_of_its_own_loss(weight):
    """The discriminator's loss has the encoder in it, and the encoder's the discriminator: neither moves the other."""
    made, plain = game(weight=weight), game()
    for player in made.players.values():
        player.optimizer = keras.optimizers.SGD(0.1)
    trainer = BaseTrainer(made, seed=5)
    trainer.compile(run_eagerly=True)
    trainer.train_step(tf.constant(DATA.images)[None])
    x, judge = tf.constant(UNIT), plain.discriminator
    with Rng(Rng(5).fold_in(0, 0).fold_in(0).seed):
        prior = plain.prior.draw(6)
    code = plain.encoder(x)  # a constant to the discriminator
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log_sigmoid(judge(prior)) + tf.math.log_sigmoid(-judge(code)))
    gradients = {"discriminator": tape.gradient(loss, judge.trainable_variables)}
    with tf.GradientTape() as tape:
        code = plain.encoder(x)
        error = tf.nn.sigmoid_cross_entropy_with_logits(x, plain.decoder(code))
        loss = tf.reduce_mean(error) - weight * tf.reduce_mean(tf.math.log_sigmoid(judge(code)))
    gradients["autoencoder"] = tape.gradient(loss, plain.autoencoder.trainable_variables)
    for name, of_player in gradients.items():
        weights = zip(getattr(made, name).get_weights(), getattr(plain, name).get_weights(), of_player, strict=True)
        for found, before, gradient in weights:
            np.testing.assert_allclose(found - before, -0.1 * gradient, rtol=1e-3, atol=1e-6)
            assert np.abs(gradient).max() > 1e-4


def test_both_move_in_one_turn_by_an_adam_of_their_own():
    made = game()
    assert list(made.play(["batch"])) == [(made.turn, "batch")] and made.batches == 1
    optimizers = [player.optimizer for player in made.players.values()]
    assert len({id(optimizer) for optimizer in optimizers}) == 2
    for optimizer in optimizers:
        assert type(optimizer) is keras.optimizers.Adam
        assert (optimizer.beta_1, float(optimizer.learning_rate)) == (0.9, pytest.approx(2e-4))


# Sheets and refusals.


def test_a_sheet_ends_with_what_codes_from_the_prior_decode_to():
    made = game()
    made.examples = pictures(len(made.examples), size=8, seed=3).images
    with Rng(7):
        sheet = made.pictures(64).numpy()
    with Rng(7):
        drawn = expit(made.decoder(made.prior.draw(16)).numpy())
    np.testing.assert_allclose(sheet[48:], drawn, atol=1e-5)
    shown = np.float32(made.examples / 255)
    np.testing.assert_allclose(sheet[8:16], expit(made.autoencoder(shown[:8]).numpy()), atol=1e-5)


@pytest.mark.parametrize(
    "name, value",
    [("units", (100, 0)), ("latent_dim", 0), ("weight", -0.1), ("learning_rate", 0.0)],
)
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="^--" + name.replace("_", "-")):
        dataclasses.replace(recipes.find("adversarial-autoencoder"), **{name: value})
