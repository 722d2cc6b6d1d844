import dataclasses

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from scipy.special import expit

from kgen import images, rng
from kgen.augmentation.affine import flipped
from kgen.core import autoencoding
from kgen.core import recipe as recipes
from kgen.core.trainer import Trainer
from kgen.rng import Rng
from tests.helpers.recipes import pictures

TINY = {"image_size": None, "classes": None, "depth": 2, "latent_width": 2, "latent_channels": 3, "batch_size": 6}
DATA = pictures(12, size=8)


def tiny(name="acai", **changes):
    return dataclasses.replace(recipes.find(name), **{**TINY, **changes})


def game(name="acai", data=DATA, seed=0, scale=2, **changes):
    """Returns a small game whose critic's guesses differ as much from each other as from alpha."""
    keras.utils.set_random_seed(seed)
    made = tiny(name, **changes).game(data)
    random = np.random.default_rng(seed)
    for network in (made.autoencoder, made.critic):
        for weight in network.trainable_variables:
            weight.assign(scale * weight + 0.1 * random.normal(size=weight.shape))
    return made


def batch(made, start=0, stop=6):
    return images.from_bytes(DATA.images[start:stop], made.range)


# Losses.


def alphas(count):
    """As the authors fold them, from the rng's first draw."""
    return 0.5 - np.abs(rng.current().uniform((count, 1)).numpy() - 0.5)


def one_by_one(network, x):
    return np.concatenate([network(tf.constant(x[i : i + 1]), training=False) for i in range(len(x))])


def by_hand(made, x, alpha, gamma=0.2, weight=0.5):
    """Returns the losses of a turn, image by image."""
    x = np.asarray(x)
    paint = expit if made.range == images.UNIT else np.array
    z = one_by_one(made.encoder, x)
    numbers = one_by_one(made.decoder, z)
    mixed = paint(one_by_one(made.decoder, alpha * z + (1 - alpha) * z[::-1]))
    guesses = np.float64(one_by_one(made.critic, mixed))
    unmixed = np.float64(one_by_one(made.critic, gamma * x + (1 - gamma) * paint(numbers)))
    if made.range == images.UNIT:
        p = expit(np.float64(numbers))
        reconstruction = (-x * np.log(p) - (1 - x) * np.log(1 - p)).mean()
    else:
        reconstruction = np.square(np.float64(x) - numbers).mean()
    alpha_error, guess = np.square(guesses - alpha[:, 0]).mean(), np.square(guesses).mean()
    return {
        "autoencoder": reconstruction + weight * guess,
        "critic": alpha_error + np.square(unmixed).mean(),
        "reconstruction": reconstruction,
        "guess": guess,
        "alpha_error": alpha_error,
    }


@pytest.mark.parametrize("loss", ["mse", "bce"])
@pytest.mark.parametrize("numbers", [{}, {"gamma": 0.7, "weight": 3.0}], ids=["authors", "others"])
@pytest.mark.parametrize("norm", [False, True], ids=["plain", "normed"])
def test_the_losses_of_a_turn_are_those_of_the_paper(loss, numbers, norm):
    made = game(loss=loss, spectral_norm=norm, **numbers)
    x = batch(made)
    assert made.range == {"mse": images.SYMMETRIC, "bce": images.UNIT}[loss]
    with Rng(1):
        expected = by_hand(made, x, alphas(6), **numbers)
    start = made.critic.get_weights()
    with Rng(1):
        found = made.turn(x)
    assert norm == any(not np.array_equal(*pair) for pair in zip(start, made.critic.get_weights(), strict=True))
    made.critic.set_weights(start)  # a turn moves the u of spectral norm
    assert found.keys() == expected.keys() == {"autoencoder", "critic", *made.reports}
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=2e-4), name
    assert 0.001 < expected["guess"] < 10 and 0.001 < expected["critic"] - expected["alpha_error"]
    with Rng(1):
        alone = made.critic_turn(x)
    assert set(alone) == {"critic"}
    assert float(alone["critic"]) == pytest.approx(expected["critic"], rel=2e-4)


def test_mirrored_images_are_seen_and_asked_for():
    made = game(flip=True)
    x = batch(made)
    for turn, names in ((made.turn, ("autoencoder", "critic")), (made.critic_turn, ("critic",))):
        with Rng(6):
            found = turn(x)
        with Rng(6):
            seen = flipped(x).numpy()
            expected = by_hand(made, seen, alphas(6))
        changed = [not np.array_equal(*pair) for pair in zip(seen, x, strict=True)]
        assert 0 < sum(changed) < 6
        assert [float(found[name]) for name in names] == pytest.approx([expected[n] for n in names], rel=2e-4)


def test_alpha_is_uniform_up_to_a_half_and_the_share_of_the_first_code():
    codes = tf.one_hot(np.arange(20_000) % 2, 2)  # partners: odd and even
    with Rng(0):
        mixed, alpha = autoencoding.mixed(codes)
    assert alpha.shape == (20_000, 1) and mixed.shape == codes.shape
    np.testing.assert_allclose(tf.reduce_sum(mixed * codes, axis=1), alpha[:, 0], atol=1e-6)
    np.testing.assert_allclose(tf.reduce_sum(mixed * codes[::-1], axis=1), 1 - alpha[:, 0], atol=1e-6)
    assert scipy.stats.kstest(alpha[:, 0], scipy.stats.uniform(0, 0.5).cdf).pvalue > 0.01
    assert abs(np.corrcoef(alpha[:-1, 0], alpha[1:, 0])[0, 1]) < 0.03
    assert abs(np.corrcoef(alpha[:, 0], alpha[::-1, 0])[0, 1]) < 0.03  # partners have alphas of their own


# Turns.


@pytest.mark.parametrize("extra", [0, 1, 3])
def test_the_critic_moves_alone_on_batches_of_its_own_and_both_on_the_last(extra):
    made = game(extra_critic_steps=extra)
    assert made.batches == extra + 1
    numbers = list(range(extra + 1))
    assert list(made.play(numbers)) == [*((made.critic_turn, n) for n in numbers[:-1]), (made.turn, extra)]
    assert list(made.players) == ["autoencoder", "critic"]


def spelled_out(made, x, gamma=0.2, weight=0.5):
    """Returns the two losses with their gradients."""
    z = made.encoder(x, training=True)
    uniform = rng.current().uniform((len(x), 1))
    alpha = tf.where(uniform < 0.5, uniform, 1 - uniform)
    guesses = made.critic(made.decoder(alpha * z + (1 - alpha) * tf.reverse(z, [0])))
    made_of = made.decoder(z)
    unmixed = made.critic(gamma * x + (1 - gamma) * made_of)
    critic = tf.reduce_mean((guesses - alpha[:, 0]) ** 2) + tf.reduce_mean(unmixed**2)
    return {"autoencoder": tf.reduce_mean((x - made_of) ** 2) + weight * tf.reduce_mean(guesses**2), "critic": critic}


@pytest.mark.parametrize("extra", [0, 2])
def test_a_round_moves_each_player_by_the_gradient_of_its_own_loss(extra):
    made, plain = (game(extra_critic_steps=extra) for _ in range(2))
    rates = {"autoencoder": 0.01, "critic": 0.03}
    for name, rate in rates.items():
        made.players[name].optimizer = keras.optimizers.SGD(rate)
    trainer, rows = Trainer(made, seed=8), DATA.images[: 2 * (1 + extra)].reshape(1 + extra, 2, 8, 8, 1)
    trainer.compile(run_eagerly=True)
    trainer.train_step(tf.constant(rows))
    start = {name: getattr(plain, name).get_weights() for name in rates}
    for number, row in enumerate(rows):
        movers = ["critic"] if number < extra else ["autoencoder", "critic"]
        with Rng(Rng(8).fold_in(0, 0).fold_in(number).seed), tf.GradientTape(persistent=True) as tape:
            losses = spelled_out(plain, tf.constant(np.float32(row / 127.5 - 1)))
        gradients = {n: tape.gradient(losses[n], getattr(plain, n).trainable_variables) for n in movers}
        for name in movers:
            for weight, gradient in zip(getattr(plain, name).trainable_variables, gradients[name], strict=True):
                weight.assign_sub(rates[name] * gradient)
    for name in rates:
        triples = zip(getattr(made, name).get_weights(), getattr(plain, name).get_weights(), start[name], strict=True)
        for found, expected, before in triples:
            np.testing.assert_allclose(found - before, expected - before, rtol=1e-3, atol=2e-6)
            assert np.abs(expected - before).max() > 2e-5
