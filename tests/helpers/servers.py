"""Exports of four kinds and the development server, in threads of the tests' own process."""

import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import tensorflow as tf

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
