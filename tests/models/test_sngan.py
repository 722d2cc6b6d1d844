"""SNGAN: the tables' parameters, blocks in NumPy, hinge losses, rates."""

import dataclasses

import keras
import numpy as np
import pytest

from kgen import layers
from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from kgen.models import sngan
from kgen.rng import Rng
from tests.helpers.recipes import pictures


def game(name, size=32, channels=3, **changes):
    keras.utils.set_random_seed(0)
    blank = Images(np.zeros((2, size, size, channels), np.uint8), None, ())
    return dataclasses.replace(recipes.find(name), **changes).game(blank)


def trainable(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def conv(kernel_size, before, after):
    return kernel_size**2 * before * after + after


def test_convolutional_networks_have_table_3s_parameters():
    made = game("sngan")
    norms = 2 * (4 * 4 * 512 + 256 + 128 + 64)
    growing = conv(4, 512, 256) + conv(4, 256, 128) + conv(4, 128, 64)
    assert trainable(made.generator) == 128 * 8192 + 8192 + growing + conv(3, 64, 3) + norms == 3_828_739
    level = conv(3, 3, 64) + conv(3, 128, 128) + conv(3, 256, 256) + conv(3, 512, 512)
    halving = conv(4, 64, 128) + conv(4, 128, 256) + conv(4, 256, 512)
    assert trainable(made.discriminator) == level + halving + 4 * 4 * 512 + 1 == 5_860_865


def test_the_convolutional_discriminators_layers():
    found = [layer for layer in game("sngan").discriminator.layers if isinstance(layer, layers.SpectralNorm)]
    convolutions = [(c.filters, c.kernel_size[0], c.strides[0]) for c in (layer.layer for layer in found[:-1])]
    pairs = [[(2 * width, 4, 2), (2 * width, 3, 1)] for width in (64, 128, 256)]
    assert convolutions == [(64, 3, 1), *pairs[0], *pairs[1], *pairs[2]]
    activations = [layer for layer in game("sngan").discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
    assert [layer.negative_slope for layer in activations] == [0.1] * 7


def test_residual_networks_have_table_4s_parameters():
    made = game("sngan-resnet")
    up = 2 * 2 * 256 + 2 * conv(3, 256, 256) + conv(1, 256, 256)
    assert trainable(made.generator) == 128 * 4096 + 4096 + 3 * up + 2 * 256 + conv(3, 256, 3) == 4_276_739
    first = conv(3, 3, 128) + conv(3, 128, 128) + conv(1, 3, 128)
    assert trainable(made.discriminator) == first + 6 * conv(3, 128, 128) + conv(1, 128, 128) + 129 == 1_053_825


def test_residual_networks_for_64_pixels_have_the_codes_parameters():
    made = game("sngan-resnet", size=64)
    up = [(1024, 512), (512, 256), (256, 128), (128, 64)]
    blocks = sum(2 * (a + b) + conv(3, a, b) + conv(3, b, b) + conv(1, a, b) for a, b in up)
    assert trainable(made.generator) == 128 * 16384 + 16384 + blocks + 2 * 64 + conv(3, 64, 3)
    first = conv(3, 3, 64) + conv(3, 64, 64) + conv(1, 3, 64)
    blocks = sum(conv(3, a, a) + conv(3, a, b) + conv(1, a, b) for b, a in up)
    assert trainable(made.discriminator) == first + blocks + 1024 + 1


@pytest.mark.parametrize(
    "name, size, smallest",
    [("sngan", 28, 7), ("sngan", 32, 4), ("sngan", 48, 6), ("sngan", 64, 8)]
    + [("sngan-resnet", 28, 7), ("sngan-resnet", 32, 8), ("sngan-resnet", 64, 2)],
)
def test_sizes_and_the_discriminators_last_maps(name, size, smallest):
    made = game(name, size, 1, width=4, latent_dim=3)
    images = made.generator(keras.ops.ones((2, 3)), training=False)
    assert images.shape == (2, size, size, 1)
    assert made.discriminator(images, training=False).shape == (2, 1)
    maps = [layer.output.shape for layer in made.discriminator.layers if len(layer.output.shape) == 4]
    assert maps[-1][1:3] == (smallest, smallest)


@pytest.mark.parametrize("name", ["sngan", "sngan-resnet"])
def test_the_scale_of_the_discriminators_kernels_means_nothing(name):
    """Ten times all kernels, while biases are 0: equal logits, if not one layer is without spectral norm."""
    judge = game(name, width=4).discriminator
    images = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3)).astype("float32")
    before = judge(images, training=False).numpy()
    for weight in judge.trainable_variables:
        assert weight.name in ("kernel", "bias")
        weight.assign(weight * 10)
    np.testing.assert_allclose(judge(images, training=False), before, rtol=1e-4)
    assert np.abs(before).max() > 1e-4


def test_initial_weights_are_the_codes():
    made = game("sngan")
    kernels = [w.numpy() for n in (made.generator, made.discriminator) for w in n.weights if w.name == "kernel"]
    assert all(abs(kernel.std() - 0.02) < 0.002 for kernel in kernels)
    residual = [w.numpy() for w in game("sngan-resnet").discriminator.weights if w.name == "kernel"]
    for kernel in residual:  # gain sqrt 2 in 3x3 convolutions: limits sqrt(12 / (fan_in + fan_out)), sqrt(6 / ...) else
        fans = np.prod(kernel.shape[:-2]) * sum(kernel.shape[-2:])
        limit = np.sqrt((12 if kernel.shape[0] == 3 else 6) / fans)
        assert 0.95 * limit < np.abs(kernel).max() <= limit
    firsts = [kernel.ravel()[0] for kernel in kernels + residual]
    assert len(set(firsts)) == len(firsts)  # no two draw the same numbers


def kernels_and_biases(model):
    """Returns `[(kernel, bias)]` of the convolutions in the order of their making, normalised where they are."""
    found = []
    for layer in model.layers:
        inner, sigma = (layer.layer, layer.sigma()) if isinstance(layer, layers.SpectralNorm) else (layer, 1.0)
        if isinstance(inner, keras.layers.Conv2D):
            found.append((inner.name, np.asarray(inner.kernel) / np.asarray(sigma), np.asarray(inner.bias)))
    return [pair[1:] for pair in sorted(found, key=lambda item: int((item[0].rsplit("_", 1) + ["0"])[1]))]


def convolved(x, weights):
    kernel, bias = weights
    k = kernel.shape[0]
    x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))  # batch, h, w, channels, k, k
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + bias


def pooled(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def enlarged(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def block(make, *arguments):
    """Returns the model of one block with random biases, an input, and the output; names count from 0."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 6, 3))
    model = keras.Model(inputs, make(inputs, *arguments))
    for weight in model.trainable_variables:
        if weight.name == "bias":
            weight.assign(keras.random.normal(weight.shape))
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    return model, x, model(x, training=False)


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize("channels, halve, first", [(5, True, True), (5, True, False), (3, False, False)])
def test_the_discriminators_blocks_in_numpy(channels, halve, first):
    """As in the code's `OptimizedBlock` and `Block`, the 1x1 convolution where the code has it."""
    model, x, out = block(sngan.down_block, channels, halve, first)
    one, two, *shortcut = kernels_and_biases(model)
    hidden = convolved(convolved(x if first else relu(x), one).clip(0), two)
    if not halve:
        assert not shortcut
        expected = x + hidden
    elif first:
        expected = pooled(hidden) + convolved(pooled(x), *shortcut)
    else:
        expected = pooled(hidden) + pooled(convolved(x, *shortcut))
    assert one[0].shape[-1] == (channels if first else 3)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_the_generators_block_in_numpy():
    model, x, out = block(sngan.up_block, 5)
    one, two, shortcut = kernels_and_biases(model)
    shrunk = 1 / np.sqrt(1 + 1e-5)  # batch norm at inference, at the start
    hidden = convolved(enlarged(relu(x * shrunk)), one)
    hidden = convolved(relu(hidden * shrunk), two)
    np.testing.assert_allclose(out, hidden + convolved(enlarged(x), shortcut), rtol=1e-4, atol=1e-5)


def test_the_residual_discriminator_sums_over_all_positions():
    judge = game("sngan-resnet", width=4).discriminator
    dense = judge.layers[-1]
    dense.layer.bias.assign([0.5])
    activated = [layer for layer in judge.layers if isinstance(layer, keras.layers.ReLU)][-1]
    both = keras.Model(judge.input, [activated.output, judge.output])
    maps, logits = both(np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3)), training=False)
    kernel = np.asarray(dense.layer.kernel) / float(dense.sigma())
    assert maps.shape[1:3] == (8, 8)
    np.testing.assert_allclose(logits, np.asarray(maps).sum((1, 2)) @ kernel + 0.5, rtol=1e-4)


@pytest.mark.parametrize("name, factor", [("sngan", 1), ("sngan-resnet", 2)])
def test_turns_have_the_hinge_losses_and_the_generator_its_own_batch(name, factor):
    made = game(name, width=4, latent_dim=3)
    real = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    judge, start = made.discriminator, made.discriminator.get_weights()

    def logits(*batches):
        judge.set_weights(start)  # every call moves u
        return [judge(batch, training=True).numpy() for batch in batches]

    with Rng(0):
        loss = made.generator_turn(real)
    with Rng(0):
        fake = made.generator(made.prior.draw(4 * factor), training=True)
    assert set(loss) == {"generator"}
    assert float(loss["generator"]) == pytest.approx(-logits(fake)[0].mean(), rel=1e-4)

    judge.set_weights(start)
    with Rng(0):
        values = made.discriminator_turn(real)
    with Rng(0):
        fake = made.generator(made.prior.draw(4), training=True)
    on_real, on_fake = logits(real, fake)
    expected = np.maximum(1 - on_real, 0).mean() + np.maximum(1 + on_fake, 0).mean()
    assert float(values["discriminator"]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("every", [{"discriminator_steps": 5}, {"discriminator_steps": 1, "generator_steps": 2}])
def test_both_rates_are_0_after_the_last_step_and_not_before(every):
    """`end` is the number of a player's own moves in the run, counted here in a step."""
    made = game("sngan-resnet", width=4, steps=300, **every)
    turns = [turn for turn, _ in made.play(range(made.batches))]
    for name, turn in (("generator", made.generator_turn), ("discriminator", made.discriminator_turn)):
        falling = made.players[name].optimizer.get_config()["learning_rate"]["config"]
        assert falling["end"] == 300 * turns.count(turn)
    assert made.players["generator"].optimizer.beta_1 == 0.0


def test_the_convolutional_recipes_rate_stays():
    for player in game("sngan").players.values():
        assert type(player.optimizer) is keras.optimizers.Adam
        assert (float(player.optimizer.learning_rate), player.optimizer.beta_1) == (pytest.approx(2e-4), 0.5)


@pytest.mark.parametrize(
    "name, change",
    [
        ("sngan-resnet", {"width": 6}),
        ("sngan", {"width": 0}),
        ("sngan", {"generator_batch": 0}),
        ("sngan", {"learning_rate": 0.0}),
        ("sngan", {"beta2": 1.0}),
        ("sngan", {"balance": 0.1}),
    ],
)
def test_numbers_that_cannot_be_are_refused(name, change):
    with pytest.raises(UsageError, match="--" + next(iter(change)).replace("_", "-")):
        dataclasses.replace(recipes.find(name), **change)


def test_sizes_without_a_residual_network_are_refused():
    with pytest.raises(UsageError, match="28, 32, 64 pixels, not 48x48: give --image-size 64"):
        recipes.find("sngan-resnet").game(pictures(size=48))
