"""The plain Keras way: a `keras.Model` with its own `train_step`, stock layers, and `fit` on a tf.data pipeline."""

from typing import Any

import numpy as np

from kgen.backend import keras, tf
from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.timed import Timed

IMAGES = 2_000


class GAN(keras.Model):
    """Generator and discriminator as in Keras's DCGAN example: one pass over generated and real images together.

    Args:
        networks: generator and discriminator.
        latent_dim: size of z.
    """

    def __init__(self, networks: "tuple[keras.Model, keras.Model]", latent_dim: int) -> None:
        super().__init__()
        self.generator, self.discriminator = networks
        self.latent_dim = latent_dim
        self.seeds = keras.random.SeedGenerator(0)
        self.means = [keras.metrics.Mean(name=name) for name in ("d_loss", "g_loss")]

    def compile(self, optimizers: "list[keras.optimizers.Optimizer]", loss: "keras.losses.Loss") -> None:
        """Takes the optimizers of discriminator and generator, and the loss of logits."""
        super().compile()
        self.optimizers, self.loss_of = optimizers, loss

    @property
    def metrics(self) -> "list[keras.metrics.Metric]":
        """The means of both losses."""
        return self.means

    def train_step(self, real: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        """Plays a step on images `(batch, height, width, channels)`."""
        size = keras.ops.shape(real)[0]
        fake = self.generator(keras.random.normal((size, self.latent_dim), seed=self.seeds), training=True)
        labels = keras.ops.concatenate([keras.ops.zeros((size, 1)), keras.ops.ones((size, 1))])
        with tf.GradientTape() as tape:
            loss = self.loss_of(labels, self.discriminator(keras.ops.concatenate([fake, real]), training=True))
        self.moved(self.optimizers[0], self.discriminator, tape, loss)
        latent = keras.random.normal((size, self.latent_dim), seed=self.seeds)
        with tf.GradientTape() as tape:
            judged = self.discriminator(self.generator(latent, training=True), training=True)
            other = self.loss_of(keras.ops.ones((size, 1)), judged)
        self.moved(self.optimizers[1], self.generator, tape, other)
        for mean, value in zip(self.means, (loss, other), strict=True):
            mean.update_state(value)
        return {mean.name: mean.result() for mean in self.means}

    @staticmethod
    def moved(
        optimizer: "keras.optimizers.Optimizer", network: "keras.Model", tape: "tf.GradientTape", loss: "tf.Tensor"
    ) -> None:
        """Moves a network by the gradient of a loss, a scalar."""
        weights = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))


def play(meter: Meter, model: "keras.Model", shape: tuple[int, ...], batch_size: int) -> dict[str, Any]:
    """Trains a compiled model on random images of `shape` until the meter has enough; returns the images of a step."""
    pictures = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), np.uint8)
    steps = tf.data.Dataset.from_tensor_slices(pictures).shuffle(1024).repeat()
    steps = steps.map(lambda image: tf.cast(image, tf.float32) / 127.5 - 1).batch(batch_size, drop_remainder=True)
    watcher = Timed(meter, lambda trained: [weight.numpy() for weight in trained.trainable_variables[-1:]])
    model.fit(steps.prefetch(tf.data.AUTOTUNE), steps_per_epoch=10**6, verbose=0, callbacks=[watcher])
    return {"amount": batch_size}
