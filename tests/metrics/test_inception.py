"""The 2015 Inception: its resize against numpy, its shape, files that are refused, features against torch-fidelity."""

import os

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.metrics import inception


@pytest.fixture(scope="module")
def network():
    return inception.architecture()


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
    np.testing.assert_allclose(inception.prepared(images), expected, atol=1e-5)


def test_the_last_of_the_poolings_among_layers_is_a_maximum(network):
    from kgen.backend import keras

    assert len(inception.numbered(network, keras.layers.Conv2D)) == 94
    assert network.count_params() == 21_802_784 and network.output_shape == (None, 2048)
    inner = [layer for layer in network.layers if getattr(layer, "strides", None) == (1, 1)]
    kinds = [type(layer).__name__ for layer in inner if "Pooling" in type(layer).__name__]
    assert kinds.count("MaxPooling2D") == 1 and kinds.count("AveragePooling2D") == 8


def test_files_of_other_things_are_refused(tmp_path, network):
    path = tmp_path / "x.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception.inception(path)
    np.savez(path, a=np.array([{"an": "object"}], object))
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception.inception(path)
    np.savez(path, **{"x.weight": np.zeros((4, 3, 3, 3)), "x.beta": np.zeros(4)})
    with pytest.raises(UsageError, match="x.mean is missing"):
        inception.inception(path)
    arrays = {f"x.{part}": np.zeros(4, np.float32) for part in ("beta", "mean", "var")}
    np.savez(path, **{"x.weight": np.zeros((4, 3, 3, 3), np.float32)}, **arrays)
    with pytest.raises(UsageError, match="has not the 94 convolutions .* 1 of any size"):
        inception.inception(path)
    with pytest.raises(UsageError, match="logits.weight must be 1008x2048, logits.bias 1008, both"):
        inception.weighted(network, {"logits.weight": np.zeros((1008, 2048))}, path)
    with pytest.raises(UsageError, match="is not a .npz of arrays"):
        inception.inception(tmp_path / "none.npz")


@pytest.mark.slow
def test_features_equal_torch_fidelitys():
    if "KGEN_INCEPTION" not in os.environ:
        pytest.skip("KGEN_INCEPTION names no file of weights")
    look = inception.inception(os.environ["KGEN_INCEPTION"]).look
    features, logits = look(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8))
    expected = [
        [4.6022236e-01, 0.0000000e00, 4.3090773e-03, 4.2364965e-04, 1.2569205e-01],
        [3.5265499e-01, 0.0000000e00, 6.2551118e-02, 1.1904879e-02, 1.8058877e-01],
    ]  # of torch-fidelity 0.4.0's network with the same weights
    np.testing.assert_allclose(features[:, :5], expected, atol=1e-5)
    assert features.mean(dtype=np.float64) == pytest.approx(0.2613621751914095, rel=1e-5) and logits is None
