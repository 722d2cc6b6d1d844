"""Exports of four kinds and the development server, in threads of the tests' own process."""

import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from kgen.core import recipe as recipes
from kgen.export.saved_model import export
from tests.helpers.recipes import new_trainer, shrink

MODELS = ("gan", "acgan", "vae", "classifier")


def exports(root):
    """Exports one recipe of each kind below `root`; `gan` has two versions, the first labelled."""
    for name in MODELS:
        trainer, small = new_trainer(name), shrink(recipes.find(name))
        export(trainer.best_game(), small, 2, root, name, label="stable" if name == "gan" else None)
    export(new_trainer("gan", seed=1).best_game(), shrink(recipes.find("gan")), 2, root, "gan")
    return root


class Server:
    """Both interfaces on ports of their own.

    Args:
        models: `kgen.serving.models.Models`.
    """

    def __init__(self, models):
        uvicorn = pytest.importorskip("uvicorn", reason='the server needs pip install -e ".[serving]"')
        from kgen.serving import rest, rpc

        self.grpc, self.grpc_port = rpc.server(models, "127.0.0.1:0")
        self.http = uvicorn.Server(uvicorn.Config(rest.application(models), port=0, log_level="critical"))
        self.thread = threading.Thread(target=self.http.run, daemon=True)
        self.thread.start()
        while not self.http.started:
            time.sleep(0.01)
        self.port = self.http.servers[0].sockets[0].getsockname()[1]

    def stop(self):
        self.http.should_exit = True
        self.grpc.stop(0)
        self.thread.join()

    def ask(self, path, body=None):
        """Returns `(status, JSON)` of a request; `body` is bytes, or an object to be sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/models/{path}", data=data)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


def loaded(root, name, version):
    """Returns the signatures of an export, as TensorFlow loads them."""
    model = tf.saved_model.load(str(Path(root) / name / str(version)))
    return model, model.signatures


def copied(root, target):
    """Copies exports to where a test may change them."""
    return Path(shutil.copytree(root, target))


def direct(root, name, version, signature, **inputs):
    """Returns `{output: array}` of an export called as TensorFlow loads it."""
    _, signatures = loaded(root, name, version)
    return {key: value.numpy() for key, value in signatures[signature](**inputs).items()}


def images(root, count=3):
    """Returns images in [0, 1] of the shape that the exports take."""
    _, signatures = loaded(root, "vae", 1)
    shape = signatures["encode"].structured_input_signature[1]["images"].shape[1:]
    return np.random.default_rng(0).uniform(size=(count, *shape)).astype(np.float32)


def request(name, signature="", version=None, by_label=None, **inputs):
    """Returns the message that asks a model for a prediction."""
    made = predict_pb2.PredictRequest()
    made.model_spec.name, made.model_spec.signature_name = name, signature
    if version is not None:
        made.model_spec.version.value = version
    if by_label is not None:
        made.model_spec.version_label = by_label
    for key, value in inputs.items():
        made.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return made
