"""The gRPC interface against the exports called directly, TensorFlow Serving's own messages, and malformed ones."""

import resource

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kgen.export import warmup
from tests.helpers import servers


def test_grpc_equals_the_export_called_directly(stub, root):
    pictures = servers.images(root)
    first, second, steps = pictures[0], pictures[1], np.int64(4)
    answer = stub.Predict(servers.request("vae", "interpolate", first=first, second=second, steps=steps))
    expected = servers.direct(root, "vae", 1, "interpolate", first=first, second=second, steps=tf.constant(steps))[
        "images"
    ]
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["images"]), expected)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("vae", 1)
    answer = stub.Predict(servers.request("classifier", "classify", images=pictures))
    expected = servers.direct(root, "classifier", 1, "classify", images=tf.constant(pictures))
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["label"]), expected["label"])
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["probability"]), expected["probability"])


@pytest.mark.parametrize("name", servers.MODELS)
def test_warm_up_requests_are_answered(name, root, stub):
    signatures = servers.loaded(root, name, 1)[1]
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(root / name / "1" / warmup.FILE))]
    logs = [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
    assert sorted(log.model_spec.signature_name for log in logs) == sorted(signatures)
    for log in logs:
        assert log.model_spec.name == name
        assert len(stub.Predict(log).outputs) > 0


@pytest.mark.parametrize("dims", [(3_000_000, 100), (10**13, 100), (2, 100), (-1, 100), (0,)])
def test_a_shape_larger_than_its_content_is_refused_before_there_is_an_array(dims, stub):
    promised = servers.request("gan", "serving_default")
    promised.inputs["latent"].dtype = 1  # float32
    for dim in dims:
        promised.inputs["latent"].tensor_shape.dim.add(size=dim)
    promised.inputs["latent"].float_val.append(1.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(promised)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "latent has 1 values, its shape has" in refused.value.details()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


@pytest.mark.parametrize("kind", [0, 99])
def test_a_type_that_there_is_not_is_refused(kind, stub):
    made = servers.request("gan", "serving_default", latent=np.zeros((1, 8), np.float32))
    made.inputs["latent"].dtype = kind
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(made)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "latent" in refused.value.details()


def test_an_output_filter_chooses_outputs(stub):
    asked = servers.request("gan", "sample", seed=np.int64(1), count=np.int64(1))
    asked.output_filter.append("latent")
    assert set(stub.Predict(asked).outputs) == {"latent"}
    asked.output_filter.append("nothing")
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(asked)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "nothing" in refused.value.details()


def test_malformed_messages_get_errors(stub):
    unfilled = servers.request("gan", "serving_default", latent=np.zeros((1, 100), np.float32))
    unfilled.inputs["latent"].tensor_content = b"123"
    words = servers.request("gan", "sample", seed=np.int64(1), count=np.array(["x"]))
    bad = [
        servers.request("nothing"),
        servers.request("gan", "sample", version=9, seed=np.int64(1), count=np.int64(1)),
        servers.request("gan", "sample", by_label="no", seed=np.int64(1), count=np.int64(1)),
        servers.request("gan", "nothing", seed=np.int64(1)),
        servers.request("gan", "sample", seed=np.int64(1)),
        servers.request("gan", "sample", seed=np.int64(1), count=np.int64(0)),
        servers.request("gan", "serving_default", latent=np.full((1, 100), np.nan, np.float32)),
        servers.request("gan", "serving_default", latent=np.zeros((0, 100), np.float32)),
        servers.request("acgan", "png", seed=np.int64(1), label=np.int64([10])),
        unfilled,
        words,
    ]
    for each in bad:
        with pytest.raises(grpc.RpcError) as told:
            stub.Predict(each)
        assert told.value.code() in (
            grpc.StatusCode.NOT_FOUND,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.FAILED_PRECONDITION,
        ), (told.value.code(), each)
        assert told.value.details()
    assert (
        stub.Predict(servers.request("gan", "sample", seed=np.int64(1), count=np.int64(1))).outputs["images"].dtype == 1
    )
