"""A variational autoencoder's run and export are drawn from and walked as a generator's are."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
from scipy.special import expit

from kgen.core import recipe as recipes
from kgen.core import requests
from kgen.core.game import sheet
from kgen.errors import UsageError
from kgen.inference import interpolation, loading
from kgen.rng import Rng
from kgen.training import train as training
from tests.helpers.class_conditional import NAMES

CLOCKS = {"steps": 2, "log_every": 2, "sample_every": 2, "checkpoint_every": 2}
SIZE = 3


def train(folder, model, **changes):
    small = {**CLOCKS, "split": "train[:60]", "batch_size": 10, "units": (6,), "latent_dim": SIZE, **changes}
    made = dataclasses.replace(recipes.find(model), **small)
    return training.train(made, folder / "runs", folder / "exports")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("vae"), "vae", learning_rate=0.05)


@pytest.fixture(scope="module")
def sources(trained):
    return {"run": loading.load(trained.run).generator, "export": loading.load(trained.exported).generator}


both = pytest.mark.parametrize("name", ["run", "export"])


def decoded(trained, latents):
    """Returns the decoder's images of latents."""
    return expit(np.float64(trained.trainer.best_game().decoder(latents, training=False)))


@both
def test_images_are_decoded_from_the_prior(name, sources, trained):
    own, count = sources[name], 2 * requests.LIMIT + 3
    latents, drawn = own.latents(7, count), own.draw(7, count)
    assert drawn.shape == (count, 28, 28, 1) and drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, decoded(trained, latents), atol=1e-5)
    np.testing.assert_allclose(own.decode(latents), drawn, atol=1e-5)
    for column in latents.T:
        assert scipy.stats.kstest(column, "norm").pvalue > 0.01
    assert len(np.unique(latents)) == latents.size and np.ptp(drawn, axis=0).max() > 0.1
    with Rng(0).fold_in(7, 0):
        np.testing.assert_allclose(latents[:5], trained.trainer.game.prior.draw(5), atol=1e-6)
    assert not np.array_equal(latents, own.latents(8, count))


def test_a_run_and_its_export_draw_the_same(sources):
    one, other = (own.draw(7, 5) for own in sources.values())
    np.testing.assert_allclose(one, other, atol=1e-6)


@both
def test_films_go_from_one_latent_to_another(name, sources, trained):
    own, alphas = sources[name], interpolation.positions(9, 1.0)
    films = interpolation.films(own, 4, "all", alphas)
    z0, z1 = np.float64(own.latents(4, 2))
    ends = decoded(trained, np.float32([z1, z0]))
    for film in films.values():
        assert film.shape == (9, 28, 28, 1)
        np.testing.assert_allclose(film[[0, -1]], ends, atol=1e-5)
    steps = np.linspace(z1, z0, 9)
    np.testing.assert_allclose(films["linear"], decoded(trained, np.float32(steps)), atol=1e-5)
    np.testing.assert_allclose(films["pixels"], np.linspace(*ends, 9), atol=1e-5)
    assert np.abs(films["linear"] - films["pixels"]).max() > 1e-3


def test_training_leaves_a_walk_and_no_classes(sources, trained):
    assert (trained.run / "interpolation.gif").is_file()
    for own in sources.values():
        assert own.classes == () and own.sheet() == (64, 8)
        assert interpolation.chosen(own, None) is None
        with pytest.raises(UsageError, match="--class needs a class-conditional generator"):
            own.index("3")


def test_an_autoencoder_without_a_prior_cannot_be_drawn_from(tmp_path):
    plain = {"channels": (), "kernels": (), "strides": (), "paddings": (), "patience": 0}
    trained = train(tmp_path, "autoencoder", **plain)
    assert loading.of_game(trained.trainer.best_game()).parts()[0] is None
    assert not (trained.run / "interpolation.gif").exists()
    with pytest.raises(UsageError, match="Its model makes no images of noise"):
        loading.load(trained.run).generator
    with pytest.raises(UsageError, match="cannot be drawn from: it has no signature 'sample'"):
        loading.load(trained.exported).generator


@pytest.fixture(scope="module")
def game(class_conditional):
    return class_conditional[0]


@pytest.fixture(scope="module")
def exported(class_conditional):
    return class_conditional[1]


@pytest.fixture(scope="module")
def source(exported):
    return loading.load(exported).generator


def test_the_names_of_the_classes_travel_with_the_export(exported, source):
    assert (exported / "labels.txt").read_text().splitlines() == list(NAMES)
    assert source.classes == NAMES


def test_a_label_chooses_the_image(game, source):
    latent = source.latents(3, 4, label=2)
    for label in (2, 7):
        network = np.asarray(game.generator([latent, np.full(4, label)], training=False)) / 2 + 0.5
        np.testing.assert_allclose(source.decode(latent, label), network, atol=1e-6)
    np.testing.assert_array_equal(source.draw(3, 4, label=2), source.decode(latent, 2))
    assert not np.array_equal(source.draw(3, 4, label=2), source.draw(3, 4, label=7))


def test_without_a_label_all_classes_have_equal_parts_in_order(source):
    assert sheet(NAMES) == (100, 10) and source.sheet() == (100, 10)
    latent, whole = source.latents(5, 100), source.draw(5, 100)
    for row in range(10):
        part = slice(10 * row, 10 * row + 10)
        np.testing.assert_allclose(whole[part], source.decode(latent[part], row), atol=1e-6)
        assert (source.labels(100)[part] == row).all()


def test_more_labels_than_a_request_takes(source):
    images, latent = source.draw(5, 600), source.latents(5, 600)
    np.testing.assert_allclose(images[420:480], source.decode(latent[420:480], 7), atol=1e-6)
    assert len(np.unique(latent, axis=0)) == 600


@pytest.mark.parametrize("count, columns", [(8, 3), (64, 8)])
def test_a_sheet_of_a_count(source, count, columns):
    assert source.sheet(count) == (count, columns)


def test_a_class_has_a_name_or_a_number(source):
    assert source.index("seven") == source.index("7") == 7
    for odd in ("10", "-1", "Seven", ""):
        with pytest.raises(UsageError, match="--class: there is no class .* numbered from 0: zero, one"):
            source.index(odd)
