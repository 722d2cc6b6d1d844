"""Generators that are told the class: their exports, their sheets, `--class`."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen import data
from kgen.core import recipe as recipes
from kgen.core.game import sheet
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.inference import loading
from kgen.rng import Rng
from tests.helpers.recipes import new_trainer, pictures, shrink

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture(scope="module")
def game():
    return new_trainer("acgan").best_game()


@pytest.fixture(scope="module")
def exported(game, tmp_path_factory):
    root = tmp_path_factory.mktemp("exports")
    game.classes = NAMES
    return saved_model.export(game, shrink(recipes.find("acgan")), 1, root)


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


def test_more_labels_than_a_request_takes(source):
    images, latent = source.draw(5, 600), source.latents(5, 600)
    np.testing.assert_allclose(images[420:480], source.decode(latent[420:480], 7), atol=1e-6)
    assert len(np.unique(latent, axis=0)) == 600


@pytest.mark.parametrize("count, columns", [(8, 3), (64, 8)])
def test_a_sheet_of_a_count(source, count, columns):
    assert source.sheet(count) == (count, columns)


@pytest.mark.parametrize("classes, expected", [((), (64, 8)), (("a",) * 3, (30, 10)), (("a",) * 200, (200, 1))])
def test_sheets_fit_into_one_request(classes, expected):
    assert sheet(classes) == expected


@pytest.mark.parametrize("label", [-1, 10, 2**40])
def test_an_unknown_label_is_refused_in_words(exported, label):
    signatures = tf.saved_model.load(str(exported)).signatures
    latent = tf.zeros((2, signatures["serving_default"].structured_input_signature[1]["latent"].shape[1]))
    for key, others in (
        ("serving_default", {"latent": latent}),
        ("sample", {"seed": tf.constant(0, tf.int64)}),
        ("png", {"seed": tf.constant(0, tf.int64)}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="label must be from 0 to 9, but is") as refusal:
            signatures[key](label=tf.constant([3, label], tf.int64), **others)
        assert str(label) in str(refusal.value)


@pytest.mark.parametrize("labels", [0, 257])
def test_a_number_of_labels_out_of_bounds_is_refused_in_words(exported, labels):
    signatures = tf.saved_model.load(str(exported)).signatures
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of labels must be from 1 to 256, but is"):
        signatures["sample"](seed=tf.constant(0, tf.int64), label=tf.zeros(labels, tf.int64))


def test_one_label_is_not_stretched_over_many_latents(exported):
    signatures = tf.saved_model.load(str(exported)).signatures
    size = signatures["serving_default"].structured_input_signature[1]["latent"].shape[1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="latent and label must be equally many"):
        signatures["serving_default"](latent=tf.zeros((3, size)), label=tf.zeros(1, tf.int64))


def test_a_class_has_a_name_or_a_number(source):
    assert source.index("seven") == source.index("7") == 7
    for odd in ("10", "-1", "Seven", ""):
        with pytest.raises(UsageError, match="--class: there is no class .* numbered from 0: zero, one"):
            source.index(odd)


def test_generated_labels_are_uniform(game):
    with Rng(0):
        labels = game.some_labels(20_000).numpy()
    assert labels.min() == 0 and labels.max() == 9
    assert np.abs(np.bincount(labels) - 2000).max() < 5 * np.sqrt(2000)


@pytest.mark.parametrize("count", [0, 1, 257])
def test_too_few_or_too_many_classes_are_refused(count):
    some = data.Images(pictures().images, pictures().labels, tuple(map(str, range(count))))
    with pytest.raises(UsageError, match="2 to 256 classes"):
        shrink(recipes.find("acgan")).game(some)


def test_the_script_draws_one_class(exported, source, tmp_path):
    from kgen.cli import sample

    for name, arguments, label in (("one", ["--class", "seven", "--count", "4"], 7), ("all", ["--count", "4"], None)):
        out = tmp_path / f"{name}.png"
        sample.main(["--saved-model", str(exported), "--seed", "3", "--out", str(out), *arguments])
        tiles = np.asarray(Image.open(out)).reshape(2, 32, 2, 32).swapaxes(1, 2).reshape(4, 32, 32, 1)
        assert np.abs(tiles - source.draw(3, 4, label) * 255).max() <= 0.51
    sample.main(["--saved-model", str(exported), "--out", str(tmp_path / "sheet.png")])
    assert Image.open(tmp_path / "sheet.png").size == (320, 320)
