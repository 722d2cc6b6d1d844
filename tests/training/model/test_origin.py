"""What a trainer was made of, as a file keeps it."""

import json

import keras
import numpy as np

import kgen
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
