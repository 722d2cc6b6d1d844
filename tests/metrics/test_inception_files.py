"""Files of PyTorch and TensorFlow become the arrays of the 2015 Inception; pickles that do more are refused."""

import io
import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import tensorflow as tf

from kgen.errors import UsageError
from kgen.metrics import inception_files


class Stored:
    """A tensor as PyTorch pickles it: a function of torch, a storage that is kept elsewhere, and its shape."""

    def __init__(self, key, array):
        self.key, self.array = key, array

    def __reduce__(self):
        strides = tuple(step // self.array.itemsize for step in self.array.strides)
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (Storage(self), 0, self.array.shape, strides, False)


class Storage:
    def __init__(self, tensor):
        self.tensor = tensor


class Writer(pickle.Pickler):
    def persistent_id(self, found):
        if isinstance(found, Storage):
            array = found.tensor.array
            kind = sys.modules["torch"].FloatStorage if array.dtype == np.float32 else sys.modules["torch"].LongStorage
            return ("storage", kind, found.tensor.key, "cpu", array.size)
        return None


@pytest.fixture
def torch(monkeypatch):
    """Stands for PyTorch, of which a file only has names."""
    whole, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_):
        raise AssertionError

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage"):
        setattr(whole, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", whole)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def pickled(found):
    file = io.BytesIO()
    Writer(file, 2).dump(found)
    return file.getvalue()


def write_zip(path, state):
    stored = OrderedDict((name, Stored(str(i), array)) for i, (name, array) in enumerate(state.items()))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(stored))
        for each in stored.values():
            archive.writestr(f"archive/data/{each.key}", each.array.tobytes())


def write_old(path, state):
    stored = OrderedDict((name, Stored(str(i), array)) for i, (name, array) in enumerate(state.items()))
    keys = sorted(each.key for each in stored.values())
    arrays = {each.key: each.array for each in stored.values()}
    parts = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2)]
    parts += [pickled(stored), pickle.dumps(keys, 2)]
    parts += [struct.pack("<q", arrays[key].size) + arrays[key].tobytes() for key in keys]
    path.write_bytes(b"".join(parts))


def numbers(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype(np.float32)


def state(classes=1008):
    """Two convolutions, the second with a scale, one of the auxiliary classifier, and the last layer."""
    found = {}
    for name, shape in (
        ("Conv2d_1a_3x3", (32, 3, 3, 3)),
        ("Mixed_5b.branch1x1", (4, 32, 1, 1)),
        ("AuxLogits.conv0", (2, 4, 1, 1)),
    ):
        found[f"{name}.conv.weight"] = numbers(*shape)
        parts = ("weight", "bias", "running_mean", "running_var")
        found |= {f"{name}.bn.{part}": np.abs(numbers(shape[0], i + 1)[:, 0].copy()) for i, part in enumerate(parts)}
        found[f"{name}.bn.num_batches_tracked"] = np.array(7, np.int64)
    del found["Conv2d_1a_3x3.bn.weight"]
    return found | {"fc.weight": numbers(classes, 2048), "fc.bias": numbers(classes)}


@pytest.mark.parametrize("write", [write_zip, write_old])
def test_a_file_of_pytorch_is_its_arrays(write, torch, tmp_path):
    given = state()
    write(tmp_path / "x.pth", given)
    read = inception_files.state_of(tmp_path / "x.pth")
    assert list(read) == list(given)
    for name, array in given.items():
        np.testing.assert_array_equal(read[name], array)
    found = inception_files.of_pytorch(tmp_path / "x.pth")
    assert list(found)[::4] == ["Conv2d_1a_3x3.weight", "Mixed_5b.branch1x1.weight", "logits.weight"]
    np.testing.assert_array_equal(found["logits.bias"], given["fc.bias"])
    np.testing.assert_array_equal(found["Conv2d_1a_3x3.weight"], given["Conv2d_1a_3x3.conv.weight"])


def test_a_scale_of_the_batch_norm_goes_into_the_kernel(torch, tmp_path):
    given, name = state(), "Mixed_5b.branch1x1"
    write_zip(tmp_path / "x.pth", given)
    found = {
        part: inception_files.of_pytorch(tmp_path / "x.pth")[f"{name}.{part}"]
        for part in ("weight", "beta", "mean", "var")
    }
    x, norm = (
        numbers(5, 32),
        {part: given[f"{name}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var")},
    )

    def normed(kernel, mean, variance, beta, gamma=1.0):
        return gamma * (x @ kernel[:, :, 0, 0].T - mean) / np.sqrt(variance + 1e-3) + beta

    expected = normed(
        given[f"{name}.conv.weight"], norm["running_mean"], norm["running_var"], norm["bias"], norm["weight"]
    )
    made = normed(found["weight"], found["mean"], found["var"], found["beta"])
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_a_graph_of_tensorflow_is_its_arrays(tmp_path):
    graph = tf.Graph()
    kernel, norm = (
        numbers(3, 3, 3, 8),
        {part: numbers(8, i)[:, 0] for i, part in enumerate(("beta", "moving_mean", "moving_variance"), 1)},
    )
    with graph.as_default():
        for name, value in {
            "mixed/tower/conv/conv2d_params": kernel,
            "softmax/weights": numbers(2048, 1008),
            "softmax/biases": numbers(1008),
        }.items():
            tf.constant(value, name=name)
        for part, value in {**norm, "gamma": np.full(8, 2, np.float32)}.items():
            tf.constant(value, name=f"mixed/tower/conv/batchnorm/{part}")
    (tmp_path / "x.pb").write_bytes(graph.as_graph_def().SerializeToString())
    found = inception_files.of_graph(tmp_path / "x.pb")
    np.testing.assert_array_equal(found["mixed.tower.conv.weight"], 2 * kernel.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(found["mixed.tower.conv.mean"], 2 * norm["moving_mean"])
    np.testing.assert_array_equal(found["mixed.tower.conv.var"], norm["moving_variance"])
    assert found["logits.weight"].shape == (1008, 2048) and found["logits.bias"].shape == (1008,)


class Command:
    def __reduce__(self):
        return os.system, ("echo no",)


def test_a_pickle_that_does_more_than_build_tensors_is_refused(torch, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": Command()}, 2))
    with pytest.raises(UsageError, match="The file asks for .*system, which a dictionary of tensors does not need"):
        inception_files.convert(tmp_path / "x.pth")


@pytest.mark.parametrize(
    "offset, size, stride", [(0, (4,), (2,)), (3, (3,), (1,)), (0, (2, 3), (3, 1)), (-1, (2,), (1,)), (0, (2,), (-1,))]
)
def test_a_tensor_beyond_its_storage_is_refused(offset, size, stride):
    with pytest.raises(UsageError, match="reaches beyond its storage"):
        inception_files.tensor(np.zeros(5, np.float32), offset, size, stride)
    assert inception_files.tensor(np.zeros(5, np.float32), 0, (), ()).shape == ()


def test_another_inception_is_refused_by_its_classes(torch, tmp_path):
    write_zip(tmp_path / "torchvision.pth", state(1000))
    with pytest.raises(UsageError, match="is an Inception of 1000 classes, not that of 2015-12-05, which has 1008"):
        inception_files.convert(tmp_path / "torchvision.pth")


def test_files_of_other_things_are_told(torch, tmp_path):
    (tmp_path / "x.h5").touch()
    (tmp_path / "x.pth").write_bytes(b"nothing")
    (tmp_path / "x.pb").write_bytes(b"nothing")
    for name, words in (
        ("x.h5", "must end in .pth or .pb"),
        ("y.pth", "no such file"),
        ("x.pth", "cannot be read"),
        ("x.pb", "cannot be read"),
    ):
        with pytest.raises(UsageError, match=words):
            inception_files.convert(tmp_path / name)
    write_zip(tmp_path / "few.pth", state())
    with pytest.raises(UsageError, match="has not the 94 convolutions"):
        inception_files.convert(tmp_path / "few.pth")
