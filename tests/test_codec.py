import dataclasses

import numpy as np
import pytest
from scipy.special import expit
from tiny import pictures

from kgen import codec, recipe, training
from kgen.errors import UsageError

SHARED = {"split": "train[:60]", "batch_size": 10, "steps": 2, "log_every": 2, "sample_every": 2, "checkpoint_every": 2}
DENSE = {"channels": (), "kernels": (), "strides": (), "paddings": (), "units": (6,), "latent_dim": 3}
PIXELS = pictures(300, size=28).images  # more than an export takes at once


def train(folder, model, **changes):
    small = dataclasses.replace(recipe.find(model), **{**SHARED, **changes})
    return training.train(model, small, folder / "runs", folder / "exports")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("autoencoder"), "autoencoder", **DENSE, patience=0, prune_every=0)


@pytest.fixture(scope="module")
def codecs(trained):
    return {"run": codec.of_run(trained.run), "export": codec.of_saved_model(trained.exported)}


@pytest.fixture(scope="module")
def dcgan(tmp_path_factory):
    return train(tmp_path_factory.mktemp("dcgan"), "dcgan", width=2, latent_dim=4)


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("source", ["run", "export"])
def test_it_computes_what_the_networks_do(source, codecs, trained):
    game, own = trained.match.exhibition(), codecs[source]
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


def test_a_game_without_a_decoder_has_no_codec(dcgan, trained):
    assert codec.of_game(dcgan.match.exhibition()) is None
    close(codec.of_game(trained.match.exhibition()).encode(PIXELS[:3]), codec.of_run(trained.run).encode(PIXELS[:3]))


@pytest.mark.parametrize("open_it, part", [(codec.of_run, "run"), (codec.of_saved_model, "exported")])
def test_a_generator_is_refused(open_it, part, dcgan):
    path = getattr(dcgan, part)
    with pytest.raises(UsageError) as refused:
        open_it(path)
    assert str(refused.value) == f"{path} has no encoder and decoder: give a run or an export of an autoencoder."


def test_what_is_neither_a_run_nor_an_export_is_refused(tmp_path, trained):
    with pytest.raises(UsageError, match="is not a run directory"):
        codec.of_run(tmp_path)
    with pytest.raises(UsageError, match="is not an export"):
        codec.of_saved_model(tmp_path)
    with pytest.raises(UsageError, match="is not an export"):
        codec.of_saved_model(trained.run)
    with pytest.raises(UsageError):
        codec.of_run(trained.exported)
