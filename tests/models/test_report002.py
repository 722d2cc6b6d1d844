import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import pictures, shrink

from kgen import recipe
from kgen.dice import Dice
from kgen.errors import UsageError
from kgen.mirrored import decoder, encoder
from kgen.models import report002
from kgen.models.improved_gan import KPlusOneGAN
from kgen.models.report002 import PLAN
from kgen.models.wgan import WGAN

NAMES = sorted(report002.RECIPES)


def maps(network):
    """Returns the sizes of the maps, in order and without repetitions."""
    shapes = [layer.output.shape[1:] for layer in network.layers if len(layer.output.shape) == 4]
    return list(dict.fromkeys(shapes))


def test_parameter_counts_are_those_of_the_reports_autoencoder():
    assert encoder((28, 28, 1), PLAN, 6, 0.19015).count_params() == 99_488
    assert decoder((28, 28, 1), PLAN, 6, squash="sigmoid").count_params() == 101_166


def test_maps_are_the_reports():
    inward, outward = encoder((28, 28, 1), PLAN, 6), decoder((28, 28, 1), PLAN, 6, squash="sigmoid")
    assert maps(inward) == [(28, 28, 1), (30, 30, 1), (29, 29, 6), (28, 28, 12), (30, 30, 12), (10, 10, 17)]
    padded = [(30, 30, 12), (28, 28, 12), (29, 29, 6), (30, 30, 1), (28, 28, 1)]
    assert maps(outward) == [(10, 10, 17), *padded]


def tail(network, kind):
    """Returns the part of a network behind its first layer of a kind."""
    start = next(layer for layer in network.layers if isinstance(layer, kind))
    return keras.Model(start.output, network.output)


def by_loops(x, kernel, bias, stride, crop):
    """A transposed convolution: each input pixel adds its kernel to the output; then the border is cut off."""
    height, k = x.shape[0], kernel.shape[0]
    full = np.zeros((stride * (height - 1) + k,) * 2 + (kernel.shape[2],)) + bias
    for i in range(height):
        for j in range(height):
            full[stride * i : stride * i + k, stride * j : stride * j + k] += kernel @ x[i, j]
    first, last = crop
    return full[first : len(full) - last, first : len(full) - last]


@pytest.mark.parametrize("size, start, crop", [(28, 10, (1, 1)), (32, 11, (1, 0))])
def test_the_decoder_transposes_as_pytorch_does(size, start, crop):
    network = tail(decoder((size, size, 1), PLAN, 6, squash="sigmoid"), keras.layers.Reshape)
    x = np.random.default_rng(0).normal(size=(start, start, 17))
    k1, b1, k2, b2, k3, b3 = network.get_weights()
    hidden = np.maximum(by_loops(x, k1, b1, 3, crop), 0)
    hidden = np.maximum(by_loops(hidden, k2, b2, 1, (0, 0)), 0)
    logits = by_loops(hidden, k3, b3, 1, (1, 1))
    np.testing.assert_allclose(network(np.float32(x[None]))[0], 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_initial_weights_and_biases_are_uniform_in_one_over_root_fan():
    keras.utils.set_random_seed(0)
    transposed = 12 * 9, 6 * 4, 1 * 4  # counted at the output
    for make, fans in (
        (lambda: encoder((28, 28, 1), PLAN, 6), (4, 24, 108, 1700, 57)),
        (lambda: decoder((28, 28, 1), PLAN, 6, squash="sigmoid"), (6, 57, *transposed)),
    ):
        drawn = [np.concatenate([w.ravel() for w in ws]) for ws in zip(*(make().get_weights() for _ in range(10)))]
        for numbers, fan in zip(drawn, np.repeat(fans, 2), strict=True):
            limit = 1 / np.sqrt(fan)
            assert limit * (1 - 8 / numbers.size) < np.abs(numbers).max() <= limit
            assert numbers.min() < 0 < numbers.max()


def small(name, **changes):
    return dataclasses.replace(shrink(recipe.find(name)), **changes).game(pictures(size=28))


def test_games_are_the_reports():
    simple, wasserstein, classes = (small(f"{kind}-report002") for kind in ("gan", "wgan", "improved-gan"))
    assert simple.discriminator.output_shape == (None, 1) and simple.objective.score is not None
    assert isinstance(wasserstein, WGAN) and wasserstein.generator_every == 5 and wasserstein.batches == 5
    assert wasserstein.referee is None  # no lead of 100 steps
    assert isinstance(classes, KPlusOneGAN) and classes.real_target == 1 and classes.feature_matching == 0
    assert [shape for shape in classes.discriminator.output_shape] == [(None, 11), (None, 57)]
    assert classes.referee is not None  # the losses are kept close


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
    with Dice(0):
        z = game.prior.draw(3)
        made = [game.generator(z, training=training).numpy() for training in (True, False)]
        seen = [game.discriminator(made[0], training=training).numpy() for training in (True, False)]
    np.testing.assert_array_equal(*made)
    assert not np.array_equal(*seen)


@pytest.mark.parametrize("name", NAMES)
def test_other_sizes_are_refused(name):
    with pytest.raises(UsageError, match="28, 32 pixels, not 64x64"):
        shrink(recipe.find(name)).game(pictures(size=64))


def test_a_balanced_critic_is_refused():
    with pytest.raises(UsageError, match="--balance must be 0, since"):
        dataclasses.replace(recipe.find("wgan-report002"), balance=0.1)
