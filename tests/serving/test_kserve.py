"""KServe, a server that is not kgen's, answers from exports as they do when called directly.

The interpreter of an environment with kserve and tensorflow is $KGEN_KSERVE_PYTHON: the two do not fit beside the
versions of the tests' own.
"""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import servers

PYTHON = os.environ.get("KGEN_KSERVE_PYTHON")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="$KGEN_KSERVE_PYTHON is not the Python of an environment with kserve"
)


@pytest.fixture(scope="module")
def start(root, tmp_path_factory):
    """Starts KServe with a model behind it; returns what asks it for a prediction."""
    started, clean = [], {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def begin(name):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path_factory.mktemp("log") / "server.txt"
        command = [PYTHON, Path(servers.__file__).with_name("foreign_server.py"), root / name / "1", name, port]
        with log.open("w") as file:
            started.append(subprocess.Popen([*map(str, command)], env=clean, stdout=file, stderr=file, cwd=log.parent))
        for _ in range(600):
            assert started[-1].poll() is None, log.read_text()
            try:
                assert ask(port, f"v2/models/{name}/ready")["ready"]
                return lambda body: ask(port, f"v1/models/{name}:predict", body)["predictions"]
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        raise AssertionError(log.read_text())

    yield begin
    for process in started:
        process.terminate()
        process.wait(30)


def ask(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    url, kind = f"http://127.0.0.1:{port}/{path}", {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, kind), timeout=60) as answer:
        return json.load(answer)


def rows(spec, count):
    """`count` rows of an input: images in [0, 1], normal latents, labels 0, 1, 0..."""
    random, shape = np.random.default_rng(0), (count, *spec.shape[1:])
    if spec.dtype != tf.float32:
        return np.arange(count) % 2
    return (random.standard_normal(shape) if spec.name == "latent" else random.random(shape)).astype(np.float32)


ASKED = {
    "gan": {"serving_default"},
    "acgan": {"serving_default"},
    "vae": {"serving_default", "encode", "decode", "reconstruct"},
    "classifier": {"serving_default", "probabilities", "classify"},
}


@pytest.mark.parametrize("name", servers.MODELS)
def test_every_signature_of_rows_answers_as_the_export(name, root, start):
    predict = start(name)
    asked = set()
    for key, function in servers.loaded(root, name, 1)[1].items():
        specs = function.structured_input_signature[1]
        texts = any(spec.dtype == tf.string for spec in function.structured_outputs.values())
        if texts or any(spec.shape.rank == 0 or spec.shape[0] is not None for spec in specs.values()):
            continue  # files, and seeds, counts and steps, which are not rows
        inputs = {name: rows(spec, 3) for name, spec in specs.items()}
        expected = function(**{name: tf.constant(value) for name, value in inputs.items()})
        columns = [value.tolist() for value in inputs.values()]
        body = [dict(zip(inputs, row, strict=True)) for row in zip(*columns, strict=True)]
        answer = predict({"signature_name": key, "instances": body})
        for output, value in expected.items():
            found = answer if len(expected) == 1 else [row[output] for row in answer]
            np.testing.assert_allclose(found, value, atol=1e-5, err_msg=f"{key} {output}")
        asked.add(key)
    assert asked == ASKED[name]
