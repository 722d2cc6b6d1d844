"""What a trainer was made of, as a file keeps it."""

import json

import keras
import numpy as np
import pytest

import kgen
from kgen.core.priors import Uniform
from kgen.errors import UsageError
from kgen.training.model.origin import Origin
from tests.helpers.keras_models import gan, networks


def test_the_configuration_is_json_and_makes_an_equal_one():
    model = gan(latent_dim=16)
    config = json.loads(json.dumps(model.get_config()))
    again = Origin.from_config(config)
    assert again.recipe == model.origin.recipe and again.shape == (28, 28, 1)
    assert set(again.networks) == {"generator", "discriminator"}
    made = again.build(kgen.Trainer, np.zeros((1, 28, 28, 1), np.uint8))
    assert [w.shape for w in made.weights] == [w.shape for w in model.weights]


@keras.saving.register_keras_serializable("tests")
class Shift(keras.layers.Layer):
    """A layer of the user's own."""

    def call(self, x):
        return x + 0.0


def test_registered_layers_of_the_user_are_kept(tmp_path):
    generator, discriminator = networks()
    wrapped = keras.Sequential([*discriminator.layers, Shift()])
    wrapped.build((None, 28, 28, 1))
    model = kgen.DCGAN(generator=generator, discriminator=wrapped)
    model.save(tmp_path / "x.keras")
    assert isinstance(kgen.load_model(tmp_path / "x.keras").discriminator.layers[-1], Shift)


def test_a_prior_of_the_user_is_drawn_from_and_kept(tmp_path):
    model = gan(prior=Uniform(16, limit=2.0))
    model.save(tmp_path / "x.keras")
    loaded = kgen.load_model(tmp_path / "x.keras")
    assert loaded.game.prior == model.game.prior == Uniform(16, limit=2.0)
    assert (loaded.sample(2, seed=3) == model.sample(2, seed=3)).all()
    assert (gan().sample(2, seed=3) != model.sample(2, seed=3)).any()


def test_a_prior_that_does_not_fit_is_told():
    with pytest.raises(UsageError, match="draws codes of 5 numbers, and the networks take 16"):
        gan(prior=Uniform(5))
    with pytest.raises(UsageError, match="draws no codes"):
        kgen.create("acai", image_shape=(32, 32, 1), depth=2, prior=Uniform(5))


def test_a_prior_of_another_class_is_not_kept(tmp_path):
    class Ones:
        size = 16

        def draw(self, count):
            return keras.ops.ones((count, 16))

    with pytest.raises(UsageError, match="is not kept in a file"):
        gan(prior=Ones()).save(tmp_path / "x.keras")
