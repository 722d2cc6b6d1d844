"""Describes the signatures of a model in the messages of TensorFlow Serving."""

from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2

from kgen.backend import tf
from kgen.serving.models import Models


def metadata(models: Models, name: str, version: int) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Returns the message that describes all signatures of a version of a model."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = version
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for key, function in models.signatures(name, version).items():
        definition = signatures.signature_def[key]
        definition.method_name = "tensorflow/serving/predict"
        for spec in function.structured_input_signature[1].values():
            describe(definition.inputs[spec.name], spec, f"{key}_{spec.name}:0")
        for output, spec in function.structured_outputs.items():
            describe(definition.outputs[output], spec, spec.name or output)
    response.metadata["signature_def"].Pack(signatures)
    return response


def describe(info: Any, spec: "tf.TensorSpec", name: str) -> None:
    """Fills `info`, a `TensorInfo` message, with the name, the type and the shape of a tensor."""
    info.name, info.dtype = name, spec.dtype.as_datatype_enum
    info.tensor_shape.CopyFrom(tf.TensorShape(spec.shape).as_proto())
