"""A bias of its own at every place and channel."""

import keras
import numpy as np

from kgen.layers import UntiedBias


def test_every_place_and_channel_has_its_own_number():
    model = keras.Sequential([keras.Input((2, 3, 4)), UntiedBias()])
    assert model.output_shape == (None, 2, 3, 4)
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(model(x), x)
    (bias,) = model.trainable_variables
    numbers = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    bias.assign(numbers)
    np.testing.assert_array_equal(model(x), x + numbers[None])


def test_config_round_trip():
    model = keras.Sequential([keras.Input((2, 3)), UntiedBias(dtype="float32")])
    copy = keras.Sequential.from_config(model.get_config())
    assert copy.trainable_variables[0].shape == (2, 3)
