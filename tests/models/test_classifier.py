"""A classifier: its loss and measures, encoders of other runs, dropout, what is trained and refused."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from kgen.augmentation.affine import STRONG, distorted
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.data import Images
from kgen.errors import UsageError
from kgen.models.classifier import weighted_layers
from kgen.optimizers import LinearDecay
from kgen.rng import Rng
from kgen.runs import build, directory
from kgen.training import train as training
from tests.helpers.recipes import pictures

DATA = pictures(24, size=8)
X, LABELS = np.float32(DATA.images / 255), np.int32(DATA.labels)
ENCODER = {
    "channels": (2, 3), "kernels": (3, 2), "strides": (2, 1), "paddings": (1, 0), "units": (7, 6), "latent_dim": 4,
    "encoder_dropout": 0.3, "patience": 0, "prune_every": 0,
}  # fmt: skip
CLOCK = {"split": "train[:60]", "image_size": 8, "batch_size": 10, "steps": 2, "log_every": 2, "checkpoint_every": 2}


def find(name, **changes):
    return dataclasses.replace(recipes.find(name), **changes)


def own(data=DATA, **changes):
    """Returns a game with an encoder of its own."""
    keras.utils.set_random_seed(0)
    return find("classifier", **{"width": 2, "features": 5, **changes}).game(data)


def weights(network):
    return [weight.copy() for weight in network.get_weights()]


def equal(one, other):
    return [np.array_equal(*pair) for pair in zip(one, other, strict=True)]


# Losses.


def test_the_loss_is_the_cross_entropy_and_accuracy_is_counted():
    game = own(dropout=0.0)
    with Rng(0):
        found = game.turn((tf.constant(X), tf.constant(LABELS)))
    logits = game.classifier(X, training=True).numpy()
    right = logits.argmax(axis=1) == LABELS
    assert float(found["classifier"]) == pytest.approx(-log_softmax(logits, 1)[np.arange(24), LABELS].mean(), rel=1e-5)
    assert float(found["accuracy"]) == pytest.approx(right.mean()) and 0 < right.mean() < 1


def test_measures_are_those_of_each_image_at_inference():
    game = own()
    found = game.measures((tf.constant(X), tf.constant(LABELS)))
    logits = game.classifier(X, training=False).numpy()
    assert list(found) == ["cross_entropy", "accuracy"]  # the first decides which epoch is the best
    np.testing.assert_allclose(found["cross_entropy"], -log_softmax(logits, 1)[np.arange(24), LABELS], rtol=1e-4)
    np.testing.assert_array_equal(found["accuracy"], logits.argmax(axis=1) == LABELS)


def test_distorted_images_are_for_training_alone():
    game = own(distort=True, dropout=0.0)
    with Rng(4):
        found = float(game.turn((tf.constant(X), tf.constant(LABELS)))["classifier"])
    with Rng(4):
        logits = game.classifier(distorted(tf.constant(X), STRONG), training=True).numpy()
    assert found == pytest.approx(-log_softmax(logits, 1)[np.arange(24), LABELS].mean(), rel=1e-5)
    one, other = (own(distort=distort).measures((X, LABELS)).values() for distort in (True, False))
    assert all(equal(one, other))


def test_signatures_are_the_softmax_and_its_maximum():
    game = own()
    module, names = game.served
    assert set(names) == {"serving_default", "probabilities", "classify"}
    expected = softmax(game.classifier(X, training=False).numpy(), axis=1)
    for ask in (module.probabilities, module.serving_default):
        np.testing.assert_allclose(ask(tf.constant(X))["probabilities"], expected, rtol=1e-4)
    answer = module.classify(tf.constant(X))
    np.testing.assert_array_equal(answer["label"], expected.argmax(axis=1))
    np.testing.assert_allclose(answer["probability"], expected.max(axis=1), rtol=1e-4)


def test_pictures_are_ordered_by_what_they_are_taken_for():
    game = own()
    game.examples = pictures(100, size=8, seed=3).images
    label = game.served[0].classify(tf.constant(np.float32(game.examples / 255)))["label"].numpy()
    assert len(set(label)) > 1
    order = np.argsort(label, kind="stable")
    np.testing.assert_allclose(game.pictures(100), game.examples[order] / 255, atol=1e-6)
    np.testing.assert_allclose(game.pictures(103)[100:], game.examples[order[:3]] / 255, atol=1e-6)


def test_the_optimizer():
    one = find("classifier", learning_rate=2e-3).optimizer()
    assert type(one) is keras.optimizers.Adam and one.epsilon == 1e-8
    assert float(one.learning_rate) == pytest.approx(2e-3)
    falling = find("classifier", anneal=True, steps=77, learning_rate=2e-3).optimizer()
    assert falling.get_config()["learning_rate"] == keras.saving.serialize_keras_object(LinearDecay(2e-3, 77))


# An encoder of another run.


def written(folder, name="autoencoder", **changes):
    """Returns a run directory that holds a recipe alone; that is what an encoder is built after."""
    return directory.create(folder, find(name, **{**(ENCODER if name == "autoencoder" else {}), **changes}))


def on(run, data=DATA, **changes):
    keras.utils.set_random_seed(0)
    return find("classifier", start_from=run, **changes).game(data)


def steps(game, count=2):
    """Plays steps in eager mode; returns what the weights of encoder and head are, before and after."""
    trainer = BaseTrainer(game)
    trainer.compile(run_eagerly=True)
    before = weights(game.encoder), weights(game.classifier.get_layer("head"))
    for _ in range(count):
        trainer.train_step((tf.constant(DATA.images)[None], tf.constant(LABELS)[None]))
    return before, (weights(game.encoder), weights(game.classifier.get_layer("head")))


@pytest.mark.slow
@pytest.mark.parametrize("unfreeze", [0, 1, 3, 5, None])
def test_exactly_the_last_layers_of_the_encoder_learn(unfreeze, tmp_path):
    game = on(written(tmp_path), unfreeze=unfreeze, l2=0.1)  # nor does decay move the others
    assert len(weighted_layers(game.encoder)) == 5  # two convolutions, two hidden layers, the code
    (encoder, head), (new_encoder, new_head) = steps(game)
    still = 5 - (5 if unfreeze is None else unfreeze)
    assert equal(encoder, new_encoder) == [True, True] * still + [False, False] * (5 - still)
    assert equal(head, new_head) == [False, False]


def test_batch_norms_that_are_frozen_keep_their_statistics(tmp_path):
    game = on(written(tmp_path, "classifier", width=2, features=5), unfreeze=0)
    (encoder, _), (new_encoder, _) = steps(game)
    assert all(equal(encoder, new_encoder))


def test_dropout_of_a_frozen_encoder_is_active_in_training(tmp_path):
    game = on(written(tmp_path), unfreeze=0)
    batch = tf.constant(X), tf.constant(LABELS)
    losses = []
    for seed in (0, 0, 1):
        with Rng(seed):
            losses.append(float(game.turn(batch)["classifier"]))
    assert losses[0] == losses[1] != losses[2]
    np.testing.assert_array_equal(game.measures(batch)["cross_entropy"], game.measures(batch)["cross_entropy"])


def test_what_another_classifier_froze_learns_again(tmp_path):
    first = written(tmp_path)
    second = written(tmp_path, "classifier", start_from=first, unfreeze=0)
    for unfreeze, learn in ((None, 5), (2, 2)):
        trainable = [layer.trainable for layer in weighted_layers(on(second, unfreeze=unfreeze).encoder)]
        assert trainable == [False] * (5 - learn) + [True] * learn


@pytest.mark.parametrize(
    "flags, said",
    [
        ({"unfreeze": 1}, "--unfreeze must be 0 or more, and only given with --start-from, not 1."),
        ({"width": 0}, "--width must be at least 1, not 0."),
        ({"features": 0}, "--features must be at least 1, not 0."),
        ({"dropout": 1.0}, "--dropout must be at least 0 and below 1, not 1.0."),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0, not 0.0."),
        ({"l2": -1.0}, "--l2 must be 0 or more, not -1.0."),
    ],
)
def test_mistakes_are_one_sentence(flags, said):
    with pytest.raises(UsageError) as refused:
        find("classifier", **flags)
    assert str(refused.value) == said


def test_mistakes_about_the_other_run_are_one_sentence(tmp_path):
    run = written(tmp_path)
    with pytest.raises(UsageError, match="^--unfreeze must be 0 or more, and only given with --start-from, not -1.$"):
        on(run, unfreeze=-1)
    with pytest.raises(UsageError, match="^--unfreeze must be at most 5, the encoder's layers, not 6.$"):
        on(run, unfreeze=6)
    with pytest.raises(UsageError, match="^--start-from .*/nowhere: there is no recipe.json, so it is not a run.*"):
        on(tmp_path / "nowhere")
    gan = written(tmp_path, "dcgan", width=2, latent_dim=4)
    with pytest.raises(UsageError, match=f"^--start-from {gan}: its model has no encoder.$"):
        on(gan, pictures(4, size=32))
    (run / "recipe.json").write_text("{")
    with pytest.raises(UsageError, match=r"recipe.json is not a recipe"):
        on(run)


def test_images_need_classes():
    with pytest.raises(UsageError, match="2 to 256 classes"):
        own(Images(DATA.images, None, ()))


# Trained.


def train(folder, model, **changes):
    small = find(model, **{**CLOCK, **changes})
    return training.train(small, folder / "runs", None)


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    return train(tmp_path_factory.mktemp("autoencoder"), "autoencoder", **ENCODER)


@pytest.fixture(scope="module")
def classifier(autoencoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    return train(folder, "classifier", start_from=autoencoder.run, unfreeze=0, patience=0)


@pytest.mark.slow
def test_a_classifier_takes_the_best_encoder_of_an_autoencoder(autoencoder, classifier):
    theirs = weights(autoencoder.trainer.best_game().encoder)
    assert not any(equal(theirs, weights(on(autoencoder.run).encoder))[::2])
    assert all(equal(weights(classifier.trainer.game.encoder), theirs))  # a linear probe leaves it as it is
    assert all(equal(weights(classifier.trainer.best_game().encoder), theirs))


@pytest.mark.slow
def test_it_can_be_opened_again(classifier):
    again, step = build.reopen(directory.read_recipe(classifier.run), classifier.run)
    assert step == 2
    assert all(equal(weights(again.best_game().classifier), weights(classifier.trainer.best_game().classifier)))


@pytest.mark.slow
def test_a_classifier_takes_all_of_another(classifier):
    fresh = on(classifier.run)
    head = weights(fresh.classifier.get_layer("head"))
    fresh.start_from(classifier.trainer.best_game())
    assert all(equal(weights(fresh.classifier), weights(classifier.trainer.best_game().classifier)))
    assert not any(equal(weights(fresh.classifier.get_layer("head")), head))


@pytest.mark.slow
def test_other_numbers_of_classes_and_other_shapes_are_refused(classifier, autoencoder):
    few = Images(DATA.images[:4], np.int64([0, 1, 0, 1]), ("a", "b"))
    with pytest.raises(UsageError, match="^--start-from: the run has layers of other sizes; classifier can only"):
        on(classifier.run, few).start_from(classifier.trainer.best_game())
    with pytest.raises(UsageError, match="^--start-from: the run has layers of other sizes; encoder can only"):
        own().start_from(autoencoder.trainer.best_game())


DROPPING = {
    "channels": (),
    "kernels": (),
    "strides": (),
    "paddings": (),
    "units": (7, 6),
    "latent_dim": 4,
    "patience": 0,
}


@pytest.fixture
def dropping_run(tmp_path):
    """A run directory of an autoencoder with dropout, as far as its recipe."""
    directory.write_recipe(tmp_path, dataclasses.replace(recipes.find("autoencoder"), **DROPPING))
    return tmp_path


def dropping(run, **changes):
    return dataclasses.replace(recipes.find("classifier"), start_from=run, **changes)


def rates(game):
    return [layer.rate for layer in game.encoder.layers if hasattr(layer, "rate")]


def test_dropout_takes_the_place_of_the_encoders_own(dropping_run):
    own, other, none = (
        dropping(dropping_run, **c).game(DATA) for c in ({}, {"encoder_dropout": 0.5}, {"encoder_dropout": 0.0})
    )
    assert rates(own) == [0.19015, 0.19015] and rates(other) == [0.5, 0.5] and rates(none) == []
    shapes = [[tuple(w.shape) for w in game.encoder.weights] for game in (own, other, none)]
    assert shapes[0] == shapes[1] == shapes[2]  # so that the weights of the run fit
    assert len(weighted_layers(other.encoder)) == 3


def test_dropout_is_active_in_training_alone(dropping_run):
    game = dropping(dropping_run, encoder_dropout=0.5).game(DATA)
    batch = tf.constant(np.float32(DATA.images / 255)), tf.constant(np.int32(DATA.labels))
    losses = []
    for seed in (0, 0, 1):
        with Rng(seed):
            losses.append(float(game.turn(batch)["classifier"]))
    assert losses[0] == losses[1] != losses[2]
    np.testing.assert_array_equal(*(game.measures(batch)["cross_entropy"] for _ in range(2)))


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_dropout_has_no_rate_outside_of_its_range(dropping_run, rate):
    with pytest.raises(UsageError, match=f"--encoder-dropout must be at least 0 and below 1.*not {rate}"):
        dropping(dropping_run, encoder_dropout=rate)


def test_dropout_needs_an_encoder_that_can_drop(tmp_path):
    with pytest.raises(UsageError, match="--encoder-dropout must be .*only given with --start-from"):
        dataclasses.replace(recipes.find("classifier"), encoder_dropout=0.2)
    directory.write_recipe(tmp_path, dataclasses.replace(recipes.find("classifier"), width=2, features=5))
    with pytest.raises(UsageError, match="--encoder-dropout must be left out"):
        dropping(tmp_path, encoder_dropout=0.2).game(DATA)
