"""The gRPC interface of TensorFlow Serving: PredictionService (Predict, GetModelMetadata), ModelService (status)."""

import math
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
import numpy as np
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from kgen.backend import tf
from kgen.serving.metadata import metadata
from kgen.serving.models import Models, Refused, reason

LARGEST = 256 * 2**20  # most bytes of a message: 256 images of 256x256x3


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` and `GetModelMetadata`. The other methods of the service are left unimplemented.

    Args:
        models: the models of a folder of exports.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Returns the outputs of a signature for the inputs of a request."""
        spec = request.model_spec

        def answer() -> predict_pb2.PredictResponse:
            version, response = resolved(self.models, spec), predict_pb2.PredictResponse()
            inputs = {key: array(proto, key) for key, proto in request.inputs.items()}
            outputs = self.models.predict(spec.name, version, spec.signature_name, inputs)
            response.model_spec.name, response.model_spec.version.value = spec.name, version
            response.model_spec.signature_name = spec.signature_name or "serving_default"
            wanted = set(request.output_filter)
            if wanted - set(outputs):
                raise Refused("INVALID_ARGUMENT", f"output tensor alias not found: {sorted(wanted - set(outputs))}")
            for key, value in outputs.items():
                if wanted and key not in wanted:
                    continue
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return response

        return guarded(context, answer)

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Returns the description of the signatures of a model."""
        spec = request.model_spec
        return guarded(context, lambda: metadata(self.models, spec.name, resolved(self.models, spec)))


class Status(model_service_pb2_grpc.ModelServiceServicer):
    """Answers `GetModelStatus`.

    Args:
        models: the models of a folder of exports.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Returns the state of one version of a model, or of all versions, newest first."""
        spec = request.model_spec

        def answer() -> get_model_status_pb2.GetModelStatusResponse:
            response = get_model_status_pb2.GetModelStatusResponse()
            failures = self.models.failures(spec.name)
            one = spec.WhichOneof("version_choice")
            for version in [resolved(self.models, spec)] if one else sorted(failures, reverse=True):
                words = failures[version]
                state = get_model_status_pb2.ModelVersionStatus.State.Value("END" if words else "AVAILABLE")
                added = response.model_version_status.add(version=version, state=state)
                added.status.error_code, added.status.error_message = (2 if words else 0), words  # UNKNOWN, OK
            return response

        return guarded(context, answer)


def array(proto: Any, name: str) -> np.ndarray:
    """Returns a `TensorProto` message as an array; raises Refused if its content does not fill its shape."""
    try:
        size, given = math.prod(dim.size for dim in proto.tensor_shape.dim), filled(proto)
        if size != given:  # make_ndarray would make an array of the shape first, however large, and repeat a value
            raise Refused("INVALID_ARGUMENT", f"{name} has {given} values, its shape has {size}.")
        return tf.make_ndarray(proto)
    except (ValueError, TypeError, KeyError) as error:
        raise Refused("INVALID_ARGUMENT", f"{name}: {reason(error)}") from error


def filled(proto: Any) -> int:
    """Returns how many values a `TensorProto` message holds."""
    if proto.tensor_content:
        return len(proto.tensor_content) // max(tf.as_dtype(proto.dtype).size, 1)
    return sum(len(value) for field, value in proto.ListFields() if field.name.endswith("_val"))


def resolved(models: Models, spec: model_pb2.ModelSpec) -> int:
    """Returns the version that a request asks for; raises Refused if there is none."""
    choice = spec.WhichOneof("version_choice")
    return models.resolve(
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def guarded(context: grpc.ServicerContext, answer: Callable[[], Any]) -> Any:
    """Returns `answer()`. If that raises Refused, it ends the call with the code and the message for the client."""
    try:
        return answer()
    except Refused as refused:
        return context.abort(grpc.StatusCode[refused.code], refused.message)


def server(models: Models, address: str, workers: int = 4) -> tuple[grpc.Server, int]:
    """Starts a gRPC server.

    Args:
        models: the models of a folder of exports.
        address: such as `127.0.0.1:8500`; port 0 takes any free port.
        workers: number of threads.

    Returns:
        `(server, port)`.
    """
    sizes = [("grpc.max_receive_message_length", LARGEST), ("grpc.max_send_message_length", LARGEST)]
    made = grpc.server(futures.ThreadPoolExecutor(workers), options=[*sizes, ("grpc.so_reuseport", 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(models), made)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Status(models), made)
    port = made.add_insecure_port(address)
    made.start()
    return made, port
