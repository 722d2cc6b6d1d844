"""A trained classifier: probabilities of any number of images, and its run as a network that metrics look through."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.inference.classifier import TrainedClassifier, network
from kgen.runs import build, checkpoint, directory
from tests.helpers.recipes import pictures

DATA = pictures(20, size=8)
SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """`(run, game)` of a classifier as it begins."""
    recipe = dataclasses.replace(recipes.find("classifier"), width=2, features=5)
    run = directory.create(tmp_path_factory.mktemp("runs"), recipe)
    directory.write_environment(run, DATA)
    trainer = build.prepare(recipe, DATA)
    checkpoint.save(trainer, run / "checkpoints", 5)
    return run, trainer.best_game()


def logits_of(game):
    return game.classifier(np.float32(DATA.images / 255), training=False).numpy()


@pytest.mark.parametrize("count", [1, 256, 300])
def test_probabilities_of_any_number_of_images_are_joined(count):
    asked = []

    def signature(images):
        asked.append(len(images))
        return {"probabilities": tf.reshape(images, (-1, 2))}

    images = np.random.default_rng(0).integers(0, 256, (count, 1, 2, 1), np.uint8)
    found = TrainedClassifier(signature, ("a", "b"))
    np.testing.assert_allclose(found.probabilities(images), images.reshape(-1, 2) / 255, rtol=1e-6)
    np.testing.assert_array_equal(found.classify(images), images.reshape(-1, 2).argmax(axis=1))
    assert max(asked) <= 256 and sum(asked) == 2 * count


def test_signatures_of_a_classifier_are_its_softmax(trained):
    found = TrainedClassifier(trained[1].served[0].probabilities, DATA.classes)
    np.testing.assert_allclose(found.probabilities(DATA.images), softmax(logits_of(trained[1]), axis=1), rtol=1e-4)


def test_a_run_looks_at_images_with_features_and_logits(trained):
    run, game = trained
    found = network(run, SHAPE)
    features, logits = found.look(DATA.images)
    np.testing.assert_allclose(features, game.encoder(np.float32(DATA.images / 255), training=False), rtol=1e-4)
    np.testing.assert_allclose(logits, logits_of(game), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.of_unit(np.float32(DATA.images / 255)), features, rtol=1e-4, atol=1e-6)
    between = np.float32(DATA.images / 255 + 1e-3)
    np.testing.assert_allclose(found.of_unit(between), game.encoder(between, training=False), rtol=1e-4)
    assert found.name == "mnist5k-classifier" and found.about["step"] == 5 and found.about["run"] == str(run)
    assert len(found.about["weights_sha256"]) == 64


def test_logits_come_in_the_order_of_the_classes_asked_for(trained):
    turned = network(trained[0], SHAPE, DATA.classes[::-1]).look(DATA.images)[1]
    np.testing.assert_allclose(turned, logits_of(trained[1])[:, ::-1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "shape, classes, words",
    [((8, 8, 3), None, "but these are 8x8x3: train one"), (SHAPE, ("0", "1"), "but these are 8x8x1 of 0, 1: train")],
)
def test_images_of_another_kind_are_refused(shape, classes, words, trained):
    with pytest.raises(UsageError, match=f"knows images 8x8x1 of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, {words}"):
        network(trained[0], shape, classes)


def test_a_run_of_another_model_is_refused(tmp_path):
    run = directory.create(tmp_path, recipes.find("gan"))
    with pytest.raises(UsageError, match="is a run of gan: give one of classifier"):
        network(run, SHAPE)
