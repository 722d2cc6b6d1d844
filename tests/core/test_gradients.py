"""Gradients are dense, and weight decay is the gradient of its loss."""

import keras
import numpy as np
import tensorflow as tf

from kgen.core import gradients
from kgen.core.game import Player


def test_rows_of_a_vector_that_was_looked_up_twice_are_added():
    sparse = tf.IndexedSlices(tf.constant([[1.0], [2.0], [4.0]]), tf.constant([0, 1, 0]), tf.constant([3, 1]))
    found = gradients.summed([None, sparse, tf.constant([7.0])])
    assert found[0] is None
    np.testing.assert_array_equal(found[1], [[5.0], [2.0], [0.0]])
    np.testing.assert_array_equal(found[2], [7.0])


def test_weight_decay():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.float32([[3.0], [-4.0]])])
    with tf.GradientTape() as tape:
        loss = gradients.decay(Player(network, None, l2=0.1))
    np.testing.assert_allclose(tape.gradient(loss, network.trainable_variables)[0], [[0.3], [-0.4]], rtol=1e-6)
    assert gradients.decay(Player(network, None)) == 0.0
