"""Averages of what a discriminator says, against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.layers import PredictionAverages


@pytest.mark.parametrize("decay", [0.0, 0.6])
def test_first_the_plain_mean_then_an_exponential_one(decay):
    layer, random = PredictionAverages(decay), np.random.default_rng(0)
    update, means = tf.function(layer.update), []
    for t in range(1, 8):
        real, fake = random.normal(3, 1, (5, 1)), random.normal(-2, 1, (5, 1))
        means.append([real.mean(), fake.mean()])
        if t <= 1 / (1 - decay):
            expected = np.mean(means, axis=0)
        else:
            expected = decay * expected + (1 - decay) * np.array(means[-1])
        found = update(tf.constant(real, tf.float32), tf.constant(fake, tf.float32))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(
            [layer.real.numpy(), layer.fake.numpy(), layer.updates.numpy()], [*expected, t], 1e-5
        )


def test_no_gradient_passes_and_nothing_is_trained():
    layer, x = PredictionAverages(), tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        total = sum(layer.update(x, 3 * x))
    assert tape.gradient(total, x) is None and layer.trainable_variables == []
    assert len(layer.non_trainable_variables) == 3


def test_config_round_trip():
    copy = PredictionAverages.from_config(PredictionAverages(0.5, dtype="bfloat16").get_config())
    assert copy.decay == 0.5 and isinstance(copy, keras.layers.Layer) and copy.real.dtype == "float32"
