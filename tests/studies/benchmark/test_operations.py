"""The operations of a step, against TensorFlow's own count."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.data import pipeline
from kgen.studies.benchmark import operations
from tests.helpers.recipes import new_trainer, pictures


def graph(name="dcgan"):
    """Returns the graph of a step of a small recipe."""
    trainer = new_trainer(name)
    data = next(iter(pipeline.training_steps(pictures(), batch_size=4, seed=0, start=0, stop=1)))
    return operations.graph_of_step(trainer, data)


def profiled(traced):
    """Returns the operations of `KINDS` in a graph as TensorFlow's profiler counts them, one number for each."""
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    options["min_float_ops"] = 0
    counted = tf.compat.v1.profiler.profile(traced, options=options, cmd="scope")
    nodes, ahead = {}, [counted]
    while ahead:
        node = ahead.pop()
        nodes[node.name] = node.float_ops
        ahead += node.children
    return nodes


@pytest.fixture(scope="module")
def traced():
    return graph()


def test_flops_are_those_of_the_profiler(traced):
    counted = profiled(traced)
    found = operations.needed(traced)
    kinds = {each.type for each in found}
    assert kinds == {"Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter", "MatMul"}
    for each in found:
        assert operations.flops(each) == counted[each.name], each


def test_products_are_counted_by_hand():
    with tf.Graph().as_default() as by_hand:
        one, other = tf.zeros((3, 5)), tf.zeros((5, 7))
        product = tf.matmul(one, other)
        flipped = tf.matmul(one, tf.zeros((3, 2)), transpose_a=True)
        stack = tf.raw_ops.BatchMatMulV2(x=tf.zeros((4, 3, 5)), y=tf.zeros((4, 5, 7)))
    assert by_hand and [operations.flops(each.op) for each in (product, flipped, stack)] == [
        2 * 3 * 5 * 7,
        2 * 5 * 3 * 2,
        4 * 2 * 3 * 5 * 7,
    ]


def test_what_nothing_depends_on_is_left_out():
    def step(x):
        tf.matmul(x, x)
        return tf.matmul(x, x + 1)

    traced = tf.function(step).get_concrete_function(tf.TensorSpec((3, 3))).graph
    assert sum(each.type == "MatMul" for each in traced.get_operations()) == 2
    assert len(operations.needed(traced)) == 1


def test_operations_alone_are_all_computed(traced):
    found = operations.needed(traced)
    compute = operations.alone(found)
    assert np.isfinite(compute())
    made = compute.get_concrete_function().graph.get_operations()
    assert [each.type for each in made if each.type in operations.KINDS] == [each.type for each in found]


def test_an_operation_on_other_inputs_is_the_same_operation():
    images, kernel = keras.random.normal((2, 8, 8, 3)), keras.random.normal((5, 5, 3, 4))

    def step(x, k):
        return tf.nn.conv2d(x, k, 2, "SAME")

    signature = [tf.TensorSpec(each.shape) for each in (images, kernel)]
    (found,) = operations.needed(tf.function(step).get_concrete_function(*signature).graph)
    np.testing.assert_allclose(operations.applied(found, [images, kernel]), step(images, kernel), atol=1e-5)
