"""SavedModels that touch files, the network or Python are not loaded unless they are trusted."""

import numpy as np
import pytest
import tensorflow as tf

import kgen
from kgen.errors import UsageError
from kgen.export import safety, saved_model
from kgen.serving.models import Models, Refused


class Module(tf.Module):
    """A module whose function does something to a file named by a constant."""

    def __init__(self, path):
        self.path, self.weight = str(path), tf.Variable([1.0])

    def writes(self, latent):
        tf.io.write_file(self.path, "written")
        return latent

    def reads(self, latent):
        return tf.strings.to_number(tf.io.read_file(self.path)) + latent

    def prints(self, latent):
        tf.print(latent, output_stream=f"file://{self.path}")
        return latent

    def python(self, latent):
        return tf.ensure_shape(tf.numpy_function(lambda x: x, [latent], tf.float32), (1, 2))

    def saves(self, latent):
        tf.raw_ops.SaveV2(prefix=self.path, tensor_names=["x"], shape_and_slices=[""], tensors=[latent])
        return latent

    def in_a_branch(self, latent):
        return tf.cond(latent[0, 0] > 0, lambda: self.writes(latent), lambda: latent)

    def in_a_loop(self, latent):
        return tf.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, self.saves(x)), (0, latent))[1]

    def computes(self, latent):
        return latent * self.weight


def save(folder, module, name):
    function = tf.function(getattr(module, name), input_signature=[tf.TensorSpec((1, 2), tf.float32, "latent")])
    module.function = function
    signature = function.get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": signature})
    return folder


@pytest.mark.parametrize(
    "name, operation",
    [
        ("writes", "WriteFile"),
        ("reads", "ReadFile"),
        ("prints", "PrintV2"),
        ("python", "PyFunc"),
        ("saves", "SaveV2"),
        ("in_a_branch", "WriteFile"),
        ("in_a_loop", "SaveV2"),
    ],
)
def test_what_reaches_outside_is_refused_and_named(name, operation, tmp_path):
    path = save(tmp_path / "models/odd/1", Module(tmp_path / "file"), name)
    with pytest.raises(UsageError, match=f"is not loaded: it has .*{operation}.*give --trust"):
        kgen.load(path)
    with pytest.raises(Refused, match="is not loaded"):
        Models(tmp_path / "models").resolve("odd")
    assert saved_model.load(path, trust=True).signatures
    assert not list(tmp_path.glob("file*"))


def test_what_computes_is_loaded(tmp_path):
    path = save(tmp_path / "1", Module(tmp_path / "file"), "computes")
    found = saved_model.load(path).signatures["serving_default"](latent=tf.ones((1, 2)))
    np.testing.assert_array_equal(*found.values(), [[1, 1]])


def test_a_text_file_is_read_by_an_initialiser_and_refused(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    module = tf.Module()
    module.table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(
        str(tmp_path / "words.txt"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    ), 1)  # fmt: skip
    module.look = tf.function(module.table.lookup, input_signature=[tf.TensorSpec((None,), tf.string)])
    tf.saved_model.save(module, str(tmp_path / "1"))
    with pytest.raises(UsageError, match="InitializeTableFromTextFileV2"):
        saved_model.load(tmp_path / "1")


@pytest.mark.parametrize("name", safety.OTHER_FORMS)
def test_another_form_of_the_model_beside_is_refused(name, tmp_path):
    path = save(tmp_path / "1", Module(tmp_path / "file"), "computes")
    (path / name).write_bytes(b"")
    with pytest.raises(UsageError, match=name):
        saved_model.load(path)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(UsageError, match="cannot be loaded: saved_model.pb is damaged"):
        saved_model.load(tmp_path)
