"""What an export answers, and that nobody ever sees half of one."""

import dataclasses
import io
import os
import re
import threading

import numpy as np
import pytest
import tensorflow as tf
from filelock import FileLock
from PIL import Image
from tensorflow.python.tools import saved_model_utils

from kgen.core import recipe as recipes
from kgen.core import requests
from kgen.errors import UsageError
from kgen.export import saved_model
from kgen.runs import build, directory
from tests.helpers.recipes import pictures

SMALL = dataclasses.replace(recipes.find("dcgan"), width=4, latent_dim=8, batch_size=8, steps=5)


@pytest.fixture(scope="module")
def game():
    return build.prepare(SMALL, pictures()).best_game()


@pytest.fixture(scope="module")
def exported(game, tmp_path_factory):
    return saved_model.export(game, SMALL, 5, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def answers(exported):
    """`{signature: function}` of the loaded export; counts and seeds may be plain integers."""
    loaded = tf.saved_model.load(str(exported))

    def call(name):
        def function(**inputs):
            if name == "serving_default":
                return loaded.signatures[name](**inputs)["images"].numpy()
            values = loaded.signatures[name](**{k: tf.constant(v, tf.int64) for k, v in inputs.items()})
            return values["image_bytes" if name == "png" else "images"].numpy()

        return function

    return {name: call(name) for name in loaded.signatures}


def test_names_kinds_and_shapes_are_those_that_clients_are_told(exported):
    graph = saved_model_utils.get_meta_graph_def(str(exported), "serve")  # what saved_model_cli shows

    def described(tensors):
        return {
            name: (tf.dtypes.as_dtype(tensor.dtype).name, [d.size for d in tensor.tensor_shape.dim])
            for name, tensor in tensors.items()
        }

    found = {
        key: (described(s.inputs), described(s.outputs)) for key, s in graph.signature_def.items() if key[0] != "_"
    }
    drawn = {"seed": ("int64", []), "count": ("int64", [])}
    assert found == {
        "serving_default": ({"latent": ("float32", [-1, 8])}, {"images": ("float32", [-1, 32, 32, 1])}),
        "sample": (drawn, {"images": ("float32", [-1, 32, 32, 1]), "latent": ("float32", [-1, 8])}),
        "png": (drawn, {"image_bytes": ("string", [-1])}),
    }


def test_equal_seeds_give_equal_images_and_others_others(answers):
    sample = answers["sample"]
    np.testing.assert_array_equal(sample(seed=5, count=8), sample(seed=5, count=8))
    np.testing.assert_allclose(sample(seed=5, count=3), sample(seed=5, count=8)[:3], atol=1e-6)
    many = [sample(seed=seed, count=2) for seed in (0, 1, -1, 2**31, 2**32, 2**32 + 1, 2**63 - 1, -(2**63))]
    single = {image.tobytes() for images in many for image in images}
    assert len(single) == 2 * len(many)


def test_png_is_the_rounded_sample(answers):
    images, encoded = answers["sample"](seed=3, count=4), answers["png"](seed=3, count=4)
    assert images.shape == (4, 32, 32, 1) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    assert encoded.shape == (4,)
    for image, png in zip(images, encoded, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), np.rint(image[..., 0] * 255))


def test_serving_default_is_the_generator(answers, game):
    latent = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    expected = np.asarray(game.generator(latent, training=False)) / 2 + 0.5
    np.testing.assert_allclose(answers["serving_default"](latent=tf.constant(latent)), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["sample", "png"])
@pytest.mark.parametrize("count", [0, -1, 257, 2**31, 2**32 + 1, -(2**63)])
def test_a_count_out_of_bounds_is_refused_in_words(name, count, answers):
    with pytest.raises(tf.errors.InvalidArgumentError, match="count must be from 1 to 256, but is") as refusal:
        answers[name](seed=0, count=count)
    assert str(count) in str(refusal.value)


@pytest.mark.parametrize("count", [0, 257])
def test_a_batch_of_latents_out_of_bounds_is_refused_in_words(count, answers):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="number of latents must be from 1 to 256, but is"
    ) as refusal:
        answers["serving_default"](latent=tf.zeros((count, 8)))
    assert str(count) in str(refusal.value)


@pytest.mark.parametrize("count", [1, 256])
def test_the_bounds_themselves_are_allowed(count, answers):
    assert requests.LIMIT == 256
    assert answers["sample"](seed=0, count=count).shape[0] == count
    assert len(answers["png"](seed=0, count=count)) == count
    assert answers["serving_default"](latent=tf.zeros((count, 8))).shape[0] == count


def test_latents_of_another_size_are_refused(answers):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"size-incompatible: In\[0\]: \[1,9\]"):
        answers["serving_default"](latent=tf.zeros((1, 9)))


# Versions.

PARTS = {"saved_model.pb", "variables/variables.index", "recipe.json", "README.md", "samples.png", "fingerprint.pb"}


def test_versions_count_up_and_are_never_seen_half(game, tmp_path):
    folder, halves, seen, done = tmp_path / "digits", [], set(), threading.Event()

    def poll():
        while not done.is_set():
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.name.isdigit():
                    seen.add(path.name)
                    halves.extend((path.name, part) for part in PARTS if not (path / part).exists())

    reader = threading.Thread(target=poll)
    reader.start()
    made = [saved_model.export(game, SMALL, 5, tmp_path, "digits") for _ in range(2)]
    (folder / "41").mkdir()
    (folder / "41/kept").write_text("")
    for part in PARTS:  # the reader must not stumble over the test's own folder
        (folder / "41" / part).parent.mkdir(exist_ok=True)
        (folder / "41" / part).touch()
    made.append(saved_model.export(game, SMALL, 5, tmp_path, "digits"))
    done.set()
    reader.join()
    assert [path.name for path in made] == ["1", "2", "42"]
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2", "41", "42"]
    assert {"1", "2"} <= seen and {half for half in halves if half[0] != "41"} == set()
    assert [re.match(r"# digits, version (\d+)", (path / "README.md").read_text())[1] for path in made] == [
        "1", "2", "42",
    ]  # fmt: skip


def test_two_exporters_take_turns(game, tmp_path):
    found = []
    other = FileLock(tmp_path / ".digits.lock")
    with other:
        thread = threading.Thread(target=lambda: found.append(saved_model.export(game, SMALL, 5, tmp_path, "digits")))
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive() and not list((tmp_path / "digits").iterdir())
        (tmp_path / "digits/1").mkdir(parents=True)
        (tmp_path / "digits/1/theirs").write_text("")
    thread.join()
    assert found == [tmp_path / "digits/2"]
    assert (found[0] / "README.md").read_text().startswith("# digits, version 2\n")
    assert [child.name for child in (tmp_path / "digits/1").iterdir()] == ["theirs"]


def test_what_a_dead_process_left_is_not_mixed_in(game, tmp_path):
    left = tmp_path / "digits" / f".partial-{os.getpid()}"
    left.mkdir(parents=True)
    (left / "stale").write_text("")
    path = saved_model.export(game, SMALL, 5, tmp_path, "digits")
    assert not (path / "stale").exists() and not left.exists()


def test_the_card_and_the_recipe_say_what_it_is(exported):
    card = (exported / "README.md").read_text()
    assert exported.parent.name == "dcgan-mnist5k"
    assert directory.read_recipe(exported) == SMALL
    for words in ("`dcgan` on `mnist5k`", "5 steps of 8 images", "`latent float32 (None, 8)`", "`count int64 ()`"):
        assert words in card
    assert "noise that was not selected. Latents are drawn from Normal(size=8)." in card
    assert Image.open(exported / "samples.png").size == (8 * 32, 8 * 32)


@pytest.mark.parametrize("name", ["m[1]", "m*", "m?"])
def test_an_export_below_a_pattern_is_not_loaded(name, tmp_path):
    (tmp_path / name / "1").mkdir(parents=True)
    (tmp_path / name / "1/saved_model.pb").touch()
    with pytest.raises(UsageError, match="cannot be loaded: TensorFlow reads .* in a path as a pattern. Rename"):
        saved_model.load(tmp_path / name / "1")
