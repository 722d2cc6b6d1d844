"""ACAI: losses image by image, whose turn it is, the critic, what its recipes are and refuse, halves of classes."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from scipy.special import expit

from kgen import images, layers, rng
from kgen.augmentation.affine import flipped
from kgen.core import autoencoding
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.data import Images, pipeline
from kgen.errors import UsageError
from kgen.rng import Rng
from tests.helpers.acai import DATA, game, tiny
from tests.helpers.recipes import pictures


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
@pytest.mark.parametrize(
    "numbers",
    [pytest.param({}, id="authors"), pytest.param({"gamma": 0.7, "weight": 3.0}, id="others", marks=pytest.mark.slow)],
)
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


@pytest.mark.slow
@pytest.mark.parametrize("extra", [0, 2])
def test_a_round_moves_each_player_by_the_gradient_of_its_own_loss(extra):
    made, plain = (game(extra_critic_steps=extra) for _ in range(2))
    rates = {"autoencoder": 0.01, "critic": 0.03}
    for name, rate in rates.items():
        made.players[name].optimizer = keras.optimizers.SGD(rate)
    trainer, rows = BaseTrainer(made, seed=8), DATA.images[: 2 * (1 + extra)].reshape(1 + extra, 2, 8, 8, 1)
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


# The critic.

IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)


def kernels(network):
    return [weight for weight in network.trainable_variables if weight.name == "kernel"]


def test_the_critics_guess_is_the_mean_of_a_code():
    made = game()
    x = IMAGES
    code = made.critic.get_layer("encoder")(x).numpy()
    guesses = made.critic(x).numpy()
    assert code.shape == (6, 12) and guesses.shape == (6,)
    np.testing.assert_allclose(guesses, code.mean(axis=1), rtol=1e-5)
    assert not {id(w) for w in made.critic.weights} & {id(w) for w in made.autoencoder.weights}


def normed(network):
    return [isinstance(layer, layers.SpectralNorm) for layer in network.layers if layer.weights]


@pytest.mark.parametrize("name, critics", [("acai", False), ("acai-report000", True)])
def test_spectral_norm_is_in_the_critic_alone_and_everywhere_there(name, critics):
    made = game(name)
    inner = made.critic.get_layer("encoder")
    assert set(normed(inner)) == {critics} and len(normed(inner)) == len(kernels(made.critic))
    assert set(normed(made.encoder)) == set(normed(made.decoder)) == {False}
    x, code = IMAGES, tf.ones((1, 12))
    networks = [(made.critic, x), (made.encoder, x), (made.decoder, code)]
    before = [network(seen).numpy() for network, seen in networks]
    for network in (made.critic, made.autoencoder):
        for weight in network.trainable_variables:
            weight.assign(weight * 10 if weight.name == "kernel" else weight)
    same = [np.allclose(network(seen), was, rtol=1e-3) for (network, seen), was in zip(networks, before, strict=True)]
    assert same == [critics, False, False]


def test_every_player_has_an_adam_of_its_own():
    made = recipes.find("acai").game(pictures(2))
    optimizers = [player.optimizer for player in made.players.values()]
    assert len({id(optimizer) for optimizer in optimizers}) == 2
    for optimizer in optimizers:
        assert type(optimizer) is keras.optimizers.Adam
        assert (optimizer.beta_1, optimizer.beta_2, float(optimizer.learning_rate)) == (0.9, 0.999, pytest.approx(1e-4))


# Refusals.


@pytest.mark.parametrize(
    "name, value",
    [
        *[("depth", 0), ("latent_width", 0), ("latent_channels", 0), ("learning_rate", 0.0), ("weight", -0.1)],
        *[("gamma", -0.1), ("gamma", 1.1), ("extra_critic_steps", -1), ("halves", -1)],
    ],
)
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        tiny(**{name: value})


def test_an_odd_batch_has_no_halves():
    with pytest.raises(UsageError, match="^--batch-size must be even with --halves, not 5"):
        tiny(halves=2, batch_size=5)
    assert tiny(batch_size=5).batch_size == 5


def test_bounds_are_taken():
    accepted = {"weight": 0.0, "gamma": 1.0, "extra_critic_steps": 0, "halves": 0, "depth": 1}
    assert all(getattr(tiny(**accepted), name) == value for name, value in accepted.items())
    assert tiny(gamma=0.0).gamma == 0.0


# Halves.


def labelled(labels, size=8):
    data = pictures(len(labels), size=size)
    return Images(data.images, np.array(labels), tuple("abcd"))


@pytest.mark.parametrize("labels", [None, [0, 1, 0, 1], [2, 3, 3, 2]], ids=["none", "first", "second"])
def test_halves_need_classes_on_both_sides(labels):
    data = Images(pictures(4, size=8).images, None, ()) if labels is None else labelled(labels)
    with pytest.raises(UsageError, match="--halves needs classes on both sides.*--classes"):
        tiny(halves=2).strata(data)
    assert tiny().strata(data) is None


def test_halves_are_the_first_classes_and_the_rest():
    found = tiny(halves=1).strata(labelled([3, 0, 1, 0, 2]))
    assert [list(rows) for rows in found] == [[1, 3], [0, 2, 4]]


def test_reversed_each_body_meets_a_wing_in_every_batch():
    """Of a code that is 1 for bodies and 0 for wings only alpha or 1 - alpha is left."""
    report = dataclasses.replace(recipes.find("acai-report000"), batch_size=6)
    assert (report.halves, report.classes) == (2, "horse,deer,bird,airplane")
    data = labelled([0, 2, 1, 3, 3, 1, 2, 0, 0, 3, 1, 2, 2])
    steps = pipeline.training_steps(
        data, batch_size=6, batches=2, seed=1, start=0, stop=4, labelled=True, strata=report.strata(data)
    )
    for _, labels in steps.as_numpy_iterator():
        for row in labels:
            bodies = (row < 2).astype(np.float32)
            np.testing.assert_array_equal(bodies, [1, 1, 1, 0, 0, 0])
            with Rng(0):
                mixed, alpha = autoencoding.mixed(tf.constant(bodies[:, None]))
            np.testing.assert_allclose(mixed, np.where(bodies[:, None], alpha, 1 - alpha), atol=1e-6)
