"""Starts a server: TensorFlow Serving where it is installed, otherwise the server for development."""

import json
import shlex
import shutil
from pathlib import Path

from kgen.export import models_config
from kgen.serving.models import Models, Refused

REAL = "tensorflow_model_server"
SAVE = """| python3 -c 'import base64, json, sys
for i, png in enumerate(json.load(sys.stdin)["outputs"]): open(f"{i}.png", "wb").write(base64.b64decode(png["b64"]))'"""


def command(root: Path | str, rest_port: int, grpc_port: int, batch: bool = False) -> list[str] | None:
    """Returns the command line of TensorFlow Serving for a folder of exports; None if it is not installed.

    Args:
        root: the folder of exports.
        rest_port: port of the REST interface.
        grpc_port: port of the gRPC interface.
        batch: whether requests that come at the same time are answered together.
    """
    program = shutil.which(REAL)
    if program is None:
        return None
    return [
        program,
        f"--model_config_file={Path(root).absolute() / models_config.FILE}",
        "--model_config_file_poll_wait_seconds=30",  # for new models; new versions are found within a second
        "--allow_version_labels_for_unavailable_models=true",
        f"--rest_api_port={rest_port}",
        f"--port={grpc_port}",
        *(["--enable_batching=true"] if batch else []),
    ]


def examples(root: Path | str, rest_port: int, most: int = 3, trust: bool = False) -> list[str]:
    """Returns commands to paste into a shell, one for each of the first `most` models, see `line`.

    In place of a model of which no version can be loaded stands the reason, as a comment of the shell.
    """
    models, found = Models(root, trust=trust), []
    for name in models.names()[:most]:
        try:
            found.append(line(models, name, rest_port))
        except Refused as refused:
            found.append(f"# {refused.message}")
    return found


def line(models: Models, name: str, rest_port: int) -> str:
    """Returns a `curl` command that asks a model for images, or for its metadata if that needs longer inputs."""
    found, place = models.signatures(name, models.resolve(name)), f"http://127.0.0.1:{rest_port}/v1/models/{name}"
    inputs = {"seed": 1, "count": 4, "label": [0, 1, 2, 3]}
    for signature in ("png", "serving_default"):
        specs = found[signature].structured_input_signature[1] if signature in found else {}
        if specs and set(specs) <= set(inputs):
            body = {"signature_name": signature, "inputs": {key: inputs[key] for key in specs}}
            return f"curl -s -d {shlex.quote(json.dumps(body))} {place}:predict {SAVE if signature == 'png' else ''}"
    return f"curl -s {place}/metadata"


def serve(
    root: Path | str,
    rest_port: int,
    grpc_port: int,
    batch: bool = False,
    trust: bool = False,
    host: str = "127.0.0.1",
) -> None:
    """Runs the server for development until it is interrupted.

    Args:
        root: the folder of exports.
        rest_port: port of the REST interface.
        grpc_port: port of the gRPC interface.
        batch: whether requests that come at the same time are answered together.
        trust: whether exports may touch files, the network or Python.
        host: address to listen at; 127.0.0.1 is for this machine only.
    """
    import uvicorn

    from kgen.serving import rest, rpc

    models = Models(root, batch, trust)
    grpc_server, _ = rpc.server(models, f"{host}:{grpc_port}")
    try:
        uvicorn.run(rest.application(models), host=host, port=rest_port, log_level="warning")
    finally:
        grpc_server.stop(grace=1)
