"""An autoencoder: its losses against NumPy, its steps and pruning, its recipes and what they refuse."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from kgen import images
from kgen.augmentation import noise as noises
from kgen.augmentation.affine import distorted
from kgen.cli import parsing
from kgen.core import recipe as recipes
from kgen.core.base_trainer import BaseTrainer
from kgen.errors import UsageError
from kgen.optimizers import LinearDecay
from kgen.rng import Rng
from tests.helpers.autoencoders import CLEAN, DATA, a_round, game, logits, tiny
from tests.helpers.recipes import pictures


def cross_entropy(x, logits):
    p = np.float64(expit(np.float64(logits)))
    return -x * np.log(p) - (1 - x) * np.log(1 - p)


def squared_error(x, logits):
    return np.square(x - expit(np.float64(logits)))


ERRORS = {"bce": cross_entropy, "mse": squared_error}


def lost(game, seed=1, clean=CLEAN):
    with Rng(seed):
        return float(game.turn(tf.constant(clean))["autoencoder"])


# Losses.


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_loss_is_the_mean_over_pixels(loss):
    made = game(loss=loss)
    expected = ERRORS[loss](CLEAN, logits(made, CLEAN)).mean()
    assert lost(made) == pytest.approx(expected, rel=1e-5)
    assert expected > 0.05


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_reconstructions_of_reconstructions_are_compared_with_the_first_images(loss):
    made, seen, losses = game(loss=loss, passes=3), CLEAN, []
    for _ in range(3):
        answer = logits(made, seen)
        losses.append(ERRORS[loss](CLEAN, answer).mean())
        seen = np.float32(expit(answer))
    assert len({round(value, 4) for value in losses}) == 3
    assert lost(made) == pytest.approx(np.mean(losses), rel=1e-5)


def test_noise_is_seen_and_the_clean_image_asked_for():
    made = game(noise="uniform:0.7+salt-and-pepper:0.3")
    with Rng(1):
        noisy = noises.add(tf.constant(CLEAN), noises.parse("uniform:0.7+salt-and-pepper:0.3")).numpy()
    assert lost(made) == pytest.approx(cross_entropy(CLEAN, logits(made, noisy)).mean(), rel=1e-5)
    assert lost(made) != pytest.approx(cross_entropy(noisy, logits(made, noisy)).mean(), rel=1e-3)
    assert lost(made, seed=2) != lost(made)


def test_only_the_first_pass_is_noisy():
    made = game(noise="uniform:0.7", passes=2)
    with Rng(1):
        first = logits(made, noises.add(tf.constant(CLEAN), noises.parse("uniform:0.7")).numpy())
    losses = [cross_entropy(CLEAN, answer).mean() for answer in (first, logits(made, np.float32(expit(first))))]
    assert lost(made) == pytest.approx(np.mean(losses), rel=1e-5)


def test_distorted_images_are_seen_and_asked_for_alike():
    made = game(distort=True)
    with Rng(1):
        changed = distorted(tf.constant(CLEAN)).numpy()
    assert not np.array_equal(changed, CLEAN)
    assert lost(made) == pytest.approx(cross_entropy(changed, logits(made, changed)).mean(), rel=1e-5)


def test_dropout_is_the_training_encoders():
    made = game(encoder_dropout=0.5)
    assert lost(made, 1) == lost(made, 1) != lost(made, 2)
    assert lost(made) != pytest.approx(cross_entropy(CLEAN, logits(made, CLEAN)).mean(), rel=1e-3)
    drops = [[layer.rate for layer in half.layers if hasattr(layer, "rate")] for half in (made.encoder, made.decoder)]
    assert drops == [[0.5], []]
    both = game(encoder_dropout=0.5, decoder_dropout=0.25)
    assert [layer.rate for layer in both.decoder.layers if hasattr(layer, "rate")] == [0.25]


@pytest.mark.parametrize("loss, first", [("bce", "binary_cross_entropy"), ("mse", "squared_error")])
def test_measures_are_means_over_pixels_and_the_trained_loss_is_the_first(loss, first):
    made = game(loss=loss, encoder_dropout=0.5, passes=3, distort=True)  # measured undistorted, once, without dropout
    found = made.measures(tf.constant(CLEAN))
    assert next(iter(found)) == first and found.keys() == {"binary_cross_entropy", "squared_error"}
    answer = logits(made, CLEAN)
    expected = {"binary_cross_entropy": cross_entropy(CLEAN, answer), "squared_error": squared_error(CLEAN, answer)}
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name].mean(axis=(1, 2, 3)), rtol=1e-5)


def test_measures_of_a_denoiser_see_noise():
    made = game(noise="hole:4x4")
    with Rng(3):
        found = made.measures(tf.constant(CLEAN))["squared_error"]
    with Rng(3):
        noisy = noises.add(tf.constant(CLEAN), noises.parse("hole:4x4")).numpy()
    np.testing.assert_allclose(found, squared_error(CLEAN, logits(made, noisy)).mean(axis=(1, 2, 3)), rtol=1e-5)


# Pictures.


@pytest.mark.parametrize("noise", [None, "uniform:0.5"])
def test_pictures_are_rows_of_inputs_above_their_reconstructions(noise):
    made, examples = game(noise=noise), pictures(32, size=8, seed=4).images
    made.examples = examples
    with Rng(6):
        sheet = made.pictures(64).numpy()
    clean = np.float32(examples / 255)
    with Rng(6):
        seen = noises.add(tf.constant(clean), noises.parse(noise)).numpy()
    answers = expit(logits(made, seen))
    for row in range(4):
        part = slice(8 * row, 8 * row + 8)
        np.testing.assert_allclose(sheet[16 * row : 16 * row + 8], seen[part], atol=1e-6)
        np.testing.assert_allclose(sheet[16 * row + 8 : 16 * row + 16], answers[part], atol=1e-5)
    with Rng(6):
        np.testing.assert_array_equal(made.pictures(70)[64:], sheet[:6])


def test_the_range_is_that_of_a_sigmoid():
    assert game().range == images.UNIT


# Steps.


def test_l2_adds_its_share_of_the_weights_to_the_gradient():
    made, plain = game(l2=0.25), game()
    with Rng(Rng(0).fold_in(0, 0).fold_in(0).seed), tf.GradientTape() as tape:
        loss = plain.turn(tf.constant(np.float32(DATA.images / 255)))["autoencoder"]
    gradients = tape.gradient(loss, plain.autoencoder.trainable_variables)
    for player in made.players.values():
        player.optimizer = keras.optimizers.SGD(0.5)
    for weight, gradient, after in zip(made.autoencoder.get_weights(), gradients, a_round(made)[1], strict=True):
        np.testing.assert_allclose(after, weight - 0.5 * (gradient + 0.25 * weight), rtol=1e-4, atol=1e-6)


def test_the_optimizer_is_pytorchs_adam():
    optimizer = tiny(learning_rate=2e-3).game(DATA).players["autoencoder"].optimizer
    assert type(optimizer) is keras.optimizers.Adam
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.999, 1e-8)
    assert float(optimizer.learning_rate) == pytest.approx(2e-3)
    falling = tiny(anneal=True, steps=77, warmup=3, learning_rate=2e-3).game(DATA).players["autoencoder"].optimizer
    assert falling.get_config()["learning_rate"] == keras.saving.serialize_keras_object(LinearDecay(2e-3, 77, 3))


# Pruning.

AMOUNTS = {"encoder_dense": 0.3984, "encoder_convolution": 0.1001, "decoder_dense": 0.2135, "decoder_convolution": 0.3}
PRUNED = {"prune_every": 3, **{f"prune_{name}": amount for name, amount in AMOUNTS.items()}}


def zeros(made):
    """Returns how many zeros each kernel has, and how many there were to be, in the order of the layers."""
    groups = made.groups()
    return [int(np.sum(kernel.numpy() == 0)) for kernels in groups.values() for kernel in kernels]


def asked(made):
    return [
        round(AMOUNTS[name] * int(np.prod(kernel.shape)))
        for name, kernels in made.groups().items()
        for kernel in kernels
    ]


def test_each_layer_is_pruned_by_the_share_of_its_group():
    made = game(**PRUNED)
    before = made.autoencoder.get_weights()
    for epoch in (1, 2, 4, 5):
        assert set(made.between_epochs(epoch).values()) == {0.0}
    assert zeros(made) == [0] * 6
    reports = made.between_epochs(3)
    assert zeros(made) == asked(made) and min(asked(made)) > 0
    for name, kernels in made.groups().items():
        sizes = [int(np.prod(kernel.shape)) for kernel in kernels]
        assert reports[f"sparsity_{name}"] == sum(round(AMOUNTS[name] * size) for size in sizes) / sum(sizes)
    for was, weight in zip(before, made.autoencoder.get_weights(), strict=True):
        np.testing.assert_array_equal(weight[weight != 0], was[weight != 0])


def test_outputs_and_biases_are_exempt():
    made = game(**PRUNED)
    before = made.encoder.get_weights(), made.decoder.get_weights()
    made.between_epochs(3)
    after = made.encoder.get_weights(), made.decoder.get_weights()
    for was, found in zip(before, after, strict=True):
        changed = [not np.array_equal(*pair) for pair in zip(was, found, strict=True)]
        assert changed == [True, False] * (len(was) // 2 - 1) + [False, False]


def test_transient_weights_regrow():
    made = game(activation="silu", **PRUNED)  # no unit is dead
    made.between_epochs(3)
    a_round(made)
    assert sum(zeros(made)) == 0


@pytest.mark.parametrize("eagerly", [True, False], ids=["eager", "graph"])
def test_persistent_weights_stay_zero_and_the_others_move(eagerly):
    made = game(mask="persistent", **PRUNED)
    made.between_epochs(3)
    trainer = BaseTrainer(made)
    trainer.compile(run_eagerly=eagerly)
    before = made.autoencoder.get_weights()
    batches = iter([tf.constant(DATA.images)[None]] * 3)
    trainer.make_train_function()
    for _ in range(3):
        trainer.train_function(batches)
    assert zeros(made) == asked(made)
    for was, weight in zip(before, made.autoencoder.get_weights(), strict=True):
        assert not np.array_equal(was, weight)
        assert ((was == 0) == (weight == 0)).all() or (was == 0).all()  # biases begin with any value


def test_a_game_that_does_not_prune_says_nothing():
    made = game()
    assert not made.acts_between_epochs() and made.between_epochs(5) == {}
    assert game(**PRUNED).acts_between_epochs()


# Recipes.


def test_recipes_are_the_reports():
    basic, best, denoising = map(recipes.find, ("autoencoder-basic", "autoencoder", "denoising"))
    expected = {
        "channels": (8, 16, 32), "kernels": (3, 3, 3), "strides": (2, 2, 2), "paddings": (1, 1, 0), "units": (128, 16),
        "latent_dim": 4, "loss": "mse", "learning_rate": 1e-3, "l2": 1e-5, "batch_size": 256, "prune_every": 0,
        "encoder_dropout": 0.0, "decoder_dropout": 0.0, "passes": 1, "noise": None, "activation": "relu", "folds": 5,
    }  # fmt: skip
    assert {name: getattr(basic, name) for name in expected} == expected
    assert basic.steps == 100 * 48_000 // 256  # 100 epochs of four fifths of MNIST
    expected |= {
        "channels": (6, 12, 17), "kernels": (2, 2, 3), "strides": (1, 1, 3), "paddings": (1, 0, 1), "units": (57,),
        "latent_dim": 6, "loss": "bce", "learning_rate": 2.8927e-3, "l2": 6.5057e-7, "batch_size": 383, "patience": 13,
        "prune_every": 5, "prune_encoder_dense": 0.3984, "prune_encoder_convolution": 0.1001,
        "prune_decoder_dense": 0.2135, "prune_decoder_convolution": 0.0680, "mask": "transient",
        "encoder_dropout": 0.19015,
    }  # fmt: skip
    assert {name: getattr(best, name) for name in expected} == expected
    assert dataclasses.replace(denoising, name="autoencoder", noise=None) == best
    assert denoising.noise == "uniform:0.7+salt-and-pepper:0.1"


@pytest.mark.parametrize("name, counts", [("autoencoder-basic", (45_012, 45_265)), ("autoencoder", (99_488, 101_166))])
def test_networks_are_the_reports(name, counts):
    made = recipes.find(name).game(pictures(2, size=28))
    assert (made.encoder.count_params(), made.decoder.count_params()) == counts
    assert made.autoencoder.count_params() == sum(counts)
    assert made.encoder.output_shape == (None, recipes.find(name).latent_dim)


MISTAKES = [
    ({"kernels": (3,)}, "--kernels must be as many numbers as --channels has, 2, not (3,)."),
    ({"strides": (1, 1, 1)}, "--strides must be as many numbers as --channels has, 2, not (1, 1, 1)."),
    ({"paddings": ()}, "--paddings must be as many numbers as --channels has, 2, not ()."),
    ({"channels": (2, 0)}, "--channels must be numbers of at least 1, not (2, 0)."),
    ({"kernels": (0, 2)}, "--kernels must be numbers of at least 1, not (0, 2)."),
    ({"strides": (2, -1)}, "--strides must be numbers of at least 1, not (2, -1)."),
    ({"units": (0,)}, "--units must be numbers of at least 1, not (0,)."),
    ({"paddings": (2, 0)}, "--paddings must be from 0 to half of the kernels, not (2, 0)."),
    ({"paddings": (0, -1)}, "--paddings must be from 0 to half of the kernels, not (0, -1)."),
    ({"latent_dim": 0}, "--latent-dim must be at least 1, not 0."),
    ({"passes": 0}, "--passes must be at least 1, not 0."),
    ({"encoder_dropout": 1.0}, "--encoder-dropout must be at least 0 and below 1, not 1.0."),
    ({"decoder_dropout": -0.1}, "--decoder-dropout must be at least 0 and below 1, not -0.1."),
    ({"prune_encoder_dense": 1.0}, "--prune-encoder-dense must be at least 0 and below 1, not 1.0."),
    ({"prune_encoder_convolution": -1.0}, "--prune-encoder-convolution must be at least 0 and below 1, not -1.0."),
    ({"prune_decoder_dense": 2.0}, "--prune-decoder-dense must be at least 0 and below 1, not 2.0."),
    (
        {"prune_decoder_convolution": float("nan")},
        "--prune-decoder-convolution must be a finite number, not nan.",
    ),
    ({"learning_rate": 0.0}, "--learning-rate must be above 0, not 0.0."),
    ({"l2": -1e-5}, "--l2 must be 0 or more, not -1e-05."),
    ({"prune_every": -1}, "--prune-every must be 0 or more, not -1."),
]


@pytest.mark.parametrize("flags, said", MISTAKES, ids=[next(iter(flags)) for flags, _ in MISTAKES])
def test_mistakes_are_one_sentence(flags, said):
    with pytest.raises(UsageError) as refused:
        tiny(**flags)
    assert str(refused.value) == said


def test_unknown_noises_are_refused():
    with pytest.raises(UsageError, match="--noise: there is no noise 'unifrom'. Did you mean uniform?"):
        tiny(noise="unifrom:0.7")


def test_images_too_small_are_refused():
    with pytest.raises(UsageError, match="^Of images of 4x4 pixels convolution 3 .*--image-size"):
        recipes.find("autoencoder-basic").check((4, 4, 1))
    with pytest.raises(UsageError, match="^Of images of 4x4 pixels convolution 3 .*--image-size"):
        recipes.find("autoencoder-basic").game(pictures(2, size=4))


def test_tuples_survive_json_and_the_command_line():
    own = tiny(channels=(6, 12), units=())
    assert recipes.from_json(own.to_json()) == own
    flags = "--model autoencoder --channels 6 12 --kernels 3 2 --strides 1 2 --paddings 1 0 --units 9 8 --latent-dim 3"
    read = parsing.parse_training(flags.split()).recipe
    assert (read.channels, read.kernels, read.strides, read.paddings) == ((6, 12), (3, 2), (1, 2), (1, 0))
    assert read.units == (9, 8) and read.latent_dim == 3
    none = parsing.parse_training("--model autoencoder --channels --kernels --strides --paddings".split()).recipe
    assert (none.channels, none.kernels, none.strides, none.paddings) == ((), (), (), ())
    assert recipes.from_json(none.to_json()) == none
