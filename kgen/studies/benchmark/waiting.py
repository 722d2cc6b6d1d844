"""kgen as a contestant in what a user waits for besides training."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen import data
from kgen.core import recipe as recipes
from kgen.data import pipeline
from kgen.export import saved_model
from kgen.inference import loading
from kgen.metrics import evaluator
from kgen.metrics.evidence import Real
from kgen.metrics.features import Network
from kgen.runs import build
from kgen.studies.benchmark.meter import Meter

if TYPE_CHECKING:
    from kgen.core.base_trainer import BaseTrainer

KGEN = [sys.executable, "-c", "from kgen.cli.main import main; main()"]
LEFT_OUT = ("lines", "is-biased", "parzen-report003")  # they need lines, weights of Inception, training images
EVALUATED = 10_000  # images


def help_of_kgen(meter: Meter) -> dict[str, Any]:
    """Prints the help of `kgen` in new processes."""
    goes_on = True
    while goes_on:
        subprocess.run([*KGEN, "--help"], check=True, stdout=subprocess.DEVNULL)
        goes_on = meter.did()
    return {"amount": 1}


def first_step(meter: Meter) -> dict[str, Any]:
    """Starts `kgen train` and waits for the first line of its log."""
    meter.start()
    process = subprocess.Popen([*KGEN, "train", "--log-every", "1"], stdout=sys.stderr)
    while not any(log.stat().st_size for log in Path("runs").glob("*/log.jsonl")):
        if process.poll() is not None:
            raise RuntimeError(f"kgen train ended with exit code {process.returncode}")
        time.sleep(0.02)
    meter.did()
    process.kill()
    process.wait()
    return {"amount": 1}


def input_pipeline(meter: Meter) -> dict[str, Any]:
    """Takes the steps of the default run, without training."""
    steps = pipeline.training_steps(data.load("mnist5k"), batch_size=64, seed=0, start=0, stop=10**8)
    for _ in steps:
        if not meter.did():
            break
    return {"amount": 64}


def untrained() -> "tuple[BaseTrainer, recipes.Recipe]":
    """Returns the trainer of the recipe `dcgan` before its first step, and the recipe."""
    recipe = recipes.find("dcgan")
    return build.prepare(recipe, build.load(recipe)), recipe


def export(meter: Meter) -> dict[str, Any]:
    """Writes exports."""
    trainer, recipe = untrained()
    meter.start()
    goes_on = True
    while goes_on:
        saved_model.export(trainer.best_game(), recipe, 1, Path("saved_models"))
        goes_on = meter.did()
    return {"amount": 1}


def evaluation(meter: Meter) -> dict[str, Any]:
    """Measures 10,000 images of an untrained generator against as many random ones, by an untrained network."""
    trainer, _ = untrained()
    generator = loading.of_game(trainer.best_game()).generator
    names = [name for name in evaluator.all_metrics() if name not in LEFT_OUT]
    noise = np.random.default_rng(0).integers(0, 256, (EVALUATED + 1_000, 28, 28, 1), np.uint8)
    real = Real(noise[:EVALUATED], noise[EVALUATED:], {"dataset": "noise"})
    classifier = recipes.find("classifier")
    game = build.prepare(classifier, build.load(classifier)).best_game()
    head = game.classifier.get_layer("head")

    def look(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = game.encoder(pixels.astype(np.float32) / 255, training=False)
        return features.numpy(), head(features).numpy()

    network = Network("untrained", look, {"network": "untrained", "weights_sha256": ""})
    meter.start()
    evaluator.Evaluator(names, real, network, EVALUATED)(generator)
    meter.did()
    return {"amount": 1, "measures": names}


def serving(meter: Meter) -> dict[str, Any]:
    """Asks the development server for samples, over REST."""
    trainer, recipe = untrained()
    saved_model.export(trainer.best_game(), recipe, 1, Path("saved_models"), "dcgan")
    ports = {"--rest-port": "18501", "--grpc-port": "18500"}
    flags = [word for pair in ports.items() for word in pair]
    server = subprocess.Popen([*KGEN, "serve", "--development", *flags], stdout=sys.stderr)
    address = f"http://127.0.0.1:{ports['--rest-port']}/v1/models/dcgan"
    body = json.dumps({"signature_name": "sample", "inputs": {"seed": 1, "count": 64}}).encode()
    try:
        wait_for(address, server)
        meter.start()
        goes_on = True
        while goes_on:
            urllib.request.urlopen(f"{address}:predict", data=body, timeout=60).read()
            goes_on = meter.did()
    finally:
        server.kill()
        server.wait()
    return {"amount": 1}


def wait_for(address: str, server: subprocess.Popen, seconds: float = 60.0) -> None:
    """Waits until a server answers; raises RuntimeError if it ends before, or does not answer in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not answer")
