"""The 2015 Inception: its resize against numpy, its shape, files that are refused, features against torch-fidelity."""

import hashlib
import os
import struct
import zipfile

import numpy as np
import pytest

from kgen.backend import keras
from kgen.errors import UsageError
from kgen.metrics import inception_network


@pytest.fixture(scope="module")
def network():
    return inception_network.architecture()


def weights(network, beta=0.0):
    """Returns arrays for every convolution, c0 to c93, that take next to no memory; all zero but for beta."""
    arrays = {}
    for i, layer in enumerate(inception_network.numbered(network, keras.layers.Conv2D)):
        height, width, inputs, outputs = layer.kernel.shape
        arrays[f"c{i}.weight"] = np.broadcast_to(np.float32(0), (outputs, inputs, height, width))
        arrays |= {f"c{i}.{part}": np.zeros(outputs, np.float32) for part in ("mean", "var")}
        arrays[f"c{i}.beta"] = np.full(outputs, beta * i, np.float32)
    return arrays


def resized(image, size):
    """Bilinear as TensorFlow 1 does: position i stands at i * in / out, without half-pixel centres."""

    def weights(count):
        positions = np.arange(size) * count / size
        low = np.floor(positions).astype(int)
        return low, np.minimum(low + 1, count - 1), (positions - low)

    (top, bottom, v), (left, right, h) = (weights(count) for count in image.shape[:2])
    v, h = v[:, None, None], h[None, :, None]
    rows = image[top] * (1 - v) + image[bottom] * v
    return rows[:, left] * (1 - h) + rows[:, right] * h


def test_images_are_resized_as_in_2015():
    images = np.random.default_rng(0).integers(0, 256, (2, 7, 11, 3), np.uint8)
    expected = (np.stack([resized(image.astype(np.float64), 299) for image in images]) - 128) / 128
    np.testing.assert_allclose(inception_network.prepared(images), expected, atol=1e-5)


def test_the_last_of_the_poolings_among_layers_is_a_maximum(network):
    assert len(inception_network.numbered(network, keras.layers.Conv2D)) == 94
    assert network.count_params() == 21_802_784 and network.output_shape == (None, 2048)
    inner = [layer for layer in network.layers if getattr(layer, "strides", None) == (1, 1)]
    kinds = [type(layer).__name__ for layer in inner if "Pooling" in type(layer).__name__]
    assert kinds.count("MaxPooling2D") == 1 and kinds.count("AveragePooling2D") == 8


def test_files_of_other_things_are_refused(tmp_path, network):
    path = tmp_path / "x.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception_network.inception(path)
    np.savez(path, a=np.array([{"an": "object"}], object))
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception_network.inception(path)
    np.savez(path, **{"x.weight": np.zeros((4, 3, 3, 3)), "x.beta": np.zeros(4)})
    with pytest.raises(UsageError, match="x.mean is missing"):
        inception_network.inception(path)
    arrays = {f"x.{part}": np.zeros(4, np.float32) for part in ("beta", "mean", "var")}
    np.savez(path, **{"x.weight": np.zeros((4, 3, 3, 3), np.float32)}, **arrays)
    with pytest.raises(UsageError, match="has not the 94 convolutions .* 1 of any size"):
        inception_network.inception(path)
    with pytest.raises(UsageError, match="logits.weight must be 1008x2048, logits.bias 1008, both"):
        inception_network.weighted(network, {"logits.weight": np.zeros((1008, 2048))}, path)
    os.mkfifo(tmp_path / "pipe.npz")
    for name in ("none.npz", "pipe.npz"):
        with pytest.raises(UsageError, match="is not a .npz of arrays: there is no such file"):
            inception_network.inception(tmp_path / name)


class Trap:
    """Leaves a folder behind where it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_nothing_in_a_file_is_run(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.array([Trap(tmp_path / "run")], object))
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception_network.read(path)
    assert not (tmp_path / "run").exists()
    with np.load(path, allow_pickle=True) as file:
        file["a"]
    assert (tmp_path / "run").is_dir()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"c7.mean": None}, "c7.mean is missing"),
        ({f"c93.{part}": None for part in inception_network.ARRAYS}, "has not the 94 convolutions .* 93 of any size"),
        ({"c5.weight": (3, 3, 64, 64)}, "has not the 94 convolutions"),
        ({"logits.weight": (1008, 2048)}, "logits.weight must be 1008x2048, logits.bias 1008, both"),
        ({"logits.weight": (2048, 1008), "logits.bias": (1008,)}, "logits.weight must be 1008x2048"),
        pytest.param({"c0.beta": (3,)}, "x.npz"),
        pytest.param({"c0.weight": (32, 27)}, "x.npz"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change, words, network):
    arrays = weights(network)
    inception_network.weighted(network, arrays, "x.npz")
    for name, shape in change.items():
        if shape:
            arrays[name] = np.zeros(shape, np.float32)
        else:
            del arrays[name]
    with pytest.raises(UsageError, match=words):
        inception_network.weighted(network, arrays, "x.npz")


def damaged(path, how):
    """Writes a file that is a .npz at first sight."""
    if how == "one array":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
        return
    save = np.savez_compressed if how == "compressed" else np.savez
    save(path, a=np.random.default_rng(0).random(1000))
    content = bytearray(path.read_bytes())
    content[300:340] = b"\xff" * 40
    path.write_bytes(content[:2000] if how == "cut short" else content)


def test_arrays_that_promise_more_than_memory_are_refused(tmp_path, monkeypatch):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(117) + "\n"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    with pytest.raises(UsageError, match="is not a .npz of arrays: Unable to allocate"):
        inception_network.read(tmp_path / "x.npz")
    np.savez_compressed(tmp_path / "y.npz", a=np.zeros(1000, np.float32))
    monkeypatch.setattr(inception_network, "MOST_BYTES", 4000)
    with pytest.raises(UsageError, match="is larger than the weights of any Inception network"):
        inception_network.read(tmp_path / "y.npz")


@pytest.mark.parametrize("how", ["cut short", "overwritten", "compressed", "one array"])
def test_damaged_files_are_refused(how, tmp_path):
    damaged(tmp_path / "x.npz", how)
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception_network.read(tmp_path / "x.npz")


@pytest.mark.slow
def test_arrays_go_to_the_convolutions_in_order_and_logits_are_without_bias(network, tmp_path):
    """Where kernels are zero, the last convolutions' betas are all that comes through; grey images are let in."""
    random, path = np.random.default_rng(0), tmp_path / "x.npz"
    logits, bias = random.normal(size=(1008, 2048)).astype(np.float32), np.arange(1008, dtype=np.float32)
    np.savez(path, **weights(network, beta=0.01), **{"logits.weight": logits, "logits.bias": bias})
    classifier = inception_network.inception(path)
    found, answers = classifier.look(random.integers(0, 256, (2, 32, 32, 1), np.uint8))
    expected = 0.01 * np.repeat([85, 87, 88, 91, 92, 93], [320, 384, 384, 384, 384, 192])
    np.testing.assert_allclose(found, np.stack([expected] * 2), rtol=1e-5)
    np.testing.assert_allclose(answers, np.stack([logits.astype(np.float64) @ expected] * 2), rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(classifier.bias, bias)
    assert classifier.name == "" and classifier.about["weights_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_features_equal_torch_fidelitys():
    if "KGEN_INCEPTION" not in os.environ:
        pytest.skip("KGEN_INCEPTION names no file of weights")
    look = inception_network.inception(os.environ["KGEN_INCEPTION"]).look
    features, logits = look(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8))
    expected = [
        [4.6022236e-01, 0.0000000e00, 4.3090773e-03, 4.2364965e-04, 1.2569205e-01],
        [3.5265499e-01, 0.0000000e00, 6.2551118e-02, 1.1904879e-02, 1.8058877e-01],
    ]  # of torch-fidelity 0.4.0's network with the same weights
    np.testing.assert_allclose(features[:, :5], expected, atol=1e-5)
    assert features.mean(dtype=np.float64) == pytest.approx(0.2613621751914095, rel=1e-5) and logits is None
