"""Starting a server: the real one where it is installed, the one for development elsewhere."""

import json
import shlex
import shutil
from pathlib import Path

from kgen.export import models_config
from kgen.serving.models import Models

REAL = "tensorflow_model_server"
SAVE = """| python3 -c 'import base64, json, sys
for i, png in enumerate(json.load(sys.stdin)["outputs"]): open(f"{i}.png", "wb").write(base64.b64decode(png["b64"]))'"""


def command(root: str, rest_port: int, grpc_port: int, batch: bool = False) -> None:
    """Returns the command line of TensorFlow Serving for a folder of exports; None where it is not installed."""
    program = shutil.which(REAL)
    if program is None:
        return None
    return [
        program,
        f"--model_config_file={Path(root).absolute() / models_config.FILE}",
        "--model_config_file_poll_wait_seconds=30",  # new versions of a model are looked for every second anyhow
        "--allow_version_labels_for_unavailable_models=true",
        f"--rest_api_port={rest_port}",
        f"--port={grpc_port}",
        *(["--enable_batching=true"] if batch else []),
    ]


def examples(root: Path, rest_port: int, most: int = 3) -> list[str]:
    """Returns lines to paste into a shell: a call of each of the first models, as a person would."""
    models = Models(root)
    return [line(models, name, rest_port) for name in models.names()[:most]]


def line(models: Models, name: str, rest_port: int) -> str:
    """Returns a `curl` command for a model, of the signature that needs least typing."""
    found, place = models.signatures(name, models.resolve(name)), f"http://127.0.0.1:{rest_port}/v1/models/{name}"
    inputs = {"seed": 1, "count": 4, "label": [0, 1, 2, 3]}
    for signature in ("png", "serving_default"):
        specs = found[signature].structured_input_signature[1] if signature in found else {}
        if specs and set(specs) <= set(inputs):
            body = {"signature_name": signature, "inputs": {key: inputs[key] for key in specs}}
            return f"curl -s -d {shlex.quote(json.dumps(body))} {place}:predict {SAVE if signature == 'png' else ''}"
    return f"curl -s {place}/metadata"


def serve(root: Path, rest_port: int, grpc_port: int, batch: bool = False, host: str = "127.0.0.1") -> None:
    """Runs the development server until it is interrupted."""
    import uvicorn

    from kgen.serving import rest, rpc

    models = Models(root, batch)
    grpc_server, _ = rpc.server(models, f"{host}:{grpc_port}")
    try:
        uvicorn.run(rest.application(models), host=host, port=rest_port, log_level="warning")
    finally:
        grpc_server.stop(grace=1)
