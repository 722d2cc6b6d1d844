"""Student report 000: what its recipe is, its listing, and what it tried."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.augmentation.affine import flipped
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.rng import Rng
from tests.helpers.acai import DATA, game, tiny
from tests.helpers.recipes import pictures

NAME = "acai-report000"
IMAGES = np.random.default_rng(0).uniform(0, 1, (6, 16, 16, 1)).astype(np.float32)


def test_the_reports_recipe_is_what_it_says():
    report = recipes.find("acai-report000")
    assert (report.loss, report.initial, report.spectral_norm) == ("bce", "uniform", True)
    assert (report.extra_critic_steps, report.flip, report.weight, report.gamma) == (1, True, 0.5, 0.2)
    keras.utils.set_random_seed(0)
    made = report.game(pictures(2, channels=3))
    assert (made.batches, made.flip, made.weight, made.gamma) == (2, True, 0.5, 0.2)
    assert (made.range.low, made.range.high) == (0.0, 1.0)
    for layer in made.encoder.layers:
        if layer.weights:  # PyTorch's U(-1, 1) / sqrt(fan), biases too
            limit = 1 / np.sqrt(np.prod(layer.kernel.shape[:-1]))
            assert 0.85 * limit < np.abs(layer.kernel).max() <= limit
            assert 0.5 * limit < np.abs(layer.bias).max() <= limit


# The listing.


def test_the_listing_has_a_border_around_the_first_convolution_and_a_slope_of_a_hundredth():
    keras.utils.set_random_seed(0)
    made = dataclasses.replace(recipes.find(NAME), slope=0.01, border=1).game(pictures(2, channels=3))
    for network in (made.encoder, made.critic.get_layer("encoder")):
        maps = [layer.output.shape[1] for layer in network.layers if layer.weights]
        pooled = [layer.output.shape[1] for layer in network.layers if "pool" in layer.name]
        assert pooled == [17, 8, 4] and maps == [34] * 3 + [17] * 2 + [8] * 2 + [4] * 2
        slopes = {layer.negative_slope for layer in network.layers if isinstance(layer, keras.layers.LeakyReLU)}
        assert slopes == {0.01}
    assert made.encoder.output_shape == (None, 256)
    assert sum(int(np.prod(weight.shape)) for weight in made.encoder.trainable_variables) == 166_320


def test_the_border_of_the_first_maps_holds_the_bias_alone():
    made = game(NAME, data=pictures(6, size=16), border=1, latent_width=4)
    first = next(layer for layer in made.encoder.layers if isinstance(layer, keras.layers.Conv2D))
    seen = keras.Model(made.encoder.input, first.output)(IMAGES).numpy()
    inner = IMAGES @ first.kernel.numpy()[0, 0] + first.bias.numpy()
    np.testing.assert_allclose(seen[:, 1:-1, 1:-1], inner, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen[:, 0], np.broadcast_to(first.bias, seen[:, 0].shape), rtol=1e-6)


def test_a_border_that_would_make_larger_maps_of_the_code_is_refused():
    with pytest.raises(UsageError, match="^--border 2 would change the size of the code's maps: give at most 1 with"):
        tiny(NAME, border=2).game(DATA)
    assert tiny(NAME, border=1).game(DATA).encoder.output_shape == (None, 12)


# Hidden layers and pixels.


def test_hidden_layers_may_be_tanh():
    made = game(NAME, activation="tanh")
    for network in (made.encoder, made.decoder, made.critic.get_layer("encoder")):
        assert not [layer for layer in network.layers if isinstance(layer, keras.layers.LeakyReLU)]
        assert len([layer for layer in network.layers if "activation" in layer.name]) >= 5


def test_tanh_pixels_lie_between_minus_one_and_one():
    made = game(NAME, loss="tanh", scale=20)
    codes = np.random.default_rng(0).normal(size=(4, 12)).astype(np.float32)
    numbers = made.decoder(codes).numpy()
    assert (np.abs(numbers) > 1).any() and (made.range.low, made.range.high) == (-1.0, 1.0)
    np.testing.assert_allclose(made.painter()(codes), np.tanh(numbers), rtol=1e-4, atol=1e-5)
    real = np.full(numbers.shape, 0.5, np.float32)
    assert float(made.pixels.error(real, numbers)) == pytest.approx(np.square(real - np.tanh(numbers)).mean(), rel=1e-4)


# Augmentation.


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_random_crops_are_moves_with_black_behind(loss):
    made = game(NAME, data=pictures(6, size=16), loss=loss, flip=False, random_crop=True)
    low = made.range.low
    real = np.random.default_rng(1).uniform(0.25, 1, (200, 16, 16, 1)).astype(np.float32)
    with Rng(0):
        seen = made.changed(tf.constant(real)).numpy()
    padded = np.pad(real, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=low)
    places = set()
    for image, around in zip(seen, padded, strict=True):
        found = [
            (i, j) for i in range(5) for j in range(5) if np.allclose(around[i : i + 16, j : j + 16], image, atol=1e-6)
        ]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) == 25


def test_noise_is_in_what_reconstructions_are_compared_with():
    made = game(NAME, loss="mse", flip=False, noise="uniform:0.1")
    real = tf.constant(np.random.default_rng(1).uniform(-0.5, 0.5, (50, 8, 8, 1)).astype(np.float32))
    with Rng(0):
        change = (made.changed(real) - real).numpy()
    assert 0.098 < np.abs(change).max() <= 0.1001  # .05 of [0, 1] is .1 of [-1, 1]
    assert abs(change.std() - 0.2 / np.sqrt(12)) < 0.002


def test_without_crops_and_noise_images_are_mirrored_as_before():
    made = game(NAME)
    with Rng(4):
        seen = made.changed(tf.constant(IMAGES))
    with Rng(4):
        np.testing.assert_array_equal(seen, flipped(tf.constant(IMAGES)))


# Optimizers.


def test_the_critic_may_be_moved_by_gradient_descent():
    made = game(NAME, critic_sgd=0.03)
    assert type(made.players["critic"].optimizer) is keras.optimizers.SGD
    assert float(made.players["critic"].optimizer.learning_rate) == pytest.approx(0.03)
    assert float(made.players["critic"].optimizer.momentum) == 0
    assert type(made.players["autoencoder"].optimizer) is keras.optimizers.Adam
    assert type(game(NAME).players["critic"].optimizer) is keras.optimizers.Adam


def test_weight_decay_is_of_both_players_and_moves_weights():
    made = {l2: game(NAME, l2=l2, critic_sgd=0.1) for l2 in (0.0, 0.5)}
    assert [player.l2 for player in made[0.5].players.values()] == [0.5, 0.5]
    start, moved = made[0.0].critic.trainable_variables[0].numpy(), []
    for each in made.values():
        trainer = BaseTrainer(each, seed=3)
        trainer.compile(run_eagerly=True)
        rows = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 8, 1), np.uint8)
        trainer.train_step(tf.constant(rows[: each.batches]))
        moved.append(each.critic.trainable_variables[0].numpy() - start)
    assert np.abs(moved[1] - moved[0]).max() > 1e-3


@pytest.mark.parametrize("name, value", [("slope", -0.1), ("border", -1), ("l2", -1e-5), ("critic_sgd", -0.1)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be 0 or more, not {value}"):
        tiny(NAME, **{name: value})


def test_a_noise_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="--noise: there is no noise 'gaussian'"):
        tiny(NAME, noise="gaussian:0.1")
