"""The plain Keras GAN trains."""

import keras
import numpy as np

from kgen.studies.benchmark.case import Timing
from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import keras_fit


def test_both_networks_move_and_the_meter_ends_it():
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(16), keras.layers.Reshape((4, 4, 1))])
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model = keras_fit.GAN((generator, discriminator), 3)
    model.compile([keras.optimizers.SGD(0.1) for _ in range(2)], keras.losses.BinaryCrossentropy(from_logits=True))
    before = [network.get_weights()[0] for network in (generator, discriminator)]
    meter = Meter(Timing(1, 0.01, 0.01), 0.0)
    assert keras_fit.play(meter, model, (4, 4, 1), 8) == {"amount": 8} and len(meter.seconds) == 1
    after = [network.get_weights()[0] for network in (generator, discriminator)]
    assert all(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
