"""The number moves by its gain and stays in [0, 1]; the layer changes nothing and is restored."""

import keras
import numpy as np
import pytest

from kgen.layers import ProportionalControl


def test_k_moves_by_the_gain_and_stays_in_0_to_1():
    layer, found = ProportionalControl(0.25), []
    for error in (-1.0, 2.0, 1.0, -0.5, 9.0, -9.0):
        layer.move(error)
        found.append(float(layer.k))
    assert found == pytest.approx([0.0, 0.5, 0.75, 0.625, 1.0, 0.0])


def test_the_output_is_the_input_and_k_is_not_trained():
    layer, x = ProportionalControl(1.0, dtype="mixed_bfloat16"), np.float32([[1.0, -2.5]])
    np.testing.assert_array_equal(layer(x), x)
    assert layer.trainable_variables == [] and [v.dtype for v in layer.variables] == ["float32"]


def test_a_network_is_saved_with_k(tmp_path):
    x = keras.Input((2,))
    network = keras.Model(x, ProportionalControl(0.5, name="control")(x))
    network.get_layer("control").move(0.5)
    network.save(tmp_path / "network.keras")
    layer = keras.models.load_model(tmp_path / "network.keras").get_layer("control")
    assert (float(layer.k), layer.gain) == (0.25, 0.5)
