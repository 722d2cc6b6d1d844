import dataclasses

import numpy as np
import pytest

from kgen.cli import parsing
from kgen.core import recipe as recipes
from kgen.core.trainer import Trainer
from kgen.errors import UsageError
from tests.helpers.autoencoders import game, tiny
from tests.helpers.recipes import pictures

# Starting from another.


def test_start_from_takes_the_other_weights_bit_for_bit():
    one, other = game(seed=1), game(seed=2, noise="uniform:0.7", encoder_dropout=0.3, loss="mse")
    trainer = Trainer(other, ema=0.9, keep_best=True)
    trainer.start_from(one)
    for network in (other.autoencoder, trainer.averages["autoencoder"], trainer.best["autoencoder"]):
        for mine, his in zip(network.get_weights(), one.autoencoder.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, his)


@pytest.mark.parametrize("changes", [{"latent_dim": 5}, {"units": (7, 7)}, {"channels": (2, 4)}])
def test_start_from_refuses_other_shapes(changes):
    one, other = game(**changes), game()
    before = other.autoencoder.get_weights()
    with pytest.raises(UsageError, match=r"^--start-from: the run has layers of other sizes; .* own shape\.$"):
        other.start_from(one)
    for mine, was in zip(other.autoencoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, was)


def test_start_from_refuses_other_models():
    dcgan = dataclasses.replace(recipes.find("dcgan"), width=2, latent_dim=4).game(pictures(4, size=32))
    with pytest.raises(UsageError, match=r"^--start-from: the run has no such network; autoencoder can only .*\.$"):
        game().start_from(dcgan)


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
        "--prune-decoder-convolution must be at least 0 and below 1, not nan.",
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
