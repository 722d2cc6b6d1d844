"""Models made of recipes, by name or by class."""

import keras
import numpy as np
import pytest

import kgen
from kgen.errors import UsageError
from kgen.training.model import create
from tests.helpers.keras_models import PIXELS, networks


def test_the_size_and_the_colours():
    assert kgen.create("dcgan", image_size=32, width=1).game.image_shape == (32, 32, 3)
    assert kgen.create("dcgan", width=1).game.image_shape == (28, 28, 1)
    assert kgen.create("dcgan", image_shape=(64, 64, 1), width=1).game.image_shape == (64, 64, 1)


@pytest.mark.slow
def test_classes_by_number_or_name():
    assert kgen.create("acgan", PIXELS, classes=3, width=2, discriminator_width=2).game.classes == ("0", "1", "2")
    model = kgen.create("acgan", PIXELS, classes=["cat", "dog"], width=2, discriminator_width=2)
    model.fit(PIXELS, np.arange(40) % 2, batch_size=8, verbose=0)
    assert model.sample(4, label=1).shape == (4, 28, 28, 1)


def test_a_class_for_each_recipe():
    assert create.maker("WGANGP").args[0].name == "wgan-gp" and create.maker("VAEGAN").args[0].name == "vae-gan"
    assert create.maker("Nothing") is None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        kgen.Nothing


def test_mistakes_are_sentences():
    with pytest.raises(UsageError, match="has no number 'latent'. Did you mean latent_dim"):
        kgen.create("dcgan", latent=3)
    for given, words in (
        ({"steps_of": 3}, "has no number 'steps_of'"),
        ({"dataset": "mnist"}, "create.. takes no dataset, which is an option of runs"),
        ({"start_from": "runs/x"}, "create.. takes no start_from"),
        ({"classes": 10}, "dcgan learns no classes"),
        ({"image_size": 64, "image_shape": (28, 28, 1)}, r"image_size is \(64, 64\), but the networks or images have"),
        ({"generator": networks()[0], "latent_dim": 100}, "latent_dim is 100, but"),
        ({"images": PIXELS / 255}, "takes images as uint8"),
    ):
        with pytest.raises(UsageError, match=words):
            kgen.create("dcgan", **given, width=1)
    with pytest.raises(UsageError, match="There is no model 'dcgam'"):
        kgen.create("dcgam")


def test_seeds_determine_the_weights():
    one, other, third = (kgen.create("dcgan", width=1, latent_dim=2, seed=seed) for seed in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    assert any((a != b).any() for a, b in zip(one.get_weights(), third.get_weights(), strict=True))


def test_what_is_no_model_of_kgen_is_told(tmp_path):
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    plain.save(tmp_path / "plain.keras")
    with pytest.raises(UsageError, match="is a Sequential, not a model of kgen"):
        kgen.load_model(tmp_path / "plain.keras")
    (tmp_path / "text.keras").write_text("nothing")
    with pytest.raises(UsageError, match="text.keras cannot be loaded"):
        kgen.load_model(tmp_path / "text.keras")
    with pytest.raises(UsageError, match="missing.keras cannot be loaded"):
        kgen.load_model(tmp_path / "missing.keras")


@pytest.mark.parametrize(("name", "classes"), [("gan", ()), ("gan-cifar-dense", ()), ("improved-gan", 3)])
def test_recipes_whose_networks_begin_from_images_ask_for_them(name, classes):
    with pytest.raises(UsageError, match="begin from the training images: give them, as images="):
        kgen.create(name, classes=classes)
