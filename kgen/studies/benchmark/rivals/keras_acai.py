"""ACAI in plain Keras: the sizes of kgen's networks for lines of 32 pixels, in stock layers."""

from typing import TYPE_CHECKING, Any

from kgen.backend import keras, tf
from kgen.runs.build import precision as policy
from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import keras_fit

if TYPE_CHECKING:
    from kgen.backend import Tensor

DEPTH, SCALES, LATENT, SIDE = 16, 4, 16, 32
WEIGHT, GAMMA = 0.5, 0.2


def convolution(channels: int) -> "list[keras.layers.Layer]":
    """Returns the layers of a 3x3 convolution with a leaky ReLU."""
    return [keras.layers.Conv2D(channels, 3, padding="same"), keras.layers.LeakyReLU(0.2)]


def encoder() -> "keras.Model":
    """Returns the network images `(batch, 32, 32, 1)` -> codes `(batch, 2, 2, 16)`."""
    layers = [keras.Input((SIDE, SIDE, 1)), keras.layers.Conv2D(DEPTH, 1)]
    for scale in range(SCALES):
        layers += [*convolution(DEPTH << scale), *convolution(DEPTH << scale), keras.layers.AveragePooling2D(2)]
    last = keras.layers.Conv2D(LATENT, 3, padding="same")
    return keras.Sequential(
        [*layers, *convolution(DEPTH << SCALES), last, keras.layers.Activation("linear", dtype="float32")]
    )


def decoder() -> "keras.Model":
    """Returns the network codes `(batch, 2, 2, 16)` -> images `(batch, 32, 32, 1)`."""
    layers = [keras.Input((2, 2, LATENT))]
    for scale in reversed(range(SCALES)):
        layers += [*convolution(DEPTH << scale), *convolution(DEPTH << scale), keras.layers.UpSampling2D(2)]
    last = keras.layers.Conv2D(1, 3, padding="same")
    return keras.Sequential([*layers, *convolution(DEPTH), last, keras.layers.Activation("linear", dtype="float32")])


class ACAI(keras.Model):
    """Autoencoder and critic; both move from one forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.critic = encoder(), decoder(), encoder()
        self.seeds = keras.random.SeedGenerator(0)
        self.means = [keras.metrics.Mean(name=name) for name in ("loss", "critic_loss")]

    def compile(self) -> None:
        """Makes the optimizers of autoencoder and critic."""
        super().compile()
        self.adams = [keras.optimizers.Adam(1e-4) for _ in range(2)]

    @property
    def metrics(self) -> "list[keras.metrics.Metric]":
        """The means of both losses."""
        return self.means

    def losses_of(self, real: "Tensor") -> "list[Tensor]":
        """Returns the losses of autoencoder and critic, scalars, on images `(batch, 32, 32, 1)`."""
        ops, size = keras.ops, real.shape[0]
        codes = self.encoder(real, training=True)
        alpha = 0.5 - ops.abs(keras.random.uniform((size, 1, 1, 1), seed=self.seeds) - 0.5)
        mixed = alpha * codes + (1 - alpha) * ops.flip(codes, axis=0)
        decoded, decoded_mixed = self.decoder(codes, training=True), self.decoder(mixed, training=True)
        guesses = ops.mean(self.critic(decoded_mixed, training=True), axis=(1, 2, 3))
        unmixed = ops.mean(self.critic(decoded + GAMMA * (real - decoded), training=True), axis=(1, 2, 3))
        error = ops.mean(ops.square(guesses - ops.reshape(alpha, (-1,))))
        reconstruction = ops.mean(ops.square(real - decoded))
        return [
            reconstruction + WEIGHT * ops.mean(ops.square(guesses)),
            error + ops.mean(ops.square(unmixed)),
        ]

    def train_step(self, real: "Tensor") -> "dict[str, Tensor]":
        """Plays a step on images `(batch, 32, 32, 1)`."""
        weights = [
            self.encoder.trainable_variables + self.decoder.trainable_variables,
            self.critic.trainable_variables,
        ]
        with tf.GradientTape(persistent=True) as tape:
            losses = self.losses_of(real)
        gradients = [tape.gradient(loss, each) for loss, each in zip(losses, weights, strict=True)]
        for adam, found, each, mean, loss in zip(self.adams, gradients, weights, self.means, losses, strict=True):
            adam.apply_gradients(zip(found, each, strict=True))
            mean.update_state(loss)
        return {mean.name: mean.result() for mean in self.means}


def steps(meter: Meter, precision: str, batch_size: int) -> dict[str, Any]:
    """Trains until the meter has enough; returns the images of a step.

    Args:
        meter: what is told of each step.
        precision: a Keras dtype policy.
        batch_size: images in a batch.
    """
    with policy(precision):
        model = ACAI()
    model.compile()
    return keras_fit.play(meter, model, (SIDE, SIDE, 1), batch_size)
