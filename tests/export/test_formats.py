"""Exports as ONNX and TensorFlow Lite answer as the SavedModel does."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import layers
from kgen.cli import parsing
from kgen.core import recipe as recipes
from kgen.core import requests
from kgen.errors import UsageError
from kgen.export import formats, saved_model
from tests.helpers import commands
from tests.helpers.recipes import new_trainer, play, shrink, slow_but

onnx = pytest.importorskip("onnx", reason='pip install -e ".[convert]"')
onnxruntime = pytest.importorskip("onnxruntime", reason='pip install -e ".[convert]"')
litert = pytest.importorskip("ai_edge_litert.interpreter", reason='pip install -e ".[convert]"')
KINDS = ("classifier",)  # -m slow converts all


def asked(function, count):
    """Inputs of the test's own: `count` images or latents, labels 0, 1, 0..., `count` steps."""
    random = np.random.default_rng(count)
    kinds = {
        "latent": lambda shape: random.standard_normal(shape, np.float32),
        "label": lambda shape: np.arange(count) % 2,
        "steps": lambda shape: np.array(count),
    }
    specs = function.input_signature
    shapes = {spec.name: [count if size is None else size for size in spec.shape] for spec in specs}
    return {name: kinds.get(name, lambda shape: random.random(shape, np.float32))(s) for name, s in shapes.items()}


def written(name, root, kind):
    """Exports a trained game in one format; returns its signatures and the folder."""
    trainer = new_trainer(name)
    play(trainer, 0, 2)
    game = trainer.best_game()
    folder = saved_model.export(game, shrink(recipes.find(name)), 2, root, name, convert=formats.FORMATS[kind])
    return game.signatures()[1], folder


def agree(answers, function, inputs):
    for name, value in function(**{k: tf.constant(v) for k, v in inputs.items()}).items():
        np.testing.assert_allclose(answers[name], value, atol=2e-5, rtol=1e-4, err_msg=name)


def check_onnx(name, root):
    signatures, folder = written(name, root, "onnx")
    found = {path.stem for path in (folder / "onnx").iterdir()}
    for key in found:
        session = onnxruntime.InferenceSession(folder / "onnx" / f"{key}.onnx")
        names = [node.name for node in session.get_outputs()]
        for count in (1, 7):  # other batches than that of the conversion
            inputs = asked(signatures[key], max(count, 2) if key == "interpolate" else count)
            agree(dict(zip(names, session.run(None, inputs), strict=True)), signatures[key], inputs)
    return found


def check_tflite(name, root):
    signatures, folder = written(name, root, "tflite")
    interpreter = litert.Interpreter(str(folder / "model.tflite"))
    found = set(interpreter.get_signature_list())
    for key in found:
        for count in (1, 7):
            inputs = asked(signatures[key], max(count, 2) if key == "interpolate" else count)
            agree(interpreter.get_signature_runner(key)(**inputs), signatures[key], inputs)
    return found


ONNX = {
    "dcgan": {"serving_default"},
    "acgan": {"serving_default"},
    "vae": {"encode", "decode", "interpolate"},
    "classifier": {"serving_default", "probabilities", "classify"},
}


@pytest.mark.parametrize("name", KINDS)
def test_onnx_files_answer_as_the_run(name, tmp_path):
    assert check_onnx(name, tmp_path) == ONNX[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_tflite_files_answer_as_the_run(name, tmp_path):
    more = {"serving_default", "reconstruct"} if name == "vae" else set()
    assert check_tflite(name, tmp_path) == ONNX[name] | more


@pytest.mark.slow
@pytest.mark.parametrize("name", slow_but())
def test_every_recipe_converts(name, tmp_path):
    assert check_onnx(name, tmp_path / "a") and check_tflite(name, tmp_path / "b")


def test_a_wrong_conversion_is_refused():
    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, "latent")])
    def decode(latent):
        return {"images": latent * 2.0}

    inputs = formats.example(decode)
    right = inputs["latent"] * 2
    for other in (right[:1], right.astype(np.float64), right[0, 0]):
        with pytest.raises(UsageError, match=r"its images is not float32 of shape \(3, 2\)"):
            formats.compare("x.onnx", {"images": other}, decode, inputs)
    with pytest.raises(UsageError, match="its images is not"):
        formats.compare("x.onnx", {}, decode, inputs)
    formats.compare("x.onnx", {"images": right}, decode, inputs)
    for wrong in (right + 0.01, right * np.nan):
        with pytest.raises(UsageError, match="x.onnx was converted wrongly: its images"):
            formats.compare("x.onnx", {"images": wrong}, decode, inputs)


def served(network):
    """A module and its only signature."""

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, "latent")])
    def decode(latent):
        return {"images": network(latent)}

    return requests.module_of(network.variables, decode)


def needs_mending(name):
    """Networks that the converters alone got wrong."""
    keras.utils.set_random_seed(0)
    x = latent = keras.Input((4, 5, 3))
    if name == "padded":  # padding of -1, -2, and of 1 and -1
        x = keras.layers.Conv2DTranspose(3, 2, 3, output_padding=(1, 2))(x)
        x = keras.layers.Conv2DTranspose(2, (2, 3), 2, padding="same", output_padding=1)(x)
    elif name == "repeated":
        for _ in range(3):
            x = keras.layers.LeakyReLU(0.2)(keras.layers.Conv2D(3, 3, padding="same")(x))
            x = layers.repeated(keras.layers.LeakyReLU(0.2)(keras.layers.Conv2D(3, 3, padding="same")(x)))
        x = keras.layers.Conv2D(1, 3, padding="same")(x)
    else:
        x = layers.VectorQuantizer(5)(x)
    return keras.Model(latent, x)


@pytest.mark.slow
@pytest.mark.parametrize("kind", formats.FORMATS)
@pytest.mark.parametrize("name", ["padded", "repeated", "quantized"])
def test_what_the_converters_get_wrong_is_mended(name, kind, tmp_path):
    module, functions = served(needs_mending(name))
    tf.saved_model.save(module, str(tmp_path), signatures=functions)
    formats.FORMATS[kind](tmp_path, functions)
    if kind == "onnx":
        onnx.checker.check_model(tmp_path / "onnx/decode.onnx", full_check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", formats.FORMATS)
def test_what_cannot_be_converted_is_told_and_leaves_nothing(kind, tmp_path):
    strange = tf.Module()
    strange.beta = tf.function(
        lambda latent: {"images": tf.math.betainc(latent + 1, latent + 1, latent)},
        input_signature=[tf.TensorSpec((None, 3), tf.float32, "latent")],
    )

    def another(folder, signatures):
        tf.saved_model.save(strange, str(folder / "strange"), signatures={"decode": strange.beta})
        formats.FORMATS[kind](folder / "strange", {"decode": strange.beta})

    game, small = new_trainer("gan").best_game(), shrink(recipes.find("gan"))
    with pytest.raises(UsageError, match="cannot be written: .* Without --format"):
        saved_model.export(game, small, 2, tmp_path, "gan", convert=another)
    assert not (tmp_path / "gan").exists()
    first = saved_model.export(game, small, 2, tmp_path, "gan")
    with pytest.raises(UsageError, match="cannot be written"):
        saved_model.export(game, small, 2, tmp_path, "gan", convert=another)
    assert list((tmp_path / "gan").iterdir()) == [first]


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A run that was trained in bfloat16, which TensorFlow Lite does not have."""
    root = tmp_path_factory.mktemp("half")
    small = ["--model", "dcgan", "--width", 4, "--latent-dim", 8, "--batch-size", 8, "--steps", 2]
    places = ["--runs-dir", root / "runs", "--exports-dir", root / "saved_models"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *map(str, [*small, "--precision", "mixed_bfloat16", *places])])
        with pytest.raises(SystemExit):
            parsing.run(commands.main_of("train"), sys.argv[1:])
    return places


@pytest.mark.slow
@pytest.mark.parametrize("kind, path", [("onnx", "onnx/serving_default.onnx"), ("tflite", "model.tflite")])
def test_the_script_writes_them_in_float32(kind, path, half, monkeypatch, capsys):
    code, out, _ = commands.call(monkeypatch, capsys, "export", *half, "--format", kind)
    assert code == 0
    folder = half[3] / "dcgan-mnist5k" / out.split()[-1].rpartition("/")[2]
    latent = np.random.default_rng(0).standard_normal((3, 8), np.float32)
    if kind == "onnx":
        (images,) = onnxruntime.InferenceSession(folder / path).run(None, {"latent": latent})
    else:
        images = litert.Interpreter(str(folder / path)).get_signature_runner("serving_default")(latent=latent)["images"]
    served = tf.saved_model.load(str(folder)).signatures["serving_default"](latent=tf.constant(latent))["images"]
    np.testing.assert_allclose(images, served, atol=1e-5)
    before = tf.saved_model.load(str(half[3] / "dcgan-mnist5k/1")).signatures["serving_default"]
    np.testing.assert_allclose(images, before(latent=tf.constant(latent))["images"], atol=0.02)  # bfloat16's


def test_without_a_converter_the_script_says_what_to_install(half, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    before = sorted((half[3] / "dcgan-mnist5k").iterdir())
    code, _, err = commands.call(monkeypatch, capsys, "export", *half, "--format", "onnx")
    assert code == 2 and 'pip install -e ".[convert]"' in err
    assert sorted((half[3] / "dcgan-mnist5k").iterdir()) == before
