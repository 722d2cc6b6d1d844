"""Two thousand malformed requests over REST and gRPC: statuses of TensorFlow Serving, JSON errors, memory given back.

`KGEN_SOAK_REQUESTS=200 pytest -m soak tests/soak/test_requests.py` is a shorter one.
"""

import collections
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.helpers import processes, servers

pytestmark = pytest.mark.soak
REQUESTS = int(os.environ.get("KGEN_SOAK_REQUESTS", "2000"))
STATUSES = {200, 400, 404, 405, 412, 413}
CODES = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
SPARE = 200_000  # kilobytes that may stay
NAMES = [*servers.MODELS, "nowhere", "", "..", "a" * 300, "%00", "é"]
SIGNATURES = ["", "serving_default", "sample", "png", "encode", "decode", "reconstruct", "interpolate", "nonsense"]
INPUTS = ["latent", "label", "images", "seed", "count", "first", "second", "steps", "nonsense"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server in a process of its own: `(process, REST port, gRPC port)`."""
    root = servers.exports(tmp_path_factory.mktemp("exports"))
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        ports = first.getsockname()[1], second.getsockname()[1]
    flags = ["--exports", root, "--rest-port", ports[0], "--grpc-port", ports[1]]
    command = [sys.executable, processes.SCRIPTS / "serve.py", *map(str, flags)]
    log = root.parent / f"{root.name}.txt"
    with log.open("w") as file:
        process = subprocess.Popen(command, env=processes.environment(), cwd=root.parent, stdout=file, stderr=file)
    deadline = time.monotonic() + 300
    while not all(ready(ports[0], name) for name in servers.MODELS):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    yield process, *ports
    process.send_signal(signal.SIGTERM)
    process.wait()


def ready(port, name):
    try:
        status, answer = ask(port, "GET", f"/v1/models/{name}", None)
    except OSError:
        return False
    return status == 200 and answer["model_version_status"][0]["state"] == "AVAILABLE"


def ask(port, method, path, body):
    """Returns `(status, JSON)`; a body that is no JSON is a failure of the test."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def kilobytes(process):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0])


def value(rng, depth=0):
    """Returns anything that JSON may hold, now and then what a signature takes."""
    made = [
        lambda: rng.choice([0, 1, -1, 7, 2**31, 2**63, -(2**63), 10**30]),
        lambda: rng.choice([0.5, 3e38, -1e308, float("nan"), float("inf"), 1e-320]),
        lambda: rng.choice(["", "x", "é" * 50, "a" * 100_000, {"b64": "AAAA"}, {"b64": "?"}, None, True]),
        lambda: [rng.random() for _ in range(rng.choice([0, 1, 20, 100]))],
        lambda: [[rng.random()] * rng.choice([1, 20, 100])] * rng.choice([0, 1, 3, 300]),
        lambda: np.zeros((rng.choice([1, 2, 257]), 32, 32, 1)).tolist(),
    ]
    if depth < 3 and rng.random() < 0.3:
        return [value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return rng.choice(made)()


def rest_request(rng):
    """Returns `(method, path, body)`."""
    name = urllib.parse.quote(rng.choice(NAMES), safe="%")
    version = rng.choice(
        ["", "", "/versions/1", "/versions/99", "/versions/" + "9" * 5000, "/labels/stable", "/labels/x"]
    )
    verb = rng.choice([":predict", ":predict", ":predict", ":classify", "", "/metadata", ":" + "x" * 50])
    body = {
        rng.choice(["inputs", "instances", "nonsense"]): {
            rng.choice(INPUTS): value(rng) for _ in range(rng.randint(0, 3))
        }
    }
    body |= {"signature_name": rng.choice([*SIGNATURES, 5, None])} if rng.random() < 0.8 else {}
    text = json.dumps(body).encode()
    broken = [text[: len(text) // 2], b"[" * 100_000, b"\xff\xfe", b"", text + text, json.dumps(value(rng)).encode()]
    text = rng.choice(broken) if rng.random() < 0.3 else text
    path = f"/v1/models/{name}{version}{verb}" if rng.random() < 0.95 else rng.choice(["/", "/v1", "//", "/v1/models/"])
    return rng.choice(["POST"] * 8 + ["GET", "PUT"]), path, text


def rpc_request(rng):
    """Returns a message whose tensors promise and hold unlike things."""
    made = predict_pb2.PredictRequest()
    made.model_spec.name = rng.choice([*servers.MODELS, *servers.MODELS, "nowhere", ""])
    made.model_spec.signature_name = rng.choice(SIGNATURES)
    if rng.random() < 0.2:
        made.model_spec.version.value = rng.choice([1, 99, -1, 2**62])
    for _ in range(rng.randint(0, 3)):
        tensor = made.inputs[rng.choice(INPUTS)]
        tensor.dtype = rng.choice([0, 1, 2, 3, 7, 9, 9, 1, 14, 19, 21])
        for _ in range(rng.randint(0, 4)):
            tensor.tensor_shape.dim.add(size=rng.choice([-1, 0, 1, 3, 32, 100, 257, 10**7, 10**13, 2**62]))
        tensor.tensor_shape.unknown_rank = rng.random() < 0.1
        tensor.tensor_content = rng.choice([b"", b"", rng.randbytes(7), bytes(400)])
        tensor.float_val.extend([rng.random()] * rng.choice([0, 1, 100]))
        tensor.int64_val.extend([rng.choice([1, -1, 2**62])] * rng.choice([0, 0, 1, 3]))
        tensor.string_val.extend([b"x"] * rng.choice([0, 0, 1]))
    return made


def test_rest(served):
    process, port, _ = served
    rng, found = random.Random(0), collections.Counter()
    ask(
        port, "POST", "/v1/models/gan:predict", json.dumps({"signature_name": "png", "inputs": {"seed": 1, "count": 9}})
    )
    before = kilobytes(process)
    for _ in range(REQUESTS):
        method, path, body = rest_request(rng)
        status, answer = ask(port, method, path, body)
        found[status] += 1
        assert status in STATUSES, (method, path, body[:300], answer)
        assert status == 200 or set(answer) == {"error"} and answer["error"], (method, path, body[:300], answer)
    print(f"REST: {dict(found)}, {kilobytes(process) - before} kB more")
    assert ready(port, "gan") and kilobytes(process) - before < SPARE


def test_grpc(served):
    process, port, rpc = served
    rng, found = random.Random(1), collections.Counter()
    with grpc.insecure_channel(f"127.0.0.1:{rpc}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        stub.Predict(servers.request("gan", "sample", seed=np.int64(1), count=np.int64(9)))
        before = kilobytes(process)
        for _ in range(REQUESTS):
            made = rpc_request(rng)
            try:
                stub.Predict(made)
                code, details = "OK", "-"
            except grpc.RpcError as error:
                code, details = error.code().name, error.details()
            found[code] += 1
            assert code in CODES and details, (code, details, str(made)[:500])
    print(f"gRPC: {dict(found)}, {kilobytes(process) - before} kB more")
    assert ready(port, "gan") and kilobytes(process) - before < SPARE
