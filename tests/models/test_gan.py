import keras
import numpy as np
import pytest

from kgen import recipe
from kgen.data import Images
from kgen.dice import Dice


@pytest.fixture(scope="module")
def digits():
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (50, 28, 28, 1), np.uint8)
    pixels[:, :4] = 0  # a border that is always black, as in MNIST
    return Images(pixels, None, ())


@pytest.fixture(scope="module")
def game(digits):
    keras.utils.set_random_seed(0)
    return recipe.find("gan").game(digits)


def test_parameter_counts_are_those_of_the_2014_code(game):
    """Same widths as report 003, whose counts are 2,503,984 and 1,231,441."""
    assert game.generator.count_params() == 2_503_984
    assert game.discriminator.count_params() == 1_231_441


def test_the_generator_starts_from_the_mean_image(game, digits):
    with Dice(0):
        made = game.pictures(256).numpy().mean(axis=0)
    mean = (digits.images.mean(axis=0) / 255).clip(0.001, 0.999)
    assert np.abs(made - mean).mean() < 0.05
    bias = game.generator.trainable_variables[-1].numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-bias)), mean.ravel(), rtol=1e-4)


def test_initial_weights_and_prior(game):
    for network, limit in ((game.generator, 0.05), (game.discriminator, 0.005)):
        for kernel in (w.numpy() for w in network.trainable_variables if w.name == "kernel"):
            assert 0.95 * limit < np.abs(kernel).max() <= limit
    with Dice(0):
        z = game.prior.draw(2000).numpy()
    assert z.shape == (2000, 100)
    assert 1.7 < np.abs(z).max() < np.sqrt(3) + 1e-6 and abs(z.std() - 1) < 0.01


def test_dropout_is_active_in_the_generators_move_too(game):
    fake = keras.ops.zeros((4, 28, 28, 1)) + 0.5
    with Dice(1):
        first, second = game.judge(fake).numpy(), game.judge(fake).numpy()
    assert (first != second).any()
    quiet = [game.discriminator(fake, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)


def test_both_players_move_from_one_forward_pass(game):
    turns = list(game.play([keras.ops.zeros((4, 28, 28, 1))]))
    assert len(turns) == 1
    with Dice(0):
        losses = turns[0][0](turns[0][1])
    assert set(losses) == {"generator", "discriminator"}
    # At the start D(x) is 1/2 whatever x: D's loss is the mean of two log 2, G's is log 2.
    assert float(losses["discriminator"]) == pytest.approx(np.log(2), abs=0.05)
    assert float(losses["generator"]) == pytest.approx(np.log(2), abs=0.05)
