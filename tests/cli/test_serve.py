"""What scripts/serve.py starts answers as exports do: TensorFlow Serving if installed, else the server of kgen."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.helpers import processes, servers

NEWEST = {name: 2 if name == "gan" else 1 for name in servers.MODELS}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return servers.exports(tmp_path_factory.mktemp("exports"))


def ask(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models/{path}", data, timeout=60) as answer:
        return json.load(answer)


def up(port, name):
    """Whether the newest version answers."""
    try:
        states = {int(each["version"]): each["state"] for each in ask(port, name)["model_version_status"]}
    except OSError:
        return False
    return states.get(NEWEST[name]) == "AVAILABLE"


@pytest.fixture(scope="module")
def ports(root, tmp_path_factory):
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        rest, rpc = first.getsockname()[1], second.getsockname()[1]
    flags = ["--exports", root, "--rest-port", rest, "--grpc-port", rpc]
    log = tmp_path_factory.mktemp("log") / "server.txt"
    with log.open("w") as file:  # a pipe that no one reads would fill up
        command = [sys.executable, processes.SCRIPTS / "serve.py", *map(str, flags)]
        environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
        process = subprocess.Popen(command, env=environment, cwd=log.parent, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 300
        while not all(up(rest, name) for name in servers.MODELS):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield rest, rpc
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def stub(ports):
    with grpc.insecure_channel(f"127.0.0.1:{ports[1]}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def inputs_of(function):
    """Inputs that a signature allows: images in [0, 1], normal latents, label 1, and 3 of what is counted."""
    random, found = np.random.default_rng(0), {}
    for name, spec in function.structured_input_signature[1].items():
        shape = [3 if size is None else size for size in spec.shape]
        whole = spec.dtype.is_integer
        drawn = random.standard_normal(shape) if name == "latent" else random.random(shape)
        value = np.full(shape, 3 if name in ("count", "steps") else 1) if whole else drawn
        found[name] = value.astype(spec.dtype.as_numpy_dtype)
    return found


def plain(outputs):
    """REST's columns as arrays by name, as an output alone comes without one."""
    columns = outputs if isinstance(outputs, dict) else {None: outputs}
    texts = isinstance(next(iter(columns.values()))[0], dict)
    return {key: [base64.b64decode(row["b64"]) for row in rows] if texts else rows for key, rows in columns.items()}


@pytest.mark.parametrize("name", servers.MODELS)
def test_each_signature_answers_as_the_export(name, root, ports, stub):
    _, signatures = servers.loaded(root, name, NEWEST[name])
    for key, function in signatures.items():
        inputs = inputs_of(function)
        expected = {k: v.numpy() for k, v in function(**{k: tf.constant(v) for k, v in inputs.items()}).items()}
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = name, key
        for each, value in inputs.items():
            request.inputs[each].CopyFrom(tf.make_tensor_proto(value))
        over_grpc = {k: tf.make_ndarray(v) for k, v in stub.Predict(request, timeout=60).outputs.items()}
        body = {"signature_name": key, "inputs": {k: v.tolist() for k, v in inputs.items()}}
        over_rest = plain(ask(ports[0], f"{name}:predict", body)["outputs"])
        for output, value in expected.items():
            for found in (over_grpc[output], over_rest.get(output, over_rest.get(None))):
                if value.dtype == object:
                    assert list(found) == list(value), (key, output)
                else:
                    np.testing.assert_allclose(found, value, atol=1e-5, err_msg=f"{key} {output}")


def test_what_a_signature_refuses_comes_back_as_its_words(ports, stub):
    body = {"signature_name": "sample", "inputs": {"seed": 1, "count": 100_000}}
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(ports[0], "gan:predict", body)
    assert refused.value.code == 400 and "256" in refused.value.read().decode()
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "gan", "sample"
    for name, value in body["inputs"].items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(np.int64(value)))
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(request, timeout=60)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "256" in refused.value.details()
