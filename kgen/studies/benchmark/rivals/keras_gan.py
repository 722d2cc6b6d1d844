"""DCGAN and the maxout GAN in plain Keras: the sizes of kgen's networks, in stock layers."""

from typing import TYPE_CHECKING, Any

from kgen.backend import keras
from kgen.runs.build import precision as policy
from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import keras_fit

if TYPE_CHECKING:
    from kgen.backend import Tensor

LATENT = 100


def dcgan(size: int, channels: int, width: int, kernel: int) -> "tuple[keras.Model, keras.Model]":
    """Returns `(generator, discriminator)`; arguments as in `kgen.studies.benchmark.rivals.torch_dcgan.networks`."""
    layers, doublings = keras.layers, 2 if size == 28 else 4
    widths = [width << i for i in range(doublings)]
    small, how = size >> doublings, {"strides": 2, "padding": "same", "use_bias": False}
    generator = [keras.Input((LATENT,)), layers.Dense(small**2 * widths[-1], use_bias=False)]
    generator += [layers.Reshape((small, small, widths[-1])), layers.BatchNormalization(), layers.ReLU()]
    for narrow in widths[-2::-1]:
        generator += [layers.Conv2DTranspose(narrow, kernel, **how), layers.BatchNormalization(), layers.ReLU()]
    generator += [layers.Conv2DTranspose(channels, kernel, **how), layers.Activation("tanh", dtype="float32")]
    discriminator = [keras.Input((size, size, channels)), layers.Conv2D(width, kernel, **how), layers.LeakyReLU(0.2)]
    for wide in widths[1:]:
        discriminator += [layers.Conv2D(wide, kernel, **how), layers.BatchNormalization(), layers.LeakyReLU(0.2)]
    discriminator += [layers.Flatten(), layers.Dense(1, use_bias=False, dtype="float32")]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def maxout_gan() -> "tuple[keras.Model, keras.Model]":
    """Returns `(generator, discriminator)` of the recipe `gan`."""
    layers = keras.layers

    def maxout(x: "Tensor") -> "Tensor":
        return keras.ops.max(layers.Reshape((240, 5))(layers.Dense(1200)(x)), axis=-1)

    generator = [keras.Input((LATENT,)), layers.Dense(1200, "relu"), layers.Dense(1200, "relu"), layers.Dense(784)]
    generator += [layers.Activation("sigmoid", dtype="float32"), layers.Reshape((28, 28, 1))]
    image = keras.Input((28, 28, 1))
    x = layers.Dropout(0.5)(maxout(layers.Dropout(0.2)(layers.Flatten()(image))))
    x = layers.Dense(1, dtype="float32")(layers.Dropout(0.5)(maxout(x)))
    return keras.Sequential(generator), keras.Model(image, x)


def dcgan_steps(meter: Meter, precision: str, batch_size: int, **sizes: int) -> dict[str, Any]:
    """Trains DCGAN until the meter has enough; returns the images of a step.

    Args:
        meter: what is told of each step.
        precision: a Keras dtype policy.
        batch_size: images in a batch.
        sizes: see `dcgan`.
    """
    with policy(precision):
        model = keras_fit.GAN(dcgan(**sizes), LATENT)
    adams = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    model.compile(adams, keras.losses.BinaryCrossentropy(from_logits=True))
    return keras_fit.play(meter, model, (sizes["size"], sizes["size"], sizes["channels"]), batch_size)


def maxout_steps(meter: Meter, precision: str, batch_size: int) -> dict[str, Any]:
    """Trains the maxout GAN until the meter has enough; returns the images of a step. Arguments: `dcgan_steps`."""
    with policy(precision):
        model = keras_fit.GAN(maxout_gan(), LATENT)
    optimizers = [keras.optimizers.SGD(0.1, momentum=0.5) for _ in range(2)]
    model.compile(optimizers, keras.losses.BinaryCrossentropy(from_logits=True))
    return keras_fit.play(meter, model, (28, 28, 1), batch_size)
