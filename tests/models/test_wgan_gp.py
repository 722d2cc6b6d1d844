"""WGAN-GP: the penalty of critics whose slope is known, the critic's loss by NumPy, networks and recipes."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core import recipe as recipes
from kgen.core.priors import Normal
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.models import wgan_gp
from kgen.models.wgan_gp import WGANGP
from kgen.rng import Rng, current
from tests.helpers.linear_players import REAL, generator, judge, judged, painted, player, rows


def game(critic, penalty=10.0):
    given = {"loss": LOSSES["wasserstein"], "prior": Normal(2), "image_range": images.SYMMETRIC}
    return WGANGP(player(generator()), player(critic), penalty=penalty, **given)


@pytest.mark.parametrize("penalty", [10.0, 0.5])
def test_the_penalty_of_a_linear_critic_is_that_of_its_weights(penalty):
    made = game(judge(), penalty)
    with Rng(3):
        found = made.discriminator_turn(tf.constant(REAL))
    with Rng(3):
        fake = painted(made.generator, made.prior.draw(len(REAL)))
    real_score, fake_score = judged(made.critic, REAL).mean(), judged(made.critic, fake).mean()
    expected = (np.linalg.norm(made.critic.get_weights()[0]) - 1) ** 2
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        {
            "critic": fake_score - real_score + penalty * expected,
            "gradient_penalty": expected,
            "real_score": real_score,
            "fake_score": fake_score,
        },
        rel=1e-4,
    )
    assert set(found) - {"critic"} == set(made.reports)


def test_the_slope_is_taken_between_real_and_generated_images():
    """The slope of half the square of an image is the image itself."""
    image = keras.Input((1, 2, 1))
    flat = keras.layers.Flatten()(image)
    made = game(keras.Model(image, keras.layers.Dot(1)([flat, keras.layers.Rescaling(0.5)(flat)])))
    with Rng(3):
        found = made.discriminator_turn(tf.constant(REAL))["gradient_penalty"]
    with Rng(3):
        fake = painted(made.generator, made.prior.draw(len(REAL)))
        alpha = current().uniform((len(REAL),)).numpy()[:, None]
    between = (1 - alpha) * rows(REAL) + alpha * fake
    assert float(found) == pytest.approx(np.square(np.linalg.norm(between, axis=1) - 1).mean(), rel=1e-4)


@pytest.mark.parametrize("size, doublings", [(28, 3), (32, 3), (64, 4)])
@pytest.mark.parametrize("norm", [False, True])
def test_networks_double_and_halve_from_4x4_maps(size, doublings, norm):
    made = wgan_gp.generator((size, size, 3), 5, 2, norm, "tanh")
    critic = wgan_gp.critic((size, size, 3), 2)
    assert made.output_shape == (None, size, size, 3) and critic.output_shape == (None, 1)
    assert made.layers[1].output.shape == (None, 4 * 4 * 2 * 2 ** (doublings - 1))
    kinds = [type(layer).__name__ for layer in (*made.layers, *critic.layers)]
    assert kinds.count("Conv2DTranspose") == kinds.count("Conv2D") == doublings
    assert kinds.count("BatchNorm") == (doublings if norm else 0)


def test_dense_layers_begin_by_glorot_and_convolutions_by_he():
    """Uniform in +-sqrt(6 / (fan_in + fan_out)), and sqrt 2 as wide."""
    made, critic = wgan_gp.generator((32, 32, 3), 40, 16, False, "tanh"), wgan_gp.critic((32, 32, 3), 16)
    for layer in (*made.layers, *critic.layers):
        if layer.weights:
            shape = layer.kernel.shape
            fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
            limit = math.sqrt((6 if isinstance(layer, keras.layers.Dense) else 12) / fans)
            assert 0.9 * limit < abs(layer.kernel.numpy()).max() <= limit


def test_recipes_are_the_authors():
    mnist, cifar = recipes.find("wgan-gp"), recipes.find("wgan-gp-cifar")
    assert (mnist.penalty, mnist.discriminator_steps, mnist.batch_size, mnist.latent_dim) == (10.0, 5, 50, 128)
    assert (mnist.width, mnist.norm, mnist.pixels) == (64, False, "sigmoid")
    assert (cifar.width, cifar.norm, cifar.pixels, cifar.batch_size) == (128, True, "tanh", 64)
    assert cifar.steps == 200_000
    adam = mnist.adam()
    assert (float(adam.learning_rate), adam.beta_1, adam.beta_2) == (pytest.approx(1e-4), 0.5, 0.9)


@pytest.mark.parametrize("name, value", [("penalty", -1.0), ("width", 0), ("balance", 0.1), ("beta1", 1.0)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name} must be .*, not {value}"):
        dataclasses.replace(recipes.find("wgan-gp"), **{name: value})
