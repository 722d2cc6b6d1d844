"""The games of report 002: networks, features, clipping, mixed images, what is refused."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.models.improved_gan import KPlusOneGAN
from kgen.models.reports import report002
from kgen.models.wgan import WGAN
from kgen.rng import Rng
from tests.helpers.recipes import pictures, shrink

NAMES = sorted(report002.RECIPES)


def small(name, **changes):
    return dataclasses.replace(shrink(recipes.find(name)), **changes).game(pictures(size=28))


def test_games_are_the_reports():
    simple, wasserstein, classes = (small(f"{kind}-report002") for kind in ("gan", "wgan", "improved-gan"))
    assert simple.discriminator.output_shape == (None, 1) and simple.loss.score is not None
    assert isinstance(wasserstein, WGAN) and wasserstein.discriminator_steps == 5 and wasserstein.batches == 5
    assert wasserstein.update_rule is None  # no lead of 100 steps
    assert isinstance(classes, KPlusOneGAN) and classes.real_target == 1 and classes.feature_matching == 0
    assert [shape for shape in classes.discriminator.output_shape] == [(None, 11), (None, 57)]
    assert classes.update_rule is not None  # the losses are kept close


def test_features_are_the_hidden_layer():
    judge = small("improved-gan-report002", minibatch_kernels=0).discriminator
    x = tf.constant(np.random.default_rng(0).uniform(size=(3, 28, 28, 1)), tf.float32)
    logits, features = judge(x)
    kernel, bias = judge.get_weights()[-2:]
    np.testing.assert_allclose(logits, features @ kernel + bias, atol=1e-5)
    assert (features.numpy() >= 0).all() and (features.numpy() > 0).any()


def test_minibatch_discrimination_lets_images_see_their_batch_mates():
    x = tf.constant(np.random.default_rng(0).uniform(size=(3, 28, 28, 1)), tf.float32)
    for kernels, parameters in ((0, 0), (7, 57 * 7 * 5 + 7 + 7 * 11)):
        judge = small("improved-gan-report002", minibatch_kernels=kernels).discriminator
        assert judge.count_params() == 99_488 + 5 * 57 + 5 + parameters
        apart = np.abs(judge(x)[0][:1] - judge(x[:1])[0]).max()
        assert (apart > 1e-3) == bool(kernels)


def test_all_weights_of_the_critic_are_clipped():
    game = small("wgan-report002", clip=0.03)
    assert max(np.abs(w).max() for w in game.critic.get_weights()) > 0.4
    for optimizer in (player.optimizer for player in game.players.values()):
        optimizer.build(game.critic.trainable_variables)
    game.move("critic", [tf.zeros_like(w) for w in game.critic.trainable_variables])
    assert len(game.critic.get_weights()) == 10
    for weight in game.critic.get_weights():
        assert np.abs(weight).max() <= np.float32(0.03)


@pytest.mark.parametrize("mixing", ["concatenate", "product", "sum"])
def test_mixings(mixing):
    """The first hidden layer, linear in the code, tells what the code is made of."""
    keras.utils.set_random_seed(0)
    network = report002.named_decoder((28, 28, 1), 10, 4, mixing)
    embedding, kernel, bias = network.get_weights()[:3]
    assert embedding.shape == (10, 4) and kernel.shape == (8 if mixing == "concatenate" else 4, 57)
    z, labels = np.random.default_rng(0).normal(size=(3, 4)), np.array([0, 7, 9])
    named = embedding[labels]
    code = {"concatenate": np.concatenate([named, z], axis=1), "product": named * z, "sum": named + z}[mixing]
    hidden = keras.Model(network.inputs, next(la for la in network.layers if isinstance(la, keras.layers.Dense)).output)
    np.testing.assert_allclose(hidden([np.float32(z), labels]), code @ kernel + bias, atol=1e-5)


def test_the_embedding_is_as_large_as_z():
    keras.utils.set_random_seed(0)
    embedding = report002.named_decoder((28, 28, 1), 10, 100, "sum").get_weights()[0]
    assert abs(embedding.std() - 1) < 0.1


def test_dropout_is_the_discriminators_alone():
    game = small("gan-report002")
    with Rng(0):
        z = game.prior.draw(3)
        made = [game.generator(z, training=training).numpy() for training in (True, False)]
        seen = [game.discriminator(made[0], training=training).numpy() for training in (True, False)]
    np.testing.assert_array_equal(*made)
    assert not np.array_equal(*seen)


@pytest.mark.parametrize("name", NAMES)
def test_other_sizes_are_refused(name):
    with pytest.raises(UsageError, match="28, 32 pixels, not 64x64"):
        shrink(recipes.find(name)).game(pictures(size=64))


def test_a_balanced_critic_is_refused():
    with pytest.raises(UsageError, match="--balance must be 0, since"):
        dataclasses.replace(recipes.find("wgan-report002"), balance=0.1)
