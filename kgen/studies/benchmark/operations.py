"""The convolutions and matrix products of a step: how many operations they take, and how fast they run alone.

They are read from the graph of a step. An operation that nothing depends on is not counted, since TensorFlow leaves it
out too.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.backend import Tensor, tf

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer

KINDS = {
    "Conv2D": "convolutions",
    "Conv2DBackpropInput": "gradients of their inputs, transposed convolutions",
    "Conv2DBackpropFilter": "gradients of their kernels",
    "MatMul": "matrix products",
    "BatchMatMulV2": "matrix products",
}
INFERRED = ("T", "Ta", "Tb", "Tout", "Tshape")  # attributes that an operation takes from its inputs


def graph_of_step(trainer: "BaseTrainer", data: Tensor | tuple[Tensor, Tensor]) -> "tf.Graph":
    """Returns the graph of one step on `data`, a step's images `(batches, batch, ...)`, with every turn inlined."""
    eagerly, trainer.run_eagerly = trainer.run_eagerly, True  # else each turn is a function of its own
    try:
        signature = tf.nest.map_structure(lambda each: tf.TensorSpec(each.shape, each.dtype), data)
        return tf.function(trainer.train_step, autograph=False).get_concrete_function(signature).graph
    finally:
        trainer.run_eagerly = eagerly


def needed(graph: "tf.Graph") -> "list[tf.Operation]":
    """Returns the operations of `KINDS` on which a graph's outputs or its state depend, in the graph's order."""
    ahead = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    reached = set()
    while ahead:
        operation = ahead.pop()
        if operation not in reached:
            reached.add(operation)
            ahead += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return [operation for operation in graph.get_operations() if operation.type in KINDS and operation in reached]


def flops(operation: "tf.Operation") -> int:
    """Returns how many floating-point operations one of `KINDS` takes: two for each product of two numbers."""
    shapes = [tensor.shape.as_list() for tensor in operation.inputs]
    out = operation.outputs[0].shape.as_list()
    if operation.type == "Conv2D":
        return 2 * math.prod(out) * math.prod(shapes[1][:3])
    if operation.type.startswith("Conv2D"):  # each gradient at the output meets each weight of its channel once
        kernel = out if operation.type == "Conv2DBackpropFilter" else shapes[1]
        return 2 * math.prod(shapes[2]) * math.prod(kernel[:3])
    inner = shapes[0][-2] if operation.get_attr(flipped(operation)) else shapes[0][-1]
    return 2 * math.prod(out) * inner


def flipped(operation: "tf.Operation") -> str:
    """Returns the name of the attribute that says whether a matrix product takes its first matrix transposed."""
    return "transpose_a" if operation.type == "MatMul" else "adj_x"


def alone(operations: "list[tf.Operation]") -> Callable[[], Tensor]:
    """Returns a function that computes operations one after the other, on random inputs of their own."""
    inputs = [stand_ins(operation) for operation in operations]

    @tf.function(autograph=False)
    def compute() -> Tensor:
        found = []
        for operation, given in zip(operations, inputs, strict=True):
            with tf.control_dependencies(found[-1:]):
                made = applied(operation, given)
            found.append(tf.cast(tf.reshape(made, [-1])[0], tf.float32))  # what nothing depends on is left out
        return tf.add_n(found)

    return compute


def stand_ins(operation: "tf.Operation") -> list[Tensor]:
    """Returns random inputs of an operation, of the shapes of its own; sizes that it takes are those of its output."""
    random = np.random.default_rng(0)
    made = []
    for tensor in operation.inputs:
        if tensor.dtype.is_integer:
            made.append(tf.constant(operation.outputs[0].shape.as_list()))
        else:
            made.append(tf.cast(random.standard_normal(tensor.shape.as_list(), np.float32), tensor.dtype))
    return made


def applied(operation: "tf.Operation", given: list[Tensor]) -> Tensor:
    """Returns an operation's first output for other inputs."""
    definition = operation.op_def
    names = [each.name for each in definition.attr if each.name not in INFERRED]
    attributes = {name: plain(operation.get_attr(name)) for name in names}
    inputs = {each.name: value for each, value in zip(definition.input_arg, given, strict=True)}
    return getattr(tf.raw_ops, operation.type)(**inputs, **attributes)


def plain(attribute: Any) -> Any:
    """Returns an attribute of an operation as `tf.raw_ops` takes it."""
    return attribute.decode() if isinstance(attribute, bytes) else attribute
