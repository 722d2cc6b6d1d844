"""What a .keras file keeps."""

import keras
import numpy as np
import pytest

import kgen
from tests.helpers.keras_models import PIXELS, networks, same


def dropping():
    """Returns a GAN whose discriminator has Keras's own Dropout."""
    layers = keras.layers
    discriminator = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dropout(0.5, seed=3), layers.Dense(1)]
    )
    return kgen.DCGAN(generator=networks()[0], discriminator=discriminator)


def test_the_seeds_of_layers_of_keras_are_kept(tmp_path):
    model = dropping()
    model.fit(PIXELS, batch_size=20, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = kgen.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(PIXELS, batch_size=20, verbose=0)
    assert same(model, loaded)


def test_metrics_and_files_are_kept(tmp_path):
    model = dropping()
    model.compile(metrics=["mmd", keras.metrics.MeanSquaredError(name="error")], classifier="runs/x")
    model.save(tmp_path / "model.keras")
    found = kgen.load_model(tmp_path / "model.keras").measures
    assert found.names == ["mmd"] and [each.name for each in found.of_keras] == ["error"]
    assert found.classifier == "runs/x" and found.inception is None


@pytest.mark.parametrize("loss", ["hinge", "minimax"])
def test_the_loss_is_kept(loss, tmp_path):
    model = dropping()
    model.compile(loss=loss, optimizer=keras.optimizers.Lion(3e-4))
    model.save(tmp_path / "model.keras")
    loaded = kgen.load_model(tmp_path / "model.keras")
    assert loaded.get_compile_config()["loss"] == loss
    assert isinstance(loaded.generator_optimizer, keras.optimizers.Lion)
    assert np.isclose(float(loaded.generator_optimizer.learning_rate), 3e-4)


@pytest.mark.slow
def test_what_a_game_keeps_goes_on(tmp_path):
    small = {"width": 2, "latent_dim": 4, "batch_size": 8, "lecam": 0.3, "ada": 0.5, "augment": "cutout"}
    model = kgen.create("dcgan", PIXELS, **small)
    model.fit(PIXELS, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = kgen.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(PIXELS, verbose=0)
    assert same(model, loaded)
    mine, theirs = (
        [v.numpy() for layer in each.game.kept.values() for v in layer.variables] for each in (model, loaded)
    )
    assert mine == theirs and mine[2] == 10  # updates of the averages, two epochs of five batches


def test_rates_that_depend_on_the_number_of_images_go_on(tmp_path):
    small = {"generator_width": 8, "discriminator_units": 4, "pieces": 2, "latent_dim": 4, "batch_size": 8}
    model = kgen.create("gan", PIXELS, **small)
    assert model.generator_optimizer.get_config()["end"] == 250 * 5  # epochs of five batches
    model.fit(PIXELS, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = kgen.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(PIXELS, verbose=0)
    assert same(model, loaded)
