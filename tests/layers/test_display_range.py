"""A layer that changes nothing and keeps the range in which its images are shown."""

import keras
import numpy as np
import pytest

from kgen.images import Range, to_unit
from kgen.layers import DisplayRange


def network(low, high):
    return keras.Sequential([keras.Input((2, 2, 1)), DisplayRange(low, high)])


def test_images_pass_and_weights_do_not_train():
    model = network(-2.0, 3.0)
    x = np.float32([-7, 0, 1, 9]).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(model(x), x)
    assert model.trainable_variables == [] and model.output_shape == (None, 2, 2, 1)
    assert [float(value) for value in model.layers[-1].range()] == [-2, 3]


def test_the_range_is_restored_with_the_weights():
    """And is read when it is used: `to_unit` of the second network shows as the first."""
    first, second = network(-2.0, 3.0), network(0.0, 1.0)
    shown = second.layers[-1].range()
    second.set_weights(first.get_weights())
    x = np.float32([-7, -1, 0.5, 3])
    np.testing.assert_allclose(to_unit(keras.ops.convert_to_tensor(x), shown), [0, 0.2, 0.5, 1], rtol=1e-6)


def test_it_stays_float32_under_mixed_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = network(-2.1234567, 3.0)
    finally:
        keras.config.set_dtype_policy(policy)
    x = np.full((1, 2, 2, 1), 1.2345678, np.float32)
    np.testing.assert_array_equal(model(x), x)
    assert float(model.layers[-1].range().low) == np.float32(-2.1234567)


def test_config_and_refusal():
    copy = keras.Sequential.from_config(network(-2.0, 3.0).get_config())
    assert copy.layers[-1].at_first == Range(-2.0, 3.0)
    with pytest.raises(ValueError, match="`low` must be below `high`. Received: low=1.0, high=1.0"):
        DisplayRange(1.0, 1.0)
