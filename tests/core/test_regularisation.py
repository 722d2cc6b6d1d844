"""Regularisation of discriminators: each penalty by hand, what is remembered, who is refused."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kgen.augmentation import diffaugment
from kgen.backend import keras
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.core.regularisation import Discriminated
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.rng import Rng
from kgen.runs import checkpoint
from tests.helpers import two_devices
from tests.helpers.recipes import fit, pictures, shrink

IMAGES = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)), tf.float32)
EVERYTHING = {"lecam": 0.3, "ada": 0.6, "r1": 0.1, "augment": "color,translation"}
LABELLED = ("acgan", "improved-gan", "sngan-projection")


def game_of(name="dcgan", **changes):
    keras.utils.set_random_seed(0)
    return shrink(recipes.find(name), **changes).game(pictures(size=28))


def turn(game, name):
    """Returns the values of a discriminator's turn on `IMAGES`."""
    labels = tf.constant([1, 2, 3, 4])
    with Rng(0):
        return game.discriminator_turn((IMAGES, labels) if name in LABELLED else IMAGES)


def test_r1_is_the_slope_at_each_image_alone_and_moves_no_statistics():
    """With the statistics of a batch, batch norm would put a part of the slope across images."""
    keras.utils.set_random_seed(1)
    game = shrink(dataclasses.replace(recipes.find("dcgan"), r1=2.0)).game(pictures())
    assert any("batch_norm" in layer.name for layer in game.discriminator.layers)
    real = tf.constant(np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 1)), tf.float32)
    before = [np.copy(w) for w in game.discriminator.get_weights()]
    with Rng(0):
        found = game.regularised({"discriminator": tf.constant(1.0)}, Discriminated(real, None), None)
    squares = []
    for image in real:
        with tf.GradientTape() as tape:
            tape.watch(image)
            logit = game.discriminator(image[None], training=False)
        squares.append(float(tf.reduce_sum(tape.gradient(logit, image) ** 2)))
    np.testing.assert_allclose(found["r1"], 0.5 * np.mean(squares), rtol=1e-4)
    np.testing.assert_allclose(found["discriminator"], 1 + 2 * found["r1"], rtol=1e-6)
    assert all(map(np.array_equal, before, game.discriminator.get_weights()))


def test_lecam_pulls_each_kind_to_the_average_of_the_other():
    game = game_of(lecam=0.5)
    real, fake = np.random.default_rng(1).normal(size=(2, 4, 1))
    values = {"discriminator": tf.constant(1.0)}
    discriminated = [Discriminated(IMAGES, tf.constant(logits, tf.float32)) for logits in (real, fake)]
    found = game.regularised(values, *discriminated)  # at the first update the averages are the means themselves
    expected = np.mean((real - fake.mean()) ** 2) + np.mean((fake - real.mean()) ** 2)
    np.testing.assert_allclose(found["lecam"], expected, rtol=1e-5)
    np.testing.assert_allclose(found["discriminator"], 1 + 0.5 * expected, rtol=1e-5)
    second = game.regularised(values, discriminated[1], discriminated[0])  # then both averages lie in the middle
    middle = (real.mean() + fake.mean()) / 2
    np.testing.assert_allclose(
        second["lecam"], np.mean((real - middle) ** 2) + np.mean((fake - middle) ** 2), rtol=1e-5
    )


def test_bcr_compares_an_image_with_itself_augmented(monkeypatch):
    game, shown = game_of(bcr_real=10.0, bcr_fake=5.0, augment="cutout"), []

    monkeypatch.setitem(diffaugment.POLICIES, "cutout", tf.zeros_like)
    ask = game.discriminate
    monkeypatch.setattr(game, "discriminate", lambda x, training: shown.append(x.numpy()) or ask(x, training=training))
    real, fake = np.random.default_rng(1).normal(size=(2, 4, 1))
    discriminated = [
        Discriminated(images, tf.constant(logits, tf.float32)) for images, logits in ((IMAGES, real), (-IMAGES, fake))
    ]
    with Rng(0):
        found = game.regularised({"discriminator": tf.constant(1.0)}, *discriminated)
        dark = ask(tf.zeros_like(IMAGES)).numpy()
    assert len(shown) == 2 and not np.any(shown)
    expected = [np.mean((logits - dark) ** 2) for logits in (real, fake)]
    np.testing.assert_allclose([found["bcr_real"], found["bcr_fake"]], expected, rtol=1e-4)
    np.testing.assert_allclose(found["discriminator"], 1 + 10 * expected[0] + 5 * expected[1], rtol=1e-4)


def test_with_bcr_the_losses_see_images_as_they_are():
    with Rng(0):
        np.testing.assert_array_equal(game_of(bcr_real=1.0, augment="color").seen(IMAGES), IMAGES)
        assert np.abs(game_of(augment="color").seen(IMAGES) - IMAGES).max() > 0.1


def test_ada_augments_with_the_probability_that_it_remembers():
    game = game_of(ada=0.6, augment="color")
    with Rng(0):
        np.testing.assert_array_equal(game.seen(IMAGES), IMAGES)
    game.kept["adaptive"].probability.assign(1.0)
    with Rng(0):
        assert np.all(np.abs(game.seen(IMAGES) - IMAGES).max(axis=(1, 2, 3)) > 0.01)


@pytest.mark.parametrize(
    "name, loss, border", [("dcgan", "non_saturating", 0.0), ("dcgan", "hinge", 0.0), ("dcgan", "least_squares", 0.5)]
)
def test_the_border_of_a_verdict_is_that_of_the_loss(name, loss, border):
    logits = tf.constant([[border - 0.01], [border + 0.01]])
    np.testing.assert_array_equal(np.sign(game_of(name, loss=loss).centred_scores(logits)), [[-1], [1]])


@pytest.mark.parametrize("name", ["gan", "acgan", "improved-gan", "infogan", "sngan-projection"])
def test_every_kind_of_discriminator_has_one_logit_for_each_image(name):
    game = game_of(name, bcr_real=1.0, bcr_fake=1.0, lecam=1.0, augment="color")
    given = (tf.constant([1, 2, 3, 4]),) if name == "sngan-projection" else ()
    plain, values = turn(game_of(name), name), turn(game, name)
    with Rng(0):
        assert tf.size(game.logit(IMAGES, *given)) == 4
    assert all(float(values[penalty]) > 0 for penalty in ("bcr_real", "bcr_fake", "lecam"))
    total = float(plain["discriminator"]) + sum(float(values[each]) for each in ("bcr_real", "bcr_fake", "lecam"))
    if name not in ("gan", "acgan"):  # these have dropout, so other numbers are drawn
        assert float(values["discriminator"]) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name, changes", [("wgan", {}), ("wgan-gp", {}), ("dcgan", {"loss": "wasserstein"})])
def test_critics_have_no_verdict_to_adapt_to(name, changes):
    with pytest.raises(UsageError, match="^--ada must be 0: the outputs of this loss do not say"):
        game_of(name, ada=0.6, augment="color", **changes)


def test_a_critics_loss_that_comes_later_is_refused_too():
    game = game_of(ada=0.6, augment="color")
    game.loss = LOSSES["wasserstein"]
    with pytest.raises(UsageError, match="^--ada must be 0"):
        turn(game, "dcgan")


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"ada": 0.6}, "--augment must be given with"),
        ({"bcr_fake": 1.0}, "--augment must be given with"),
        ({"ada": 0.6, "bcr_real": 1.0, "augment": "color"}, "--ada must be 0 with --bcr-real"),
        ({"ada": 1.0, "augment": "color"}, "--ada must be at least 0 and below 1"),
        ({"lecam": -0.1}, "--lecam must be 0 or more"),
        ({"bcr_real": -0.1}, "--bcr-real must be 0 or more"),
    ],
)
def test_flags_that_do_not_fit_are_refused(changes, sentence):
    with pytest.raises(UsageError, match=f"^{sentence}"):
        dataclasses.replace(recipes.find("dcgan"), **changes)


def test_recipes_without_a_discriminator_of_images_have_no_such_flag():
    flags = {"augment", "r1", "lecam", "bcr_real", "bcr_fake", "ada"}
    for name, recipe in recipes.all_recipes().items():
        found = flags & {field.name for field in dataclasses.fields(recipe)}
        assert found in (set(), flags), name
        assert bool(found) == hasattr(recipe, "rules"), name
    assert not hasattr(recipes.find("vae"), "ada") and not hasattr(recipes.find("adversarial-autoencoder"), "ada")


def trainer():
    keras.utils.set_random_seed(0)
    made = BaseTrainer(shrink(recipes.find("dcgan"), **EVERYTHING).game(pictures()))
    made.game.kept["adaptive"].images = 64  # so that the probability moves in a few steps
    made.compile()
    return made


@pytest.mark.slow
def test_a_resumed_trainer_goes_on_exactly(tmp_path):
    straight, first, second = trainer(), trainer(), trainer()
    fit(straight, 0, 10)
    fit(first, 0, 6)
    checkpoint.save(first, tmp_path, 6)
    assert checkpoint.restore(second, tmp_path) == 6
    fit(second, 6, 10)
    expected, found = checkpoint.variables(straight), checkpoint.variables(second)
    assert {"averages/000.real", "averages/001.fake", "adaptive/000.probability"} <= found.keys()
    assert all(np.array_equal(expected[key].numpy(), found[key].numpy()) for key in expected)
    assert 0 < float(found["adaptive/000.probability"].numpy()) or float(found["adaptive/001.signs"].numpy())
    assert float(found["averages/002.updates"].numpy()) == 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan-ada", "dcgan-bcr"])
def test_two_devices_see_the_whole_batch(name):
    found = two_devices.measured(2, 5, name)[name]
    kept = [key for key in found if key.startswith(("averages/", "adaptive/"))]
    assert len(kept) == (6 if name == "dcgan-ada" else 3)
    compared = {key: value for key, value in found.items() if "_optimizer/" not in key and "_norm" not in key}
    assert {key: value for key, value in compared.items() if value > 1e-5} == {}
