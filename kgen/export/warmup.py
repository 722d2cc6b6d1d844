"""Warm-up requests. TensorFlow Serving replays them when it loads a model, since each first request is slow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kgen.backend import Tensor, tf

FILE = "assets.extra/tf_serving_warmup_requests"
COUNT = 2  # images of a request


def write(folder: Path, name: str, signatures: dict[str, Callable]) -> None:
    """Writes `folder/assets.extra/tf_serving_warmup_requests`, one request for each signature.

    Args:
        folder: of the SavedModel.
        name: of the model in TensorFlow Serving.
        signatures: `{name: tf.function}` with an input signature.

    Source: TensorFlow Serving, SavedModel Warmup: a TFRecord of `PredictionLog`.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = Path(folder) / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for key, function in signatures.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = name, key
            for spec in function.input_signature:
                request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(example(spec)))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            file.write(log.SerializeToString())


def example(spec: Tensor) -> np.ndarray:
    """Returns an input for `spec` that every signature accepts: zeros, or `COUNT` if it is a number of images."""
    shape = [COUNT if size is None else size for size in spec.shape]
    number = COUNT if spec.name in ("count", "steps") else 0
    return np.full(shape, number, spec.dtype.as_numpy_dtype)
