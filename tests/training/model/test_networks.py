"""The user's own networks: which fit, and what is said of those that do not."""

import keras
import numpy as np
import pytest

import kgen
from kgen.errors import UsageError
from tests.helpers.keras_models import LARGE, PIXELS, networks

layers = keras.layers


def dense(inputs, outputs, activation=None):
    """Returns a network of one dense layer between two shapes."""
    size = 1
    for each in outputs:
        size *= each
    return keras.Sequential(
        [keras.Input(inputs), layers.Flatten(), layers.Dense(size, activation=activation), layers.Reshape(outputs)]
    )


def raised(factor):
    """Returns a generator of images in [0, factor]."""
    inner = networks("sigmoid")[0]
    return keras.Sequential([keras.Input((16,)), inner, layers.Rescaling(factor)])


def dense_with_loss():
    """Returns a discriminator with a regularizer."""
    return keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(1, kernel_regularizer=keras.regularizers.L2(1.0))]
    )


def nested():
    """Returns a discriminator whose sigmoid lies in a network within."""
    return keras.Sequential([keras.Input((28, 28, 1)), dense((28, 28, 1), (1,), "sigmoid")])


def shared():
    """Returns a generator and a discriminator that share a layer."""
    one = layers.Dense(784, activation="tanh")
    generator = keras.Sequential([keras.Input((784,)), one, layers.Reshape((28, 28, 1))])
    discriminator = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), one, layers.Dense(1)])
    return {"generator": generator, "discriminator": discriminator}


def test_a_conditional_generator_settles_the_range_and_takes_any_code():
    z, label = keras.Input((5,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([z, layers.Flatten()(layers.Embedding(3, 4)(label))])
    image = layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(x))
    seen = keras.Input((28, 28, 1))
    outputs = [layers.Dense(size)(layers.Flatten()(seen)) for size in (1, 3)]
    model = kgen.create(
        "acgan",
        PIXELS,
        classes=3,
        generator=keras.Model([z, label], image),
        discriminator=keras.Model(seen, outputs),
    )
    assert model.image_range == (0, 1) and model.game.prior.size == 5
    model.fit(PIXELS, np.arange(40) % 3, batch_size=20, verbose=0)
    assert model.sample(6).shape == (6, 28, 28, 1)


def test_a_sequential_decoder_of_a_vae_gan_is_drawn_from():
    model = kgen.create("vae-gan", LARGE, width=2, decoder=dense((8,), (32, 32, 1), "tanh"))
    assert model.sample(2).shape == (2, 32, 32, 1)


def test_sizes_that_no_recipe_has():
    model = kgen.DCGAN(generator=dense((5,), (20, 24, 3), "tanh"), discriminator=dense((20, 24, 3), (1,)))
    assert model.game.image_shape == (20, 24, 3) and model.game.prior.size == 5
    assert model.sample(2).shape == (2, 20, 24, 3)


def test_an_encoder_and_a_decoder_for_an_autoencoder():
    model = kgen.create("acai", encoder=dense((32, 32, 1), (6,)), decoder=dense((6,), (32, 32, 1)), depth=2)
    model.fit(LARGE, batch_size=20, verbose=0)
    assert model.encode(LARGE[:2]).shape == (2, 6) and model.reconstruct(LARGE[:2]).shape == (2, 32, 32, 1)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("dcgan", {"generator": dense((5,), (30, 30, 1), "tanh")}, "Or give networks of your own for discriminator"),
        (
            "dcgan",
            {"generator": networks()[0], "discriminator": dense((28, 28, 1), (2,))},
            r"The output of discriminator must be \(batch, 1\), not \(batch, 2\)",
        ),
        (
            "dcgan",
            {"generator": networks()[0], "discriminator": dense((32, 32, 1), (1,))},
            r"The input of discriminator must be \(batch, 28, 28, 1\), not \(batch, 32, 32, 1\)",
        ),
        (
            "acai",
            {"encoder": dense((32, 32, 1), (6,)), "decoder": dense((6,), (32, 32, 1), "sigmoid"), "depth": 2},
            "end it in tanh",
        ),
        (
            "acai",
            {"encoder": dense((32, 32, 1), (6,)), "depth": 2},
            "The encoder gives codes of 6 numbers, and the decoder takes",
        ),
        (
            "dcgan",
            {"generator": networks()[0], "discriminator": nested()},
            "leave out its last sigmoid",
        ),
        ("vae", {"decoder": dense((3,), (28, 28, 1), "sigmoid"), "latent_dim": 3}, "gives logits of its images"),
        ("dcgan", {"generator": raised(255.0)}, "end it in tanh or a sigmoid"),
        (
            "dcgan",
            {"generator": networks()[0], "discriminator": dense_with_loss()},
            "has losses of its own",
        ),
        ("dcgan", shared(), "share the weight"),
        ("dcgan", {"critics": networks()[1]}, "There is no player 'critics'"),
        ("dcgan", {"generator": keras.Sequential([layers.Dense(3)])}, "begin a Sequential with keras.Input"),
    ],
)
def test_what_does_not_fit_is_told(name, given, words):
    with pytest.raises(UsageError, match=words):
        kgen.create(name, **given)


@pytest.mark.parametrize(("last", "low"), [("tanh", -1), ("sigmoid", 0), ("linear", -1)])
def test_the_range_is_that_of_the_generator(last, low):
    model = kgen.DCGAN(generator=networks(last)[0], width=2)
    assert model.image_range == (low, 1)
    unit = (np.asarray(model(model_noise())) - low) / (1 - low)
    assert model.game.signatures()[0].serving_default(model_noise())["images"].numpy() == pytest.approx(
        unit.clip(0, 1), abs=1e-6
    )


def model_noise():
    return np.random.default_rng(0).standard_normal((3, 16), np.float32)


def test_a_network_of_a_recipe_is_kept_where_none_is_given():
    model = kgen.create("dcgan", PIXELS, generator=networks()[0], width=2)
    assert model.discriminator.name == "discriminator" and model.generator.name == "mine"
