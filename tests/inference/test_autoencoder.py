"""A trained autoencoder, from a run or an export, against its networks and the codes they give."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from scipy.special import expit

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference import loading
from kgen.training import train as training
from tests.helpers.recipes import pictures

SHARED = {"split": "train[:60]", "batch_size": 10, "steps": 2, "log_every": 2, "sample_every": 2, "checkpoint_every": 2}
DENSE = {"channels": (), "kernels": (), "strides": (), "paddings": (), "units": (6,), "latent_dim": 3}
PIXELS = pictures(300, size=28).images  # more than an export takes at once


def train(folder, model, **changes):
    small = dataclasses.replace(recipes.find(model), **{**SHARED, **changes})
    return training.train(small, folder / "runs", folder / "exports")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("autoencoder"), "autoencoder", **DENSE, patience=0, prune_every=0)


@pytest.fixture(scope="module")
def codecs(trained):
    return {"run": loading.load(trained.run).autoencoder, "export": loading.load(trained.exported).autoencoder}


@pytest.fixture(scope="module")
def dcgan(tmp_path_factory):
    return train(tmp_path_factory.mktemp("dcgan"), "dcgan", width=2, latent_dim=4)


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    """A variational autoencoder without a divergence in its loss, so that its variances have left 1."""
    quick = {"units": (6,), "activation": "silu", "latent_dim": 3, "beta": 0.0, "learning_rate": 0.02, "steps": 20}
    return train(tmp_path_factory.mktemp("vae"), "vae", **quick)


@pytest.fixture(scope="module")
def variational(vae):
    return {"run": loading.load(vae.run).autoencoder, "export": loading.load(vae.exported).autoencoder}


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("source", ["run", "export"])
def test_it_says_how_large_images_and_codes_are(source, codecs):
    assert (codecs[source].shape, codecs[source].size) == ((28, 28, 1), 3)


@pytest.mark.parametrize("source", ["run", "export"])
def test_it_computes_what_the_networks_do(source, codecs, trained):
    game, own = trained.trainer.best_game(), codecs[source]
    x = PIXELS / np.float32(255)
    codes, images = own.encode(PIXELS), own.reconstruct(PIXELS)
    assert codes.shape == (300, 3) and images.shape == PIXELS.shape
    assert codes.dtype == images.dtype == np.float32 and images.min() >= 0 and images.max() <= 1
    close(codes, game.encoder(x, training=False))
    close(images, expit(game.autoencoder(x, training=False)))
    close(own.decode(codes), images)


def test_a_run_and_its_export_agree(codecs):
    for ask in ("encode", "reconstruct"):
        close(*(getattr(own, ask)(PIXELS) for own in codecs.values()))
    z = np.random.default_rng(0).normal(size=(257, 3))
    close(*(own.decode(z) for own in codecs.values()))


@pytest.mark.parametrize("source", ["run", "export"])
@pytest.mark.parametrize("count", [1, 256, 257])
def test_any_number_of_images_in_their_order(count, source, codecs):
    own = codecs[source]
    each = np.concatenate([own.encode(PIXELS[i : i + 1]) for i in (0, count - 1)])
    found = own.encode(PIXELS[:count])
    assert len(found) == count
    close(found[[0, -1]], each)


@pytest.mark.parametrize("source", ["run", "export"])
def test_gradients_pass_through_what_is_decoded(source, codecs):
    own, z = codecs[source], np.random.default_rng(1).normal(size=(7, 3)).astype(np.float32)
    codes = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(codes)
        images = own.decoded(codes)
        total = tf.reduce_sum(images, axis=(1, 2, 3))
    close(images, own.decode(z))
    sides = [own.decode(z + np.float32([0, sign * 0.001, 0])).sum(axis=(1, 2, 3), dtype=np.float64) for sign in (1, -1)]
    expected = (sides[0] - sides[1]) / 0.002
    np.testing.assert_allclose(tape.gradient(total, codes)[:, 1], expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("source", ["run", "export"])
def test_codes_are_drawn_with_the_mean_and_variance_of_each_image(source, variational, vae):
    own, x = variational[source], PIXELS[:5] // np.uint8([1, 2, 3, 5, 9]).reshape(5, 1, 1, 1)
    mean, log_variance = map(np.float64, vae.trainer.best_game().encoder(x / np.float32(255), training=False))
    deviation = np.exp(log_variance / 2)
    assert own.variational and np.ptp(deviation, axis=0).min() > 0.1 and np.abs(np.log(deviation)).max() > 0.3
    close(own.encode(x), mean)
    many = np.stack([own.sampled(x, seed) for seed in range(600)])
    assert many.dtype == np.float32 and many.shape == (600, 5, 3)
    standard = (many - mean) / deviation
    assert np.abs(standard.mean(axis=0)).max() < 4 / np.sqrt(600)
    np.testing.assert_allclose(standard.var(axis=0), 1, atol=4 * np.sqrt(2 / 600))
    assert scipy.stats.kstest(standard.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(standard.reshape(600, 15).T) - np.eye(15)).max() < 0.2  # of images and of numbers alike


def test_equal_seeds_draw_equal_codes_from_a_run_and_its_export(variational):
    one, other = variational.values()
    close(one.sampled(PIXELS, 7), other.sampled(PIXELS, 7))
    np.testing.assert_array_equal(one.sampled(PIXELS, 7), one.sampled(PIXELS, 7))
    assert (one.sampled(PIXELS, 7) != one.sampled(PIXELS, 8)).all()
    close(one.reconstruct(PIXELS), other.decode(other.encode(PIXELS)))  # of means: nothing is drawn


@pytest.mark.parametrize("source", ["run", "export"])
def test_of_a_plain_autoencoder_the_codes_themselves(source, codecs):
    assert codecs[source].variational is False
    np.testing.assert_array_equal(codecs[source].sampled(PIXELS, 3), codecs[source].encode(PIXELS))


@pytest.mark.slow
def test_a_game_without_a_decoder_has_no_autoencoder(dcgan, trained):
    assert loading.of_game(dcgan.trainer.best_game()).parts()[1] is None
    close(
        loading.of_game(trained.trainer.best_game()).autoencoder.encode(PIXELS[:3]),
        loading.load(trained.run).autoencoder.encode(PIXELS[:3]),
    )


@pytest.mark.parametrize("part", ["run", "exported"])
def test_a_generator_is_refused(part, dcgan):
    path = getattr(dcgan, part)
    with pytest.raises(UsageError) as refused:
        loading.load(path).autoencoder
    assert str(refused.value) == f"{path} has no encoder and decoder: give a run or an export of an autoencoder."


def test_what_is_neither_a_run_nor_an_export_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is neither a run directory"):
        loading.load(tmp_path)
