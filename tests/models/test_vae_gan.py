"""Every loss by hand from what the networks say, and who learns from which: compared with gradients spelled out."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit
from tensorflow_probability import distributions

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.core.priors import Normal
from kgen.errors import UsageError
from kgen.models import vae_gan
from kgen.rng import Rng
from tests.helpers.recipes import pictures

COUNT, CODE = 4, 3
DATA = pictures(COUNT, 32, 3)
REAL = np.float32(DATA.images / 127.5 - 1)
PLAYERS = ("encoder", "decoder", "discriminator")
KINDS = pytest.mark.parametrize("judged", [True, False], ids=["judged", "unjudged"])


def game(seed=0, name="vae-gan", rate=None, **changes):
    """Returns a small game without a update rule, far from the prior; with a rate its players move by plain descent."""
    keras.utils.set_random_seed(seed)
    small = {"width": 2, "latent_dim": CODE, "gamma": 0.3, "margin": 0.0, "l2": 0.0, "compared_layer": 2}
    made = dataclasses.replace(recipes.find(name), **{**small, **changes}).game(DATA)
    random = np.random.default_rng(seed)
    for player in made.players.values():
        for weight in player.network.trainable_variables:
            weight.assign(weight + 0.1 * random.normal(size=weight.shape))
        player.optimizer = keras.optimizers.SGD(rate) if rate else player.optimizer
    return made


def said(network, x):
    answers = [np.float64(answer) for answer in tf.nest.flatten(network(tf.constant(np.float32(x)), training=True))]
    return answers if len(answers) > 1 else answers[0]


def by_hand(made, gamma=0.3, real_share=0.5, judged=True, seed=1):
    """Returns what a turn must, from the networks in training, whose batch norm compares their whole batch."""
    rng = Rng(seed)
    e, prior = np.float64(rng.normal((COUNT, CODE))), np.float64(rng.normal((COUNT, CODE)))
    mean, log_variance = said(made.encoder, REAL)
    made_of = said(made.decoder, np.concatenate([mean + np.exp(log_variance / 2) * e, prior]))
    logits, features = said(made.discriminator, np.concatenate([REAL, made_of]))
    q, p = distributions.Normal(mean, np.exp(log_variance / 2)), distributions.Normal(np.float64(0), np.float64(1))
    kl = q.kl_divergence(p).numpy().sum(axis=1).mean()
    similarity = (np.square(features[:COUNT] - features[COUNT : 2 * COUNT]).sum(axis=1) / 2).mean()
    believed = expit(logits[:, 0])
    real, reconstructed, generated = np.split(believed, 3)
    costs = [-np.log(1 - each + 1e-3).mean() for each in ([reconstructed, generated] if judged else [generated])]
    real_cost, fake_cost = -np.log(real + 1e-3).mean(), np.mean(costs)
    return {
        "encoder": kl + similarity,
        "decoder": gamma * similarity - (1 - gamma) * sum(costs),
        "discriminator": real_share * real_cost + (1 - real_share) * fake_cost,
        **{"kl": kl, "similarity": similarity, "real_cost": real_cost, "fake_cost": fake_cost},
    }


def turn(made, seed=1):
    with Rng(seed):
        return made.turn(tf.constant(REAL))


def gradients(made, name, loss=None):
    """Returns the gradients of one player's loss, or of what `loss` makes of a turn, at that player's weights."""
    with tf.GradientTape() as tape:
        value = turn(made)[name] if loss is None else loss(made)
    found = tape.gradient(value, getattr(made, name).trainable_variables)
    return [np.asarray(gradient) for gradient in found]


def close(one, other, rtol=1e-3):
    """Compares lists of gradients, each up to rounding of its own largest number."""
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())


def far(one, other):
    """Returns how far lists of gradients are apart, of their length."""
    pairs = list(zip(one, other, strict=True))
    return max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in pairs)


@KINDS
@pytest.mark.parametrize("numbers", [{}, {"gamma": 0.8, "real_share": 0.33}], ids=["even", "uneven"])
def test_the_losses_of_a_turn(numbers, judged):
    made = game(judge_reconstructions=judged, **numbers)
    expected = by_hand(made, judged=judged, **numbers)
    found = turn(made)
    assert list(found) == [*PLAYERS, *made.reports]
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected, rel=2e-4)
    assert expected["kl"] > 0.1 and expected["similarity"] > 0.1 and expected["fake_cost"] > 0.1
    assert expected["fake_cost"] != pytest.approx(by_hand(made, judged=not judged)["fake_cost"], rel=1e-3)


def test_under_the_logarithm_lies_a_thousandth():
    for sign, real in ((1, True), (-1, False)):
        wrong, right = (vae_gan.cost(tf.constant([[sign * logit]]), real) for logit in (-200.0, 200.0))
        assert [float(wrong), float(right)] == pytest.approx([-np.log(1e-3), -np.log(1 + 1e-3)], rel=1e-4)
    assert float(vae_gan.cost(tf.zeros((2, 1), tf.bfloat16), True)) == pytest.approx(-np.log(0.501), rel=1e-6)


# Who learns from what.


def forward(made):
    """Returns KL, similarity and the discriminator's outputs on real, reconstructed and generated images."""
    x, rng = tf.constant(REAL), Rng(1)
    mean, log_variance = made.encoder(x, training=True)
    z = mean + tf.exp(log_variance / 2) * rng.normal((COUNT, CODE))
    made_of = made.decoder(tf.concat([z, rng.normal((COUNT, CODE))], 0), training=True)
    logits, features = made.discriminator(tf.concat([x, made_of], 0), training=True)
    kl = tf.reduce_sum(mean**2 + tf.exp(log_variance) - 1 - log_variance) / 2 / COUNT
    similarity = tf.reduce_sum((features[:COUNT] - features[COUNT : 2 * COUNT]) ** 2) / 2 / COUNT
    return kl, similarity, tf.split(tf.sigmoid(logits), 3)


def spelled_out(gamma=0.3, real_share=0.5, judged=True):
    """Returns `{player: function from a game to its loss}`."""

    def real_cost(made):
        return -tf.reduce_mean(tf.math.log(forward(made)[2][0] + 0.001))

    def fake_costs(made):
        kinds = forward(made)[2][1:] if judged else forward(made)[2][2:]
        return sum(-tf.reduce_mean(tf.math.log(1.001 - believed)) for believed in kinds)

    share = (1 - real_share) / (2 if judged else 1)
    return {
        "encoder": lambda made: sum(forward(made)[:2]),
        "decoder": lambda made: gamma * forward(made)[1] - (1 - gamma) * fake_costs(made),
        "discriminator": lambda made: real_share * real_cost(made) + share * fake_costs(made),
    }


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize("name", PLAYERS)
def test_gradients_are_those_of_the_losses_spelled_out(name, judged):
    """The encoder's has no L_GAN, the discriminator's no likelihood, the decoder's gamma and 1 - gamma of them."""
    made = game(judge_reconstructions=judged, real_share=0.4)
    close(gradients(made, name), gradients(made, name, spelled_out(real_share=0.4, judged=judged)[name]))


@pytest.mark.slow
def test_neither_share_nor_kinds_of_the_gan_reach_the_encoder():
    first = gradients(game(), "encoder")
    for changes in ({"real_share": 0.9}, {"judge_reconstructions": False}, {"gamma": 0.9}):
        close(gradients(game(**changes), "encoder"), first, rtol=1e-5)
    with_gan = gradients(game(), "encoder", lambda made: sum(forward(made)[:2]) + spelled_out()["decoder"](made))
    assert far(with_gan, first) > 0.01  # which it would be seen by


def test_the_discriminators_step_is_that_of_the_gan_loss_alone():
    def step(**changes):
        made = game(rate=0.05, **changes)
        trainer, before = BaseTrainer(made, seed=8), [w.numpy() for w in made.discriminator.trainable_variables]
        trainer.compile(run_eagerly=True)
        trainer.train_step(tf.constant(DATA.images)[None])
        return [w - old for w, old in zip(made.discriminator.trainable_variables, before, strict=True)]

    one, other = step(gamma=0.1), step(gamma=0.9)
    close(one, other, rtol=1e-5)
    plain = game()
    with Rng(Rng(8).fold_in(0, 0).fold_in(0).seed):
        with tf.GradientTape() as tape:
            values = plain.turn(tf.constant(REAL))
            loss = (values["real_cost"] + values["fake_cost"]) / 2
        by_descent = tape.gradient(loss, plain.discriminator.trainable_variables)
    close(one, [-0.05 * gradient for gradient in by_descent])
    likelihood = gradients(plain, "discriminator", lambda made: turn(made)["similarity"])
    assert all(np.abs(gradient).max() > 0.01 for gradient in likelihood[:3])  # which it would be seen by


@pytest.mark.slow
def test_a_referee_holds_back_one_of_two_and_never_the_encoder():
    for equilibrium, moves in ((30.0, [True, True, False]), (0.0, [True, False, True])):
        made = game(rate=0.05, margin=0.01, equilibrium=equilibrium)  # all costs are below, or above
        trainer = BaseTrainer(made)
        trainer.compile(run_eagerly=True)
        before = {name: getattr(made, name).trainable_variables[0].numpy() for name in PLAYERS}
        logged = trainer.train_step(tf.constant(DATA.images)[None])
        moved = [not np.array_equal(getattr(made, n).trainable_variables[0], before[n]) for n in PLAYERS]
        assert moved == moves == [bool(logged[f"{name}_moves"]) for name in PLAYERS]
    assert game().update_rule is None


# Networks.


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def channels(network, kind=keras.layers.Conv2D):
    return [layer.filters for layer in layers_of(network, kind)]


@pytest.mark.parametrize("compared", [1, 2, 3, 4])
def test_what_is_compared_is_a_convolution_before_its_norm(compared):
    judge = game(compared_layer=compared).discriminator
    convolution = layers_of(judge, keras.layers.Conv2D)[compared - 1]
    below = keras.Model(judge.input, convolution.input)(REAL, training=True)
    stride = 1 if compared == 1 else 2
    raw = tf.nn.conv2d(below, convolution.kernel, stride, "SAME") + (convolution.bias if compared == 1 else 0)
    np.testing.assert_allclose(judge(REAL, training=True)[1], tf.reshape(raw, (COUNT, -1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name, size", [("vae-gan", 32), ("vae-gan-faces", 64)])
def test_channels_are_the_authors(name, size):
    made = recipes.find(name).game(pictures(1, size, 3))
    maps, dense, grown = keras.layers.Conv2D, keras.layers.Dense, keras.layers.Conv2DTranspose
    start, code = size // 8, {32: 256, 64: 128}[size]
    assert channels(made.encoder) == [64, 128, 256]
    assert [layer.units for layer in layers_of(made.encoder, dense)] == [1024, code, code]
    assert [layer.units for layer in layers_of(made.decoder, dense)] == [start * start * 256]
    assert channels(made.decoder, grown) == {32: [192, 128, 32], 64: [256, 128, 32]}[size]
    assert channels(made.decoder)[-1] == 3 and made.decoder.output_shape == (None, size, size, 3)
    assert channels(made.discriminator) == {32: [32, 128, 192, 256], 64: [32, 128, 256, 256]}[size]
    assert [layer.units for layer in layers_of(made.discriminator, dense)] == [512, 1]
    strides = [layer.strides[0] for layer in layers_of(made.discriminator, maps)]
    assert strides == [1, 2, 2, 2] and {la.kernel_size for la in layers_of(made.discriminator, maps)} == {(5, 5)}
    compared = made.discriminator.output_shape[1][1]
    assert compared == {32: 8 * 8 * 192, 64: 8 * 8 * 256}[size]
    gamma, prior, exported = {32: 1e-5, 64: 1e-6}[size], Normal(code), ("encoder", "decoder")
    assert (made.gamma, made.prior, made.exported, made.range) == (gamma, prior, exported, images.SYMMETRIC)
    assert (made.update_rule.centre, made.update_rule.margin, made.real_share) == (0.68, 0.35, 0.5)
    for player in made.players.values():
        falling = player.optimizer.get_config()["learning_rate"]["config"]
        assert (player.optimizer.rho, player.optimizer.epsilon) == (0.9, 1e-5 / 64)
        assert (falling["decay_steps"], falling["power"]) == (recipes.find(name).steps, 0.75)
        found = falling["initial_learning_rate"], falling["end_learning_rate"], player.l2
        np.testing.assert_allclose(found, (0.025 / 64, 1e-5 / 64, 1e-5 / 64), rtol=1e-6)


REFUSED = {"latent_dim": 0, "width": 0, "compared_layer": 5, "gamma": 1.0, "real_share": 0.0, "margin": -0.1}


@pytest.mark.parametrize("name, value", [*REFUSED.items(), ("learning_rate", 0.0), ("compared_layer", 0), ("l2", -1.0)])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        dataclasses.replace(recipes.find("vae-gan"), **{name: value})


def test_other_sizes_are_refused():
    with pytest.raises(UsageError, match="32, 64 pixels, not 28x28: give --image-size 32"):
        recipes.find("vae-gan").game(pictures(1, 28))
