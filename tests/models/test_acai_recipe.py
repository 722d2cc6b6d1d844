import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import layers
from kgen.core import autoencoding
from kgen.core import recipe as recipes
from kgen.data import Images, pipeline
from kgen.errors import UsageError
from kgen.rng import Rng
from tests.helpers.recipes import pictures

TINY = {"image_size": None, "classes": None, "depth": 2, "latent_width": 2, "latent_channels": 3, "batch_size": 6}
IMAGES = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)


def tiny(name="acai", **changes):
    return dataclasses.replace(recipes.find(name), **{**TINY, **changes})


def game(name="acai"):
    """Returns a small game with biases other than 0."""
    keras.utils.set_random_seed(0)
    made = tiny(name).game(pictures(2, size=8))
    random = np.random.default_rng(0)
    for network in (made.autoencoder, made.critic):
        for weight in network.trainable_variables:
            weight.assign(2 * weight + 0.1 * random.normal(size=weight.shape))
    return made


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def kernels(network):
    return [weight for weight in network.trainable_variables if weight.name == "kernel"]


# Networks.


@pytest.mark.parametrize(
    "name, channels, changes, encoder, decoder",
    [
        ("acai", 1, {}, 627_472, 313_985),
        ("acai", 1, {"latent_width": 4, "latent_channels": 2}, 150_146, 75_265),
        ("acai", 1, {"latent_width": 4}, 166_288, 83_329),
        ("acai", 3, {"depth": 64, "latent_width": 4}, 2_434_704, 1_219_203),
        ("acai", 3, {"depth": 64, "latent_width": 4, "latent_channels": 64}, 2_655_936, 1_329_795),
        ("acai-report000", 3, {}, 166_320, 83_619),
    ],
    ids=["lines", "mnist-32d", "mnist-256d", "cifar10-256d", "cifar10-1024d", "report000"],
)
def test_networks_have_the_authors_parameters(name, channels, changes, encoder, decoder):
    blank = Images(np.zeros((2, 32, 32, channels), np.uint8), None, ())
    made = dataclasses.replace(recipes.find(name), **changes).game(blank)
    assert (trainable(made.encoder), trainable(made.decoder)) == (encoder, decoder)
    assert trainable(made.autoencoder) == encoder + decoder and trainable(made.critic) == encoder


def test_initial_weights_have_the_papers_deviation():
    keras.utils.set_random_seed(0)
    made = recipes.find("acai").game(pictures(2))
    weights = [*made.autoencoder.trainable_variables, *made.critic.trainable_variables]
    for weight in weights:
        if weight.name == "bias":
            assert not weight.numpy().any()
            continue
        numbers = weight.numpy().ravel() * np.sqrt((1 + 0.2**2) * np.prod(weight.shape[:-1]))
        assert abs(numbers.std() - 1) < 5 / np.sqrt(2 * len(numbers))
        assert abs(numbers.mean()) < 5 / np.sqrt(len(numbers))
        assert len(numbers) < 10_000 or 3.5 < np.abs(numbers).max() < 6  # normal, and not cut off
    firsts = [weight.numpy().ravel()[0] for weight in weights if weight.name == "kernel"]
    assert len(set(firsts)) == len(firsts) == 2 * 11 + 10  # no two draw the same numbers


def test_the_critics_guess_is_the_mean_of_a_code():
    made = game()
    x = IMAGES
    code = made.critic.get_layer("encoder")(x).numpy()
    guesses = made.critic(x).numpy()
    assert code.shape == (6, 12) and guesses.shape == (6,)
    np.testing.assert_allclose(guesses, code.mean(axis=1), rtol=1e-5)
    assert not {id(w) for w in made.critic.weights} & {id(w) for w in made.autoencoder.weights}


def normed(network):
    return [isinstance(layer, layers.SpectralNorm) for layer in network.layers if layer.weights]


@pytest.mark.parametrize("name, critics", [("acai", False), ("acai-report000", True)])
def test_spectral_norm_is_in_the_critic_alone_and_everywhere_there(name, critics):
    made = game(name)
    inner = made.critic.get_layer("encoder")
    assert set(normed(inner)) == {critics} and len(normed(inner)) == len(kernels(made.critic))
    assert set(normed(made.encoder)) == set(normed(made.decoder)) == {False}
    x, code = IMAGES, tf.ones((1, 12))
    networks = [(made.critic, x), (made.encoder, x), (made.decoder, code)]
    before = [network(seen).numpy() for network, seen in networks]
    for network in (made.critic, made.autoencoder):
        for weight in network.trainable_variables:
            weight.assign(weight * 10 if weight.name == "kernel" else weight)
    same = [np.allclose(network(seen), was, rtol=1e-3) for (network, seen), was in zip(networks, before, strict=True)]
    assert same == [critics, False, False]


def test_every_player_has_an_adam_of_its_own():
    made = recipes.find("acai").game(pictures(2))
    optimizers = [player.optimizer for player in made.players.values()]
    assert len({id(optimizer) for optimizer in optimizers}) == 2
    for optimizer in optimizers:
        assert type(optimizer) is keras.optimizers.Adam
        assert (optimizer.beta_1, optimizer.beta_2, float(optimizer.learning_rate)) == (0.9, 0.999, pytest.approx(1e-4))


# Refusals.


@pytest.mark.parametrize(
    "shape, changes, message",
    [
        ((28, 28, 1), {}, "--latent-width 2 cannot be halved from 28x28 pixels: give --image-size 32, or another"),
        ((24, 24, 1), {"latent_width": 2}, "cannot be halved from 24x24 pixels: give --image-size 32"),
        ((8, 16, 1), {}, "cannot be halved from 8x16 pixels"),
        ((8, 8, 1), {"latent_width": 8}, "--latent-width 8 cannot be halved from 8x8 pixels: give --image-size 16"),
        ((8, 8, 1), {"latent_width": 64}, "--latent-width 64 cannot be halved from 8x8 pixels: give --image-size 128"),
    ],
)
def test_images_that_do_not_halve_to_the_codes_maps_are_refused(shape, changes, message):
    with pytest.raises(UsageError, match=message):
        tiny(**changes).game(Images(np.zeros((2, *shape), np.uint8), None, ()))


@pytest.mark.parametrize("size, width, scales", [(8, 1, 3), (8, 4, 1), (24, 3, 3), (32, 2, 4), (64, 4, 4)])
def test_sizes_that_do_are_taken(size, width, scales):
    assert tiny(latent_width=width).pyramid((size, size, 3)).scales == scales


@pytest.mark.parametrize(
    "name, value",
    [
        *[("depth", 0), ("latent_width", 0), ("latent_channels", 0), ("learning_rate", 0.0), ("weight", -0.1)],
        *[("gamma", -0.1), ("gamma", 1.1), ("extra_critic_steps", -1), ("halves", -1)],
    ],
)
def test_numbers_that_cannot_be_are_refused_and_their_flag_named(name, value):
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} must be .*, not {value}"):
        tiny(**{name: value})


def test_an_odd_batch_has_no_halves():
    with pytest.raises(UsageError, match="^--batch-size must be even with --halves, not 5"):
        tiny(halves=2, batch_size=5)
    assert tiny(batch_size=5).batch_size == 5


def test_bounds_are_taken():
    accepted = {"weight": 0.0, "gamma": 1.0, "extra_critic_steps": 0, "halves": 0, "depth": 1}
    assert all(getattr(tiny(**accepted), name) == value for name, value in accepted.items())
    assert tiny(gamma=0.0).gamma == 0.0


# Halves.


def labelled(labels, size=8):
    data = pictures(len(labels), size=size)
    return Images(data.images, np.array(labels), tuple("abcd"))


@pytest.mark.parametrize("labels", [None, [0, 1, 0, 1], [2, 3, 3, 2]], ids=["none", "first", "second"])
def test_halves_need_classes_on_both_sides(labels):
    data = Images(pictures(4, size=8).images, None, ()) if labels is None else labelled(labels)
    with pytest.raises(UsageError, match="--halves needs classes on both sides.*--classes"):
        tiny(halves=2).strata(data)
    assert tiny().strata(data) is None


def test_halves_are_the_first_classes_and_the_rest():
    found = tiny(halves=1).strata(labelled([3, 0, 1, 0, 2]))
    assert [list(rows) for rows in found] == [[1, 3], [0, 2, 4]]


def test_reversed_each_body_meets_a_wing_in_every_batch():
    """Of a code that is 1 for bodies and 0 for wings only alpha or 1 - alpha is left."""
    report = dataclasses.replace(recipes.find("acai-report000"), batch_size=6)
    assert (report.halves, report.classes) == (2, "horse,deer,bird,airplane")
    data = labelled([0, 2, 1, 3, 3, 1, 2, 0, 0, 3, 1, 2, 2])
    steps = pipeline.training_steps(
        data, batch_size=6, batches=2, seed=1, start=0, stop=4, labelled=True, strata=report.strata(data)
    )
    for _, labels in steps.as_numpy_iterator():
        for row in labels:
            bodies = (row < 2).astype(np.float32)
            np.testing.assert_array_equal(bodies, [1, 1, 1, 0, 0, 0])
            with Rng(0):
                mixed, alpha = autoencoding.mixed(tf.constant(bodies[:, None]))
            np.testing.assert_allclose(mixed, np.where(bodies[:, None], alpha, 1 - alpha), atol=1e-6)


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
