"""The bound against SciPy's and TensorFlow Probability's densities, from what the networks say of each image alone."""

import dataclasses

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from scipy.special import expit, log_expit
from tensorflow_probability import distributions

from kgen import images, rng
from kgen.core import autoencoding
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.core.game import Player
from kgen.core.priors import Normal
from kgen.data import Images
from kgen.errors import UsageError
from kgen.export.saved_model import export
from kgen.models.vae import VAE, drawn
from kgen.networks.conv_autoencoder import Plan, decoder, encoder
from kgen.rng import Rng
from kgen.runs.build import precision
from tests.helpers.recipes import pictures

SHAPE, SIZE, COUNT = (6, 5, 3), 3, 4
DATA = Images(np.random.default_rng(0).integers(256, size=(COUNT, *SHAPE), dtype=np.uint8), None, ())
REAL = np.float32(DATA.images / 255)
TINY = {"vae": {}, "vae-conv": {"channels": (2, 3), "kernels": (4, 3), "strides": (2, 1), "paddings": (1, 1)}}


def tiny(name="vae", **changes):
    return dataclasses.replace(recipes.find(name), **{**TINY[name], "units": (5,), "latent_dim": SIZE, **changes})


def game(name="vae", seed=0, scale=4, **changes):
    """Returns a small game whose codes differ from the prior and whose pixels differ from grey."""
    keras.utils.set_random_seed(seed)
    made = tiny(name, **changes).game(DATA)
    made.autoencoder.set_weights([scale * weight for weight in made.autoencoder.get_weights()])
    return made


def one_by_one(network, x):
    """Returns a list of the network's outputs, float64, each image called alone."""
    answers = [tf.nest.flatten(network(tf.constant(x[i : i + 1]), training=False)) for i in range(len(x))]
    return [np.concatenate([np.float64(answer) for answer in each]) for each in zip(*answers, strict=True)]


def noise(seed):
    """Returns the first draw of rng."""
    return np.float64(Rng(seed).normal((COUNT, SIZE)))


def bernoulli(x, logits):
    return -(x * log_expit(logits) + (1 - x) * log_expit(-logits)).sum(axis=(1, 2, 3))


def gaussian(x, means):
    density = scipy.stats.norm.logpdf(np.float64(x), means, 1) + np.log(2 * np.pi) / 2
    return -density.sum(axis=(1, 2, 3))


LIKELIHOODS = {"bernoulli": bernoulli, "gaussian": gaussian}


def divergence(mean, log_variance):
    q = distributions.Normal(mean, np.exp(log_variance / 2))
    return q.kl_divergence(distributions.Normal(np.float64(0), np.float64(1))).numpy().sum(axis=1)


def by_hand(made, x, likelihood, e):
    """Returns the two parts of each image's negative bound."""
    mean, log_variance = one_by_one(made.encoder, x)
    (numbers,) = one_by_one(made.decoder, np.float32(mean + np.exp(log_variance / 2) * e))
    return LIKELIHOODS[likelihood](x, numbers), divergence(mean, log_variance)


def turn(made, x=REAL, seed=1):
    with Rng(seed):
        return {name: float(value) for name, value in made.turn(tf.constant(x)).items()}


# The bound.


@pytest.mark.parametrize("name", list(TINY))
@pytest.mark.parametrize("beta", [1.0, 2.5, 0.0])
@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_a_turn_gives_the_negative_bound_and_its_parts_as_means_over_images(name, beta, likelihood):
    made = game(name, beta=beta, likelihood=likelihood)
    reconstruction, kl = by_hand(made, REAL, likelihood, noise(1))
    assert np.ptp(reconstruction) > 1 and np.ptp(kl) > 0.1 and kl.min() > 0.1  # or a mean over less might pass
    expected = {"reconstruction": reconstruction.mean(), "kl": kl.mean()}
    bound = {"autoencoder": reconstruction.mean() + beta * kl.mean()}
    assert turn(made) == pytest.approx({**expected, **bound}, rel=1e-5)
    assert turn(made, seed=2)["reconstruction"] != pytest.approx(expected["reconstruction"], rel=1e-3)
    assert turn(made, seed=2)["kl"] == pytest.approx(expected["kl"], rel=1e-5)


def test_the_optimal_variance_is_the_mean_squared_error_of_the_batch():
    made = game("vae", likelihood="optimal_gaussian")
    mean, log_variance = one_by_one(made.encoder, REAL)
    (means,) = one_by_one(made.decoder, np.float32(mean + np.exp(log_variance / 2) * noise(1)))
    deviation = np.sqrt(np.mean((np.float64(REAL) - means) ** 2))
    expected = -scipy.stats.norm.logpdf(np.float64(REAL), means, deviation).sum(axis=(1, 2, 3)).mean()
    assert turn(made)["reconstruction"] == pytest.approx(expected, rel=1e-5)


def test_the_bound_is_the_log_likelihood_where_the_encoder_knows_the_posterior():
    """Of x = W z + b + N(0, I), W with orthogonal columns: z|x ~ N(M W'(x - b), M), M = (I + W'W)^-1, Bishop 12.42."""
    made = game("vae", units=(), likelihood="gaussian")
    size, random = int(np.prod(SHAPE)), np.random.default_rng(3)
    w = np.linalg.qr(random.normal(size=(size, SIZE)))[0] * [0.5, 2.0, 3.0]
    b, m = random.normal(size=size), np.diag(1 / (1 + np.array([0.25, 4.0, 9.0])))
    made.encoder.set_weights([w @ m, -b @ w @ m, np.zeros((size, SIZE)), np.log(np.diag(m))])
    made.decoder.set_weights([w.T, b])
    x = (b + random.normal(size=SIZE) @ w.T + random.normal(size=size)).reshape(1, *SHAPE)
    with Rng(2):
        reconstruction, kl = made.bound(tf.constant(np.repeat(x, 20_000, axis=0), tf.float32), training=False)
    log_likelihood = scipy.stats.multivariate_normal(b, np.eye(size) + w @ w.T).logpdf(x.ravel())
    expected = -log_likelihood - size * np.log(2 * np.pi) / 2
    assert np.mean(reconstruction + kl) == pytest.approx(expected, abs=4 * np.std(reconstruction) / np.sqrt(20_000))
    assert np.std(reconstruction) < 0.2 * expected


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
@pytest.mark.parametrize("drops", [(0.5, 0.0), (0.0, 0.5)])
def test_measures_are_each_images_at_inference_and_turns_at_training(drops, likelihood):
    plan = Plan((), (), (), (), (64, 64))
    halves = encoder(SHAPE, plan, SIZE, drops[0], heads=2), decoder(SHAPE, plan, SIZE, drops[1])
    made = VAE(Player(autoencoding.autoencoder(*halves), None), Normal(SIZE), likelihood, 2.5)
    reconstruction, kl = by_hand(made, REAL, likelihood, noise(1))
    with Rng(1):
        measured = made.measures(tf.constant(REAL))
    assert list(measured) == ["negative_bound", "reconstruction", "kl"]  # the first one chooses the best epoch
    expected = [reconstruction + 2.5 * kl, reconstruction, kl]
    for values, hand in zip(measured.values(), expected, strict=True):
        np.testing.assert_allclose(values, hand, rtol=2e-5)
    trained = turn(made)
    assert trained["reconstruction"] != pytest.approx(reconstruction.mean(), rel=2e-5)
    assert (trained["kl"] == pytest.approx(kl.mean(), rel=2e-5)) == (drops[0] == 0)


def test_a_round_is_one_turn_of_the_whole_autoencoder_down_the_gradient():
    made, plain = game(beta=2.5), game(beta=2.5)
    made.players["autoencoder"].optimizer = keras.optimizers.SGD(0.01)
    trainer, x = BaseTrainer(made, seed=8), tf.constant(REAL)
    trainer.compile(run_eagerly=True)
    before = made.autoencoder.get_weights()
    trainer.train_step(tf.constant(DATA.images)[None])
    with Rng(Rng(8).fold_in(0, 0).fold_in(0).seed), tf.GradientTape() as tape:
        mean, log_variance = plain.encoder(x)
        z = mean + tf.exp(log_variance) ** 0.5 * rng.current().normal((COUNT, SIZE))
        nats = tf.nn.sigmoid_cross_entropy_with_logits(x, plain.decoder(z))
        kl = distributions.Normal(mean, tf.exp(log_variance / 2)).kl_divergence(distributions.Normal(0.0, 1.0))
        loss = (tf.reduce_sum(nats) + 2.5 * tf.reduce_sum(kl)) / COUNT
    gradients = tape.gradient(loss, plain.autoencoder.trainable_variables)
    for old, new, gradient in zip(before, made.autoencoder.get_weights(), gradients, strict=True):
        np.testing.assert_allclose(new - old, -0.01 * gradient.numpy(), rtol=1e-3, atol=2e-6)
        assert np.abs(gradient).max() > 0.01
    assert (made.batches, made.range, list(made.players)) == (1, images.UNIT, ["autoencoder"])


# Draws and networks.


def test_what_is_drawn_is_normal_with_that_mean_and_variance():
    mean, log_variance = np.float32([[2.0, -1.0, 0.0]]), np.float32([[0.0, 3.0, -4.0]])
    with Rng(0):
        z = drawn(*(np.repeat(each, 20_000, axis=0) for each in (mean, log_variance))).numpy()
    assert z.dtype == np.float32
    for column, m, v in zip(z.T, mean[0], np.exp(log_variance[0]), strict=True):
        assert scipy.stats.kstest(column, scipy.stats.norm(m, np.sqrt(v)).cdf).pvalue > 0.01
        assert column.mean() == pytest.approx(m, abs=4 * np.sqrt(v / 20_000))
        assert column.var() == pytest.approx(v, rel=4 * np.sqrt(2 / 20_000))
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() < 0.03
    assert abs(np.corrcoef(z[1:, 0], z[:-1, 0])[0, 1]) < 0.03


def test_gradients_go_through_a_draw():
    mean, log_variance = tf.random.stateless_normal((2, 5, 4), (1, 2))
    with Rng(3), tf.GradientTape(persistent=True) as tape:
        tape.watch([mean, log_variance])
        z = drawn(mean, log_variance)
    np.testing.assert_array_equal(tape.gradient(z, mean), np.ones((5, 4)))
    np.testing.assert_allclose(tape.gradient(z, log_variance), (z - mean) / 2, rtol=1e-4, atol=1e-6)
    assert np.abs(z - mean).min() > 1e-3


def test_heads_and_losses_are_float32_under_bfloat16():
    with precision("mixed_bfloat16"):
        made = game()
    mean, log_variance = made.encoder(REAL, training=False)
    assert mean.dtype == log_variance.dtype == tf.float32
    assert any(layer.compute_dtype == "bfloat16" for layer in made.encoder.layers)
    with Rng(1):
        values = made.turn(tf.constant(REAL))
    assert {value.dtype for value in values.values()} == {tf.float32}
    with Rng(1):
        numbers = made.decoder(drawn(mean, log_variance), training=False)
    assert float(values["kl"]) == pytest.approx(divergence(np.float64(mean), np.float64(log_variance)).mean(), rel=1e-6)
    assert float(values["reconstruction"]) == pytest.approx(bernoulli(REAL, np.float64(numbers)).mean(), rel=1e-6)


def test_the_networks_are_the_papers():
    made = recipes.find("vae").game(pictures(size=28))
    assert made.encoder.count_params() == 784 * 500 + 500 + 2 * (500 * 20 + 20)
    assert made.decoder.count_params() == 20 * 500 + 500 + 500 * 784 + 784
    for half in (made.encoder, made.decoder):
        assert "tanh" in str(half.get_config())


def test_mean_and_log_variance_are_heads_of_their_own():
    made = game()
    before = one_by_one(made.encoder, REAL)
    *hidden, w_mean, b_mean, w_log_variance, b_log_variance = made.encoder.get_weights()
    made.encoder.set_weights([*hidden, w_mean, b_mean + 1, 2 * w_log_variance, 2 * b_log_variance])
    mean, log_variance = one_by_one(made.encoder, REAL)
    np.testing.assert_allclose(mean, before[0] + 1, rtol=1e-5)
    np.testing.assert_allclose(log_variance, 2 * before[1], rtol=1e-5)


# What is served, and what is refused.


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_what_an_export_answers(likelihood, tmp_path):
    made = game(likelihood=likelihood)
    loaded = tf.saved_model.load(str(export(made, tiny(), 1, tmp_path)))
    code = loaded.signatures["encode"](images=tf.constant(REAL))
    assert set(code) == {"latent", "log_variance"}
    for name, expected in zip(("latent", "log_variance"), one_by_one(made.encoder, REAL), strict=True):
        np.testing.assert_allclose(code[name], expected, rtol=1e-5, atol=1e-5)
    decoded = loaded.signatures["decode"](latent=code["latent"])["images"]
    (numbers,) = one_by_one(made.decoder, code["latent"].numpy())
    np.testing.assert_allclose(decoded, expit(numbers) if likelihood == "bernoulli" else numbers.clip(0, 1), atol=1e-5)
    for name in ("reconstruct", "serving_default"):
        np.testing.assert_array_equal(loaded.signatures[name](images=tf.constant(REAL))["images"], decoded)
    seeds = [{"seed": tf.constant(seed, tf.int64), "count": tf.constant(256, tf.int64)} for seed in range(20)]
    samples = [loaded.signatures["sample"](**seed) for seed in seeds]
    latents = np.concatenate([sample["latent"] for sample in samples])
    assert [scipy.stats.kstest(column, "norm").pvalue > 0.01 for column in latents.T] == [True] * SIZE
    assert np.abs(np.corrcoef(latents.T) - np.eye(SIZE)).max() < 0.06
    shown = loaded.signatures["decode"](latent=samples[0]["latent"])["images"]
    np.testing.assert_allclose(samples[0]["images"], shown, atol=1e-6)


REFUSED = [{"latent_dim": 0}, {"beta": -0.1}, {"learning_rate": 0.0}, {"units": (5, 0)}, {"paddings": (3, 1)}]


@pytest.mark.parametrize("change", [*REFUSED, {"kernels": (4,)}])
def test_numbers_that_cannot_be_are_refused(change):
    with pytest.raises(UsageError, match="--" + next(iter(change)).replace("_", "-")):
        tiny("vae-conv", **change)


def test_images_of_which_nothing_is_left_are_refused():
    with pytest.raises(UsageError, match="Of images of 4x4 pixels convolution 3 .* give a larger --image-size"):
        recipes.find("vae-conv").check((4, 4, 1))
