"""The maxout GAN of 2014: sizes of its code, dropout, both players' moves from one pass."""

import dataclasses

import keras
import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.core.game import Player
from kgen.data import Images
from kgen.models import gan_maxout
from kgen.rng import Rng
from kgen.runs import checkpoint
from tests.helpers.recipes import pictures, shrink


@pytest.fixture(scope="module")
def digits():
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (50, 28, 28, 1), np.uint8)
    pixels[:, :4] = 0  # a border that is always black, as in MNIST
    return Images(pixels, None, ())


@pytest.fixture(scope="module")
def game(digits):
    keras.utils.set_random_seed(0)
    return recipes.find("gan").game(digits)


def test_parameter_counts_are_those_of_the_2014_code(game):
    """Same widths as report 003, whose counts are 2,503,984 and 1,231,441."""
    assert game.generator.count_params() == 2_503_984
    assert game.discriminator.count_params() == 1_231_441


def test_the_generator_starts_from_the_mean_image(game, digits):
    with Rng(0):
        made = game.pictures(256).numpy().mean(axis=0)
    mean = (digits.images.mean(axis=0) / 255).clip(0.001, 0.999)
    assert np.abs(made - mean).mean() < 0.05
    bias = game.generator.trainable_variables[-1].numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-bias)), mean.ravel(), rtol=1e-4)


def test_initial_weights_and_prior(game):
    for network, limit in ((game.generator, 0.05), (game.discriminator, 0.005)):
        for kernel in (w.numpy() for w in network.trainable_variables if w.name == "kernel"):
            assert 0.95 * limit < np.abs(kernel).max() <= limit
    with Rng(0):
        z = game.prior.draw(2000).numpy()
    assert z.shape == (2000, 100)
    assert 1.7 < np.abs(z).max() < np.sqrt(3) + 1e-6 and abs(z.std() - 1) < 0.01


def test_dropout_is_active_in_the_generators_move_too(game):
    fake = keras.ops.zeros((4, 28, 28, 1)) + 0.5
    with Rng(1):
        first, second = game.discriminate(fake).numpy(), game.discriminate(fake).numpy()
    assert (first != second).any()
    quiet = [game.discriminator(fake, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)


def test_dropout_keeps_eight_tenths_of_the_inputs_and_half_of_the_hidden_units(game, contrast_game):
    for network in (game.discriminator, contrast_game.discriminator):
        assert [layer.rate for layer in network.layers if hasattr(layer, "rate")] == [0.2, 0.5, 0.5]


def test_both_players_move_from_one_forward_pass(game):
    turns = list(game.play([keras.ops.zeros((4, 28, 28, 1))]))
    assert len(turns) == 1
    with Rng(0):
        losses = turns[0][0](turns[0][1])
    assert set(losses) == {"generator", "discriminator", "real_score", "fake_score"}
    # At the start D(x) is 1/2 whatever x: D's loss is the mean of two log 2, G's is log 2.
    assert float(losses["discriminator"]) == pytest.approx(np.log(2), abs=0.05)
    assert float(losses["generator"]) == pytest.approx(np.log(2), abs=0.05)


def test_a_discriminator_alone_has_the_loss_it_has_in_company():
    own = shrink(recipes.find("gan"), r1=10.0, discriminator_steps=2)
    game = own.game(pictures())
    real = keras.ops.convert_to_tensor(pictures(4).images / np.float32(255))
    (alone, _), (together, _) = game.play([real, real])
    with Rng(3):
        one = alone(real)
    with Rng(3):
        other = together(real)
    assert set(other) - set(one) == {"generator"} and float(one["r1"]) > 0
    np.testing.assert_allclose(one["discriminator"], other["discriminator"], rtol=1e-5)
    with Rng(3):
        real_logits, fake_logits = game.discriminate(real).numpy(), game.discriminate(game.sample(4)).numpy()
    cross_entropy = 0.5 * (np.log1p(np.exp(-real_logits)).mean() + np.log1p(np.exp(fake_logits)).mean())
    np.testing.assert_allclose(one["discriminator"], cross_entropy + 10 * one["r1"], rtol=1e-4)


def test_the_cifar_networks_have_the_sizes_of_the_2014_code(monkeypatch):
    monkeypatch.setattr(
        gan_maxout, "annealed", lambda network, *_: Player(network, None)
    )  # optimizers would be allocated
    with keras.StatelessScope(initialize_variables=False):  # and so would 127 million weights
        game = recipes.find("gan-cifar-dense").game(pictures(channels=3))
    trained = sum(int(np.prod(weight.shape)) for weight in game.generator.trainable_variables)
    assert trained == (100 + 1) * 8000 + (8000 + 1) * 8000 + (8000 + 1) * 3072
    assert game.discriminator.count_params() == (3072 + 1) * 8000 + (1600 + 1) * 8000 + 1600 + 1


@pytest.fixture(scope="module")
def contrast_game():
    keras.utils.set_random_seed(0)
    return shrink(recipes.find("gan-cifar-dense"), generator_width=300).game(pictures(channels=3))


def test_the_cifar_generator_is_rectifiers_sigmoids_and_linear_pixels(contrast_game):
    z = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    first, _, second, _, third, bias = (w.numpy() for w in contrast_game.generator.trainable_variables)
    assert [np.abs(kernel).max().round(2) for kernel in (first, second, third)] == [0.05, 0.05, 0.5]
    assert not bias.any()
    made = 1 / (1 + np.exp(-(np.maximum(z @ first, 0) @ second))) @ third
    np.testing.assert_allclose(contrast_game.generator(z), made.reshape(4, 32, 32, 3), rtol=1e-4, atol=1e-4)
    with Rng(0):
        latents = contrast_game.prior.draw(5000).numpy()
    assert abs((latents**4).mean() - 3) < 0.2  # a normal distribution's; a uniform one's is 1.8


def test_the_cifar_players_see_images_of_norm_55(contrast_game):
    pixels = pictures(6, channels=3).images.reshape(2, 3, 32, 32, 3)
    batches = contrast_game.receive(keras.ops.convert_to_tensor(pixels))
    centred = np.float64(pixels) - pixels.mean(axis=(2, 3, 4), keepdims=True)
    expected = 55 * centred / np.sqrt((centred**2).sum(axis=(2, 3, 4), keepdims=True))
    np.testing.assert_allclose(np.stack(batches), expected, atol=1e-4)


def show(game, normalised):
    """Returns the picture of a generator that always makes the image `normalised`."""
    kernel, bias, _, _ = game.generator.variables[-4:]  # of an average nothing is trainable
    kernel.assign(np.zeros(kernel.shape))
    bias.assign(normalised.ravel())
    with Rng(0):
        return game.pictures(1).numpy()[0]


@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_a_picture_of_average_contrast_looks_as_it_is_also_when_a_run_is_opened_again(ema, tmp_path):
    random = np.random.default_rng(0)
    pixels = random.permuted(np.tile(random.integers(40, 200, (1, 32, 32, 3), np.uint8), (8, 1, 1, 1)), axis=1)
    image = np.float64(pixels[3]) / 255  # all images have its mean and its norm
    normalised = 55 * (image - image.mean()) / np.linalg.norm(image - image.mean())
    own = shrink(recipes.find("gan-cifar-dense"))
    trainer = BaseTrainer(own.game(Images(pixels, None, ())), ema=ema)
    np.testing.assert_allclose(show(trainer.best_game(), normalised), image, atol=1e-5)

    checkpoint.save(trainer, tmp_path, 1)
    opened = BaseTrainer(
        own.game(Images(np.zeros((1, 32, 32, 3), np.uint8), None, ())), ema=ema
    )  # its images are not known
    checkpoint.restore(opened, tmp_path)
    with Rng(0):
        np.testing.assert_allclose(opened.best_game().pictures(1)[0], image, atol=1e-5)


@pytest.mark.parametrize("name", ["gan", "gan-cifar-dense"])
def test_zero_units_are_refused(name):
    for field in ("latent_dim", "generator_width", "discriminator_units", "pieces"):
        with pytest.raises(Exception, match=f"--{field.replace('_', '-')} must be at least 1"):
            dataclasses.replace(recipes.find(name), **{field: 0})
