"""The gestures of Keras's tutorials of DCGAN and WGAN-GP, written anew, on kgen's classes; they learn something."""

import keras
import numpy as np
import pytest

import kgen
from kgen import data

pytestmark = pytest.mark.slow
layers = keras.layers


class Monitor(keras.callbacks.Callback):
    """Draws images after each epoch, by the model's generator."""

    def __init__(self, count, latent_dim):
        super().__init__()
        self.count, self.latent_dim, self.drawn = count, latent_dim, []

    def on_epoch_end(self, epoch, logs=None):
        noise = keras.random.normal((self.count, self.latent_dim))
        self.drawn.append(np.asarray(self.model.generator(noise)))


def test_dcgan(tmp_path):
    """Pictures of a folder in [0, 1], a generator that ends in a sigmoid."""
    for number, picture in enumerate(data.load("mnist5k", "train", None, 32).images[:256]):
        keras.utils.save_img(tmp_path / f"{number}.png", np.repeat(picture, 3, axis=2))
    dataset = keras.utils.image_dataset_from_directory(tmp_path, label_mode=None, image_size=(32, 32), batch_size=32)
    dataset = dataset.map(lambda x: x / 255.0)
    discriminator = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ],
        name="discriminator",
    )
    generator = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(8 * 8 * 32),
            layers.Reshape((8, 8, 32)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(3, 5, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )
    gan = kgen.DCGAN(discriminator=discriminator, generator=generator)
    gan.compile(d_optimizer=keras.optimizers.Adam(1e-3), g_optimizer=keras.optimizers.Adam(1e-3), loss="non_saturating")
    monitor = Monitor(10, 64)
    history = gan.fit(dataset, epochs=6, callbacks=[monitor], verbose=0)
    assert len(history.history["generator_loss"]) == 6 and gan.image_range == (0, 1)
    real = data.load("mnist5k", "train", None, 32).images[:256] / 255
    before, after = (abs(drawn.mean() - real.mean()) for drawn in (monitor.drawn[0], gan.sample(64)))
    assert monitor.drawn[0].shape == (10, 32, 32, 3) and after < max(before, 0.1)


def test_wgan_gp():
    """Arrays in [-1, 1], critic and generator of the user's own, three critic steps."""
    images = data.load("mnist5k").images[:600].astype("float32")
    images = (images - 127.5) / 127.5
    critic = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.ZeroPadding2D(2),
            layers.Conv2D(16, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(32, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((128,)),
            layers.Dense(4 * 4 * 32, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Reshape((4, 4, 32)),
            layers.UpSampling2D(),
            layers.Conv2D(16, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.UpSampling2D(),
            layers.Conv2D(8, 3, padding="same"),
            layers.UpSampling2D(),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
            layers.Cropping2D(2),
        ]
    )
    wgan = kgen.WGANGP(discriminator=critic, generator=generator, discriminator_steps=3, penalty=10.0)
    adam = {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.9}
    wgan.compile(d_optimizer=keras.optimizers.Adam(**adam), g_optimizer=keras.optimizers.Adam(**adam))
    monitor = Monitor(3, 128)
    history = wgan.fit(images, batch_size=50, epochs=5, callbacks=[monitor], verbose=0)
    assert monitor.drawn[0].shape == (3, 28, 28, 1) and wgan.image_range == (-1, 1)
    assert history.history["gradient_penalty"][-1] < history.history["gradient_penalty"][0]
