"""Serves exports: kgen serve"""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing


@dataclass(frozen=True)
class Options:
    """Serves every export below a folder over REST and gRPC, by TensorFlow Serving where it is installed."""

    exports: Path = Path("saved_models")  # The folder of exports, or one model of it.
    rest_port: int = 8501  # Of the REST interface.
    grpc_port: int = 8500  # Of the gRPC interface.
    enable_batching: bool = False  # Whether to answer simultaneous requests together, see docs/serving.md.
    trust: bool = False  # Serve exports even if they may touch files or the network: a SavedModel is a program.
    development: bool = False  # Whether to use kgen's small server, for this machine only, in any case.


def say(words: str) -> None:
    """Prints words on stderr, at once."""
    print(words, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name until Ctrl-C, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    parsing.demand(
        options.exports.is_dir(), f"--exports {options.exports}: there is no such folder. Train something first."
    )
    ports = (options.rest_port, options.grpc_port)
    parsing.demand(
        all(0 < port < 65536 for port in ports) and ports[0] != ports[1], "The ports must be two, of 1 to 65535."
    )
    from kgen.serving import launch

    real = None if options.development else launch.command(options.exports, *ports, options.enable_batching)
    say(
        "Try, in another terminal:\n"
        + "\n".join(launch.examples(options.exports, options.rest_port, trust=options.trust))
    )
    if real:
        say(f"Starting: {shlex.join(real)}")
        os.execv(real[0], real)
    say(
        f"Serving on http://127.0.0.1:{ports[0]} and gRPC {ports[1]}, with a server for development: one process, "
        "this machine alone. For production install tensorflow_model_server: docs/serving.md. Ctrl-C ends."
    )
    launch.serve(options.exports, *ports, options.enable_batching, options.trust)
    return 0
