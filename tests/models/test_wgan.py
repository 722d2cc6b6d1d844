"""WGAN on linear networks: the critic's estimate and the generator's loss by NumPy; the critic alone is clipped."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kgen import images, optimizers
from kgen.core import recipe as recipes
from kgen.core.priors import Normal
from kgen.core.update_rules import CriticFirst
from kgen.errors import UsageError
from kgen.losses.adversarial import LOSSES
from kgen.models.wgan import WGAN
from kgen.rng import Rng
from tests.helpers.linear_players import REAL, generator, judge, judged, painted, player


def game(clip=0.1, warm_up=0, **rules):
    given = {"loss": LOSSES["wasserstein"], "prior": Normal(2), "image_range": images.SYMMETRIC, **rules}
    return WGAN(player(generator()), player(judge()), clip=clip, warm_up=warm_up, **given)


def scores_by_hand(made, seed):
    with Rng(seed):
        fake = painted(made.generator, made.prior.draw(len(REAL)))
    return judged(made.critic, REAL).mean(), judged(made.critic, fake).mean()


def test_losses_are_differences_of_means():
    made = game()
    with Rng(3):
        found = made.discriminator_turn(tf.constant(REAL))
    real, fake = scores_by_hand(made, 3)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        {"critic": fake - real, "real_score": real, "fake_score": fake}, rel=1e-5
    )
    with Rng(3):
        assert float(made.generator_turn(tf.constant(REAL))["generator"]) == pytest.approx(-fake, rel=1e-5)


def test_the_critics_weights_are_clipped_after_its_step_and_the_generators_are_not():
    made = game(clip=0.1)
    made.critic.set_weights([np.float32([[0.05], [-3.0]]), np.float32([0.3])])
    made.move("critic", [tf.constant([[0.02], [1.0]]), tf.constant([1.0])])  # the rate is 0.5
    kernel, bias = made.critic.get_weights()
    np.testing.assert_allclose(kernel.ravel(), [0.04, -0.1], rtol=1e-5)
    np.testing.assert_allclose(bias, [-0.1], rtol=1e-5)
    before = made.generator.get_weights()
    made.move("generator", [tf.ones((2, 2)), tf.ones(2)])
    for was, found in zip(before, made.generator.get_weights(), strict=True):
        np.testing.assert_allclose(found, was - 0.5, rtol=1e-5)
    assert max(np.abs(weight).max() for weight in made.generator.get_weights()) > 0.1


@pytest.mark.parametrize("warm_up, waits", [(0, False), (5, False), (6, True), (100, True)])
def test_the_generator_waits_where_the_warm_up_is_longer_than_a_step(warm_up, waits):
    rule = game(warm_up=warm_up, discriminator_steps=5).update_rule
    assert isinstance(rule, CriticFirst) if waits else rule is None


def test_the_recipe_is_the_papers():
    own = recipes.find("wgan")
    assert (own.clip, own.discriminator_steps, own.generator_steps, own.learning_rate) == (0.01, 5, 1, 5e-5)
    assert own.warm_up == 100 and isinstance(own.rmsprop(), optimizers.RMSprop)


@pytest.mark.parametrize("name, value", [("clip", 0.0), ("warm_up", -1), ("balance", 0.1)])
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        dataclasses.replace(recipes.find("wgan"), **{name: value})
