"""What every paper's exports promise; as in test_every_model.py nothing here names a model."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kgen import images
from kgen.core import recipe as recipes
from kgen.export.saved_model import export
from kgen.rng import Rng
from kgen.runs import directory
from tests.helpers.recipes import new_trainer, play, shrink, slow_but

every_recipe = pytest.mark.parametrize("name", slow_but("dcgan"))


WITHOUT_KGEN = """
import sys
sys.modules["kgen"] = None  # an import of kgen fails
from pathlib import Path
import numpy as np, tensorflow as tf

def array(value):
    return np.stack([tf.io.decode_png(png) for png in value]) if value.dtype == tf.string else value.numpy()

for path in Path(sys.argv[1]).glob("*/1"):
    loaded, inputs, found = tf.saved_model.load(str(path)), np.load(path / "inputs.npz"), {}
    for key, function in loaded.signatures.items():
        specs = function.structured_input_signature[1]
        answers = function(**{name: tf.constant(inputs[f"{key}.{name}"], spec.dtype) for name, spec in specs.items()})
        found.update({f"{key}.{name}": array(value) for name, value in answers.items()})
    np.savez(path / "outputs.npz", **found)
"""


@pytest.fixture(scope="module")
def exports(request, tmp_path_factory):
    """Every recipe that is tested exported, and what a process without kgen gets from the exports."""
    root = tmp_path_factory.mktemp("exports")
    tested = [item for item in request.session.items if item.path == request.path]
    names, matches = sorted({item.callspec.params["name"] for item in tested}), {}
    for name in names:
        matches[name] = new_trainer(name)
        play(matches[name], 0, 2)
        export(matches[name].best_game(), shrink(recipes.find(name)), 2, root, name)
    for name in names:
        np.savez(root / name / "1/inputs.npz", **inputs_of(matches[name].best_game()))
    subprocess.run([sys.executable, "-c", WITHOUT_KGEN, str(root)], check=True, cwd=root)
    return root, matches


def inputs_of(game):
    """Returns something to call each signature of a game with, by the names of its inputs."""
    _, signatures = game.signatures()
    found = {"seed": np.int64(11), "count": np.int64(5), "steps": np.int64(5)}
    inputs = {}
    for key, function in signatures.items():
        count = 3 if key == "serving_default" else 5
        for spec in function.input_signature:
            if spec.name == "latent":
                with Rng(7):
                    prior = getattr(game, "prior", None)
                    drawn = prior.draw(count) if prior else Rng(7).normal((count, spec.shape[1]))
                found["latent"] = drawn.numpy()
            if spec.name == "images":
                found["images"] = np.random.default_rng(count).uniform(size=(count, *spec.shape[1:])).astype(np.float32)
            if spec.name == "label":
                found["label"] = game.labels(count)
            if spec.name in ("first", "second"):
                random = np.random.default_rng(len(spec.name))
                found[spec.name] = random.uniform(size=spec.shape).astype(np.float32)
            inputs[f"{key}.{spec.name}"] = found[spec.name]
    return inputs


@every_recipe
def test_an_export_without_kgen_equals_the_run(name, exports):
    root, matches = exports
    _, signatures = matches[name].best_game().signatures()
    inputs, outputs = np.load(root / name / "1/inputs.npz"), np.load(root / name / "1/outputs.npz")
    assert {key.split(".")[0] for key in outputs} == set(signatures) >= {"serving_default"}
    if "sample" in signatures and "decode" not in signatures:  # pictures are made of noise
        with Rng(7):  # whose first draw is the latent that was served
            shown = matches[name].best_game().pictures(3).numpy()
        np.testing.assert_array_equal(outputs["serving_default.images"], shown)
        with Rng(0).fold_in(11, 0):  # the two halves of the seed
            drawn = matches[name].best_game().pictures(5).numpy()
        np.testing.assert_allclose(outputs["sample.images"], drawn, atol=1e-6)
    if "sample" in signatures:
        given = {"latent": outputs["sample.latent"], "label": inputs.get("sample.label")}
        decode = signatures["decode" if "decode" in signatures else "serving_default"]
        again = decode(**{s.name: tf.constant(given[s.name], s.dtype) for s in decode.input_signature})
        np.testing.assert_array_equal(outputs["sample.images"], again["images"])
        np.testing.assert_array_equal(outputs["png.image_bytes"], images.to_bytes(outputs["sample.images"]))
        with Rng(0).fold_in(11, 0):
            latent = tf.function(matches[name].best_game().prior.draw)(5)  # a graph, since a prior may have networks
        np.testing.assert_array_equal(outputs["sample.latent"], latent)
    for key, function in signatures.items():
        specs = function.input_signature
        answers = function(**{s.name: tf.constant(inputs[f"{key}.{s.name}"], s.dtype) for s in specs})
        for output, value in answers.items():
            if value.dtype == tf.string:
                value = tf.stack([tf.io.decode_png(png) for png in value])
            np.testing.assert_array_equal(outputs[f"{key}.{output}"], value.numpy(), f"{key}.{output}")


@every_recipe
def test_an_export_brings_its_papers(name, exports):
    folder = exports[0] / name / "1"
    assert directory.read_recipe(folder).name == name
    card = (folder / "README.md").read_text()
    assert (
        all(key in card for key in matches_signatures(exports, name)) and (folder / "samples.png").stat().st_size > 100
    )


def matches_signatures(exports, name):
    return exports[1][name].best_game().signatures()[1]
