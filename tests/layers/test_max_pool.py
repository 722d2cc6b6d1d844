"""Max pooling against loops, and its gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism

from kgen.layers import CoveringMaxPool


def by_loops(x, pool_size, strides):
    """Windows start every `strides` pixels until one reaches the last pixel."""
    starts = [[0], [0]]
    for axis in (0, 1):
        while starts[axis][-1] + pool_size < x.shape[1 + axis]:
            starts[axis].append(starts[axis][-1] + strides)
    return np.stack(
        [np.stack([x[:, i : i + pool_size, j : j + pool_size].max((1, 2)) for j in starts[1]], 1) for i in starts[0]], 1
    )


# The first three are those of the discriminator of 2014 and of pylearn2: 33 -> 16, 15 -> 7, 9 -> 5.
@pytest.mark.parametrize(
    "size, pool_size, strides, windows",
    [(33, 4, 2, 16), (15, 4, 2, 7), (9, 2, 2, 5), (8, 2, 2, 4), (5, 5, 3, 1), (6, 5, 3, 2), (4, 1, 1, 4)],
)
def test_equals_loops(size, pool_size, strides, windows):
    x = np.random.default_rng(0).normal(-5, 1, (2, size, size + strides, 3)).astype(np.float32)  # 0 would win
    layer = CoveringMaxPool(pool_size, strides)
    expected = by_loops(x, pool_size, strides)
    assert expected.shape == (2, windows, windows + 1, 3) == layer.compute_output_shape(x.shape)
    np.testing.assert_array_equal(layer(x), expected)
    assert keras.Sequential([keras.Input(x.shape[1:]), layer]).output_shape == (None, *expected.shape[1:])


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_gradient_goes_to_the_largest_pixel(jit_compile):
    disable_op_determinism()  # XLA has no such gradient where it is on, as kgen.training.train has it without XLA

    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(CoveringMaxPool(2, 2)(x) * tf.constant([[[[1.0], [2.0]], [[3.0], [4.0]]]]))
        return tape.gradient(y, x)

    x = tf.constant([[-9.0, -1.0, -3.0], [-4.0, -5.0, -2.0], [-8.0, -6.0, -7.0]])[None, :, :, None]
    np.testing.assert_array_equal(gradient(x)[0, :, :, 0], [[0, 1, 0], [0, 0, 2], [0, 3, 4]])


def test_refusals_and_config():
    with pytest.raises(ValueError, match="`strides` must be in .1, pool_size.. Received: strides=3, pool_size=2"):
        CoveringMaxPool(2, 3)
    with pytest.raises(ValueError, match="at most the image's. Received: 4 for 3 pixels"):
        CoveringMaxPool(4, 2)(np.zeros((1, 3, 3, 1), np.float32))
    copy = CoveringMaxPool.from_config(CoveringMaxPool(4, 2).get_config())
    assert (copy.pool_size, copy.strides) == (4, 2)
