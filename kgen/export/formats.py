"""Exports in other formats, ONNX and TensorFlow Lite. They are written beside the SavedModel and compared with it.

Signatures that return PNG files or draw latents are left out, since neither format has TensorFlow's PNG encoder or its
seeded random generator. The checks of requests (`kgen.core.requests.bounded` and others) are lost too, since both
converters drop assertions.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kgen.backend import Tensor, tf
from kgen.errors import UsageError

OPSET = 18  # of ONNX; onnxruntime reads it from version 1.14 on
TOLERANCE = 1e-4  # of outputs, times the greatest if above 1; float32 networks of these depths differ by below 1e-5
COUNT = 3  # images in a comparison


def to_onnx(folder: Path, signatures: dict[str, Callable]) -> None:
    """Writes `folder/onnx/<signature>.onnx`, one file for each signature that ONNX can hold.

    An autoencoder's `reconstruct`, also named `serving_default`, is left out too: in a graph of ONNX an input and an
    output cannot have one name. Use `encode`, then `decode`.

    Args:
        folder: `Path` of the export.
        signatures: `{name: tf.function}` with an input signature.

    Raises:
        UsageError: a signature cannot be converted, or its file has other outputs than the signature.
    """
    import onnx
    import onnxruntime
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    place = folder / "onnx"
    place.mkdir()
    for key, function in portable(signatures).items():
        if {spec.name for spec in function.input_signature} & set(outputs(function)):
            continue
        path = place / f"{key}.onnx"
        inputs = example(function)
        with told(f"onnx/{path.name}"):
            graph, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=OPSET)
            onnx.save(mended(graph), path)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            taken = {node.name: inputs[node.name] for node in session.get_inputs()}
            answers = dict(zip((node.name for node in session.get_outputs()), session.run(None, taken), strict=True))
        compare(f"onnx/{path.name}", answers, function, inputs)


def to_tflite(folder: Path, signatures: dict[str, Callable]) -> None:
    """Writes `folder/model.tflite`, with every signature that TensorFlow Lite can hold, under its name.

    Args:
        folder: `Path` of the export, with its SavedModel.
        signatures: `{name: tf.function}` with an input signature.

    Raises:
        UsageError: the signatures cannot be converted, or the file has other outputs than they.
    """
    from ai_edge_litert.interpreter import Interpreter

    held = portable(signatures)
    path = folder / "model.tflite"
    with told(path.name):
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=list(held)).convert())
        interpreter = Interpreter(str(path))
    for key, function in held.items():
        inputs = example(function)
        compare(f"{path.name}: {key}", interpreter.get_signature_runner(key)(**inputs), function, inputs)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns every exception of a converter into a UsageError."""
    try:
        yield
    except Exception as error:  # each of the four libraries has its own exceptions
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UsageError(f"{what} cannot be written: {reason} Without --format the SavedModel is exported.") from error


def mended(graph: Any) -> Any:
    """Returns an `onnx.ModelProto` whose transposed convolutions have `output_padding` in place of negative `pads`.

    If the two pads of an axis have a negative sum, the output has more rows or columns at its end than inputs reach.
    ONNX expresses these by `output_padding`.
    """
    from onnx import helper

    for node in graph.graph.node:
        pads = [list(a.ints) for a in node.attribute if node.op_type == "ConvTranspose" and a.name == "pads"]
        if not pads or min(pads[0]) >= 0:
            continue
        half = len(pads[0]) // 2
        totals = [start + end for start, end in zip(pads[0][:half], pads[0][half:], strict=True)]
        for attribute in [a for a in node.attribute if a.name == "pads"]:
            node.attribute.remove(attribute)
        starts = [max(total, 0) // 2 for total in totals]
        ends = [max(total, 0) - start for total, start in zip(totals, starts, strict=True)]
        node.attribute.append(helper.make_attribute("pads", starts + ends))
        node.attribute.append(helper.make_attribute("output_padding", [max(-total, 0) for total in totals]))
    return graph


FORMATS = {"onnx": to_onnx, "tflite": to_tflite}
PACKAGES = {"onnx": ("tf2onnx", "onnxruntime"), "tflite": ("ai_edge_litert",)}


def portable(signatures: dict[str, Callable]) -> dict[str, Callable]:
    """Returns the signatures that neither draw latents nor return strings."""
    return {
        key: function
        for key, function in signatures.items()
        if "seed" not in (spec.name for spec in function.input_signature)
        and all(output.dtype != tf.string for output in outputs(function).values())
    }


def outputs(function: Callable) -> dict[str, Tensor]:
    """Returns the outputs of a signature, `{name: symbolic tensor}`."""
    return function.get_concrete_function().structured_outputs


def example(function: Callable) -> dict[str, np.ndarray]:
    """Returns inputs that a signature accepts, `{name: array}`: uniform float32, `COUNT` steps, other integers 1."""
    random = np.random.default_rng(0)
    found = {}
    for spec in function.input_signature:
        shape = [COUNT if size is None else size for size in spec.shape]
        drawn = random.random(shape, np.float32) if spec.dtype == tf.float32 else None
        number = COUNT if spec.name == "steps" else 1
        found[spec.name] = np.full(shape, number, spec.dtype.as_numpy_dtype) if drawn is None else drawn
    return found


def compare(what: str, answers: dict[str, Any], function: Callable, inputs: dict[str, np.ndarray]) -> None:
    """Raises UsageError unless a file's outputs equal those of its signature in shape, type and value.

    Args:
        what: the file, as the error names it.
        answers: the file's outputs for `inputs`, `{name: array}`.
        function: the signature. It is computed on the CPU, since a GPU may round float32 to TF32.
        inputs: `{name: array}`.
    """
    with tf.device("CPU"):
        expected = function(**{name: tf.constant(value) for name, value in inputs.items()})
    for name, value in expected.items():
        found, value = answers.get(name), value.numpy()
        if found is None or found.shape != value.shape or found.dtype != value.dtype:
            raise UsageError(f"{what} was converted wrongly: its {name} is not {value.dtype} of shape {value.shape}.")
        apart, greatest = np.max(np.abs(found - value)), np.max(np.abs(value))
        if not apart <= TOLERANCE * max(1.0, greatest):
            raise UsageError(f"{what} was converted wrongly: its {name} is up to {apart:.2g} off the SavedModel's.")
