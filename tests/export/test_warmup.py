"""Warm-up requests read back: one for each signature, with inputs that every signature allows."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from kgen.export import warmup


@tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32, "latent")])
def decode(latent):
    return {"images": latent}


@tf.function(input_signature=[tf.TensorSpec((), tf.int64, "seed"), tf.TensorSpec((), tf.int64, "count")])
def sample(seed, count):
    return {"images": seed + count}


@tf.function(input_signature=[tf.TensorSpec((4, 4, 1), tf.float32, "first"), tf.TensorSpec((), tf.int64, "steps")])
def interpolate(first, steps):
    return {"images": first}


def test_each_signature_has_a_request_with_inputs_of_its_shapes(tmp_path):
    warmup.write(tmp_path, "mine", {"decode": decode, "sample": sample, "interpolate": interpolate})
    records = tf.data.TFRecordDataset(str(tmp_path / "assets.extra/tf_serving_warmup_requests"))
    logs = [prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request for record in records]
    found = {log.model_spec.signature_name: {k: tf.make_ndarray(v) for k, v in log.inputs.items()} for log in logs}
    assert {log.model_spec.name for log in logs} == {"mine"}
    expected = {
        "decode": {"latent": np.zeros((2, 3), np.float32)},
        "sample": {"seed": np.int64(0), "count": np.int64(2)},
        "interpolate": {"first": np.zeros((4, 4, 1), np.float32), "steps": np.int64(2)},
    }
    assert found.keys() == expected.keys()
    for name, inputs in expected.items():
        assert found[name].keys() == inputs.keys()
        for key, value in inputs.items():
            assert found[name][key].dtype == value.dtype
            np.testing.assert_array_equal(found[name][key], value)
