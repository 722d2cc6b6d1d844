"""Both losses as the report's sums, by hand from what the networks say; what each switch changes."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_expit
from tensorflow_probability import distributions

from kgen import layers
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.rng import Rng
from tests.helpers.recipes import pictures

COUNT, SIZE, CODE = 6, 8, 3
DATA = pictures(COUNT, SIZE, 3)
REAL = np.float32(DATA.images / 255)
CRITICS = ["real", "mixing"]


def tiny(**changes):
    small = {"channels": (2, 3), "latent_dim": CODE, "batch_size": COUNT}
    return dataclasses.replace(recipes.find("adversarial-vae"), **{**small, **changes})


def game(seed=0, scale=2, **changes):
    """Returns a small game far from the prior, from grey and from an undecided critic; estimates of norms settled."""
    keras.utils.set_random_seed(seed)
    made = tiny(**changes).game(DATA)
    random = np.random.default_rng(seed)
    for network in (made.autoencoder, made.critic):
        for weight in network.trainable_variables:
            weight.assign(scale * weight + 0.2 * random.normal(size=weight.shape))
    for _ in range(40 if changes.get("spectral_norm") else 0):
        made.critic(REAL, training=True)
    return made


def said(network, x):
    """Returns a network's float64 outputs for a batch in training, whose batch norm compares its images."""
    answers = [np.float64(answer) for answer in tf.nest.flatten(network(tf.constant(np.float32(x)), training=True))]
    return answers if len(answers) > 1 else answers[0]


def draws(seed):
    """Returns e of the codes and alpha of the mixtures: the first two draws."""
    rng = Rng(seed)
    e, uniform = np.float64(rng.normal((COUNT, CODE))), np.float64(rng.uniform((COUNT, 1)))
    return e, np.minimum(uniform, 1 - uniform)


def by_hand(made, seed=1, weights=(1, 1, 1), critic="real"):
    """Returns what a turn must, every part a sum over the batch and its numbers."""
    e, alpha = draws(seed)
    mean, log_variance = said(made.encoder, REAL)
    z = mean + np.exp(log_variance / 2) * e
    logits = said(made.decoder, z)
    q, p = distributions.Normal(mean, np.exp(log_variance / 2)), distributions.Normal(np.float64(0), np.float64(1))
    kl = q.kl_divergence(p).numpy().sum()
    reconstruction = -(REAL * log_expit(logits) + (1 - REAL) * log_expit(-logits)).sum()
    if critic == "real":
        opinions = said(made.critic, expit(logits))
        adversarial = -log_expit(opinions).sum()  # BCE(C(x^), 1)
        loss = -log_expit(-opinions).sum() - log_expit(said(made.critic, REAL)).sum()  # BCE(C(x^), 0) + BCE(C(x), 1)
    else:
        guesses = said(made.critic, expit(said(made.decoder, alpha * z + (1 - alpha) * z[::-1])))
        adversarial = np.square(guesses).sum()
        loss = np.square(guesses - alpha).sum() + np.square(said(made.critic, REAL)).sum()
    total = weights[0] * kl + weights[1] * reconstruction + weights[2] * adversarial
    reports = {"reconstruction": reconstruction / COUNT, "kl": kl / COUNT, "adversarial": adversarial / COUNT}
    return {"autoencoder": total, "critic": loss, **reports}


def turn(made, seed=1, real=tf.constant(REAL)):
    with Rng(seed):
        return made.turn(real)


@pytest.mark.parametrize("weights, norm", [((1, 1, 1), False), ((3, 0.25, 7), True), ((0, 0, 1), False)])
@pytest.mark.parametrize("critic", CRITICS)
def test_losses_are_the_reports_sums(critic, weights, norm):
    named = dict(zip(("kl_weight", "reconstruction_weight", "adversarial_weight"), weights, strict=True))
    made = game(critic=critic, spectral_norm=norm, **named)
    expected = by_hand(made, weights=weights, critic=critic)
    found = turn(made)
    assert {value.dtype for value in found.values()} == {tf.float32}
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected, rel=2e-4)
    assert min(expected["kl"], expected["adversarial"], expected["critic"]) > 0.1  # each can be missed
    assert float(turn(made, seed=2)["critic"]) != pytest.approx(expected["critic"], rel=1e-3)


@pytest.mark.parametrize("critic", CRITICS)
def test_the_critics_loss_sees_reconstructions_as_constants_and_real_images_too(critic):
    made, real = game(critic=critic), tf.constant(REAL)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(real)
        losses = turn(made, real=real)
    trained = made.autoencoder.trainable_variables
    assert tape.gradient(losses["critic"], trained) == [None] * len(trained)
    assert None not in tape.gradient(losses["autoencoder"], trained)
    on_images = tape.gradient(losses["critic"], real).numpy()  # of C(x) alone, since the rest is a constant
    with tf.GradientTape() as tape:
        tape.watch(real)
        opinions = made.critic(real, training=True)
        alone = tf.nn.softplus(-opinions) if critic == "real" else opinions**2
    np.testing.assert_allclose(on_images, tape.gradient(alone, real), rtol=1e-3, atol=1e-5)
    assert np.abs(on_images).max() > 1e-2


def spelled_out(made, x, seed, critic):
    """Returns both losses with their gradients."""
    e, alpha = (tf.constant(draw, tf.float32) for draw in draws(seed))
    mean, log_variance = made.encoder(x, training=True)
    z = mean + tf.exp(log_variance / 2) * e
    logits = made.decoder(z, training=True)
    kl = -tf.reduce_sum(1 + log_variance - mean**2 - tf.exp(log_variance)) / 2
    vae = kl + tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits))
    if critic == "real":
        fake, real = made.critic(tf.sigmoid(logits), training=True), made.critic(x, training=True)
        fooled, right = tf.nn.softplus(-fake), tf.nn.softplus(fake) + tf.nn.softplus(-real)
        return vae + tf.reduce_sum(fooled), tf.reduce_sum(right)
    mixture = tf.sigmoid(made.decoder(alpha * z + (1 - alpha) * tf.reverse(z, [0]), training=True))
    guesses, real = made.critic(mixture, training=True), made.critic(x, training=True)
    return vae + tf.reduce_sum(guesses**2), tf.reduce_sum((guesses - alpha) ** 2 + real**2)


@pytest.mark.slow
@pytest.mark.parametrize("critic", CRITICS)
def test_both_players_move_from_one_forward_pass_down_their_own_gradients(critic):
    made, plain = (game(critic=critic) for _ in range(2))
    rates = {"autoencoder": 1e-4, "critic": 1e-3}
    for name, rate in rates.items():
        made.players[name].optimizer = keras.optimizers.SGD(rate)
    trainer = BaseTrainer(made, seed=8)
    trainer.compile(run_eagerly=True)
    before = {name: [w.numpy() for w in getattr(made, name).trainable_variables] for name in rates}
    trainer.train_step(tf.constant(DATA.images)[None])
    with tf.GradientTape(persistent=True) as tape:
        losses = spelled_out(plain, tf.constant(REAL), Rng(8).fold_in(0, 0).fold_in(0).seed, critic)
    for loss, (name, rate) in zip(losses, rates.items(), strict=True):
        gradients = tape.gradient(loss, getattr(plain, name).trainable_variables)
        for variable, old, gradient in zip(
            getattr(made, name).trainable_variables, before[name], gradients, strict=True
        ):
            np.testing.assert_allclose(variable - old, -rate * gradient, rtol=5e-3, atol=3e-6)
        assert max(np.abs(gradient).max() for gradient in gradients) > 1


# Networks and switches.


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def conv(before, after, norm=True):
    return 16 * before * after + after + 2 * after * norm


def dense(before, after):
    return before * after + after


def maps(network):
    """Returns the shapes of the maps in order, without repetitions."""
    shapes = [layer.output.shape[1:] for layer in network.layers if len(layer.output.shape) == 4]
    return list(dict.fromkeys(shapes))


def full(**changes):
    return dataclasses.replace(recipes.find("adversarial-vae"), **changes).game(pictures(1, 32, 3))


def test_the_networks_are_the_reports():
    made = full()
    stack = conv(3, 64) + conv(64, 128) + conv(128, 256)
    assert trainable(made.encoder) == stack + 2 * dense(4096, 128)
    assert trainable(made.critic) == stack + 4096 + 1
    growing = conv(256, 128, 0) + conv(128, 64, 0) + conv(64, 3, 0) + 2 * (256 + 128 + 64)
    assert trainable(made.decoder) == dense(128, 4096) + growing
    down = [(32, 32, 3), (16, 16, 64), (8, 8, 128), (4, 4, 256)]
    assert maps(made.encoder) == down and maps(made.critic) == [*down, (1, 1, 1)]
    assert maps(made.decoder) == down[::-1]
    every = [layer for network in (made.encoder, made.decoder, made.critic) for layer in network.layers]
    assert [layer.negative_slope for layer in every if isinstance(layer, keras.layers.LeakyReLU)] == [0.2] * 9


def test_two_fully_connected_layers_belong_to_each_head_alone():
    one, two = full(), full(units=(256,))
    more = dense(4096, 256) + dense(256, 128) - dense(4096, 128)
    assert trainable(two.encoder) - trainable(one.encoder) == 2 * more
    assert trainable(two.decoder) - trainable(one.decoder) == dense(128, 256) + dense(256, 4096) - dense(128, 4096)
    assert trainable(two.critic) == trainable(one.critic)
    made = game(units=(5,))
    before = [np.float64(head) for head in made.encoder(REAL, training=False)]
    hidden = [layer for layer in made.encoder.layers if isinstance(layer, keras.layers.Dense) and layer.units == 5]
    hidden[0].kernel.assign(-hidden[0].kernel)
    changed = [np.abs(a - b).max() > 0.01 for a, b in zip(made.encoder(REAL, training=False), before, strict=True)]
    assert changed == [True, False] and len(hidden) == 2


def test_one_more_convolution_halves_all_three_once_more():
    made = full(channels=(64, 128, 256, 256))
    assert maps(made.encoder)[-1] == maps(made.decoder)[0] == (2, 2, 256)
    assert maps(made.critic)[-2:] == [(2, 2, 256), (1, 1, 1)]
    assert trainable(made.critic) == conv(3, 64) + conv(64, 128) + conv(128, 256) + conv(256, 256) + 1024 + 1


def test_the_norm_of_every_kernel_is_the_critics_alone_to_lose():
    for norm in (False, True):
        made = game(spectral_norm=norm)
        before = made.critic(REAL, training=False).numpy()
        last = getattr(made.critic.layers[-2], "layer", made.critic.layers[-2])
        last.kernel.assign(10 * last.kernel)
        assert norm == np.allclose(made.critic(REAL, training=False), before, rtol=1e-3)
    kinds = [{type(layer) for layer in network.layers} for network in (made.encoder, made.decoder, made.critic)]
    assert [layers.SpectralNorm in each for each in kinds] == [False, False, True] and keras.layers.Conv2D not in kinds[
        2
    ]


@pytest.mark.parametrize("kind", ["transposed", "nearest", "bilinear"])
def test_how_maps_double(kind):
    made = game(upsampling=kind)
    transposed = [la for la in made.decoder.layers if isinstance(la, keras.layers.Conv2DTranspose)]
    resized = [la.interpolation for la in made.decoder.layers if isinstance(la, keras.layers.UpSampling2D)]
    assert (len(transposed), resized) == ((2, []) if kind == "transposed" else (0, [kind] * 2))
    assert said(made.decoder, np.zeros((2, CODE))).shape == (2, SIZE, SIZE, 3)


@pytest.mark.parametrize("size, halvings, nearest", [(30, 3, 32), (28, 3, 32), (5, 3, 8), (36, 3, 32), (20, 4, 16)])
def test_sizes_that_cannot_be_halved_are_refused_with_the_nearest(size, halvings, nearest):
    flags = tiny(channels=(2,) * halvings)
    sentence = f"{size}x{size} pixels cannot be halved {halvings} times: give --image-size {nearest}."
    for ask, given in ((flags.check, (size, size, 3)), (flags.game, pictures(1, size, 3))):
        with pytest.raises(UsageError) as refusal:
            ask(given)
        assert str(refusal.value) == sentence
    flags.check((nearest, nearest, 3))


REFUSED = {"units": (0,), "latent_dim": 0, "learning_rate": 0.0, "kl_weight": -1.0, "adversarial_weight": -1.0}


@pytest.mark.parametrize("name, value", [*REFUSED.items(), ("channels", ()), ("channels", (0,))])
def test_numbers_that_cannot_be_are_refused(name, value):
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        tiny(**{name: value})
