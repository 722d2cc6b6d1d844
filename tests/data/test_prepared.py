"""Datasets of tensorflow-datasets: prepared ones, and what is said where there is no network."""

import os
import time
import types

import numpy as np
import pytest

from kgen.data import prepared
from kgen.errors import UsageError


def test_without_a_network_it_says_what_to_put_where(tmp_path, monkeypatch):
    import requests

    asked = []

    def no_network(url, timeout):
        asked.append((url, timeout))
        raise requests.exceptions.ConnectionError("Failed to resolve")

    monkeypatch.setattr(requests, "head", no_network)
    start = time.perf_counter()
    with pytest.raises(UsageError, match="no connection to storage.googleapis.com.*Put the files there."):
        prepared.arrays("mnist", "train", tmp_path, "Put the files there.")
    assert time.perf_counter() - start < 10
    first = "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz"
    assert asked == [(first, prepared._HOST_SECONDS)]


def test_a_look_up_that_hangs_is_given_up(monkeypatch):
    import requests

    monkeypatch.setattr(requests, "head", lambda url, timeout: time.sleep(2))
    monkeypatch.setattr(prepared, "_HOST_SECONDS", 0.1)
    start = time.perf_counter()
    with pytest.raises(OSError, match="no connection to nowhere.example"):
        prepared._reach("https://nowhere.example/file")
    assert time.perf_counter() - start < 1


def test_a_download_that_fails_gives_the_same_advice(tmp_path, monkeypatch):
    import requests
    import tensorflow_datasets as tfds

    def fails(builder):
        raise RuntimeError("Got wrong checksum.\nMore")

    monkeypatch.setattr(requests, "head", lambda url, timeout: types.SimpleNamespace(status_code=200))
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fails)
    with pytest.raises(UsageError, match=r"cifar10 .*cannot be downloaded \(Got wrong checksum\)\. Put it there\."):
        prepared.arrays("cifar10", "train", tmp_path, "Put it there.")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A prepared dataset of tensorflow-datasets: 5 + 2 pictures of one colour, labelled."""
    import tensorflow_datasets as tfds

    class KgenTiny(tfds.core.GeneratorBasedBuilder):
        """Seven pictures."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            picture = tfds.features.Image(shape=(4, 4, 3), encoding_format="png")
            features = {"image": picture, "label": tfds.features.ClassLabel(num_classes=10)}
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, manager):
            return {"train": self._generate_examples(0, 5), "test": self._generate_examples(5, 7)}

        def _generate_examples(self, start, stop):
            for i in range(start, stop):
                yield i, {"image": np.full((4, 4, 3), 10 * i, np.uint8), "label": i}

    folder = tmp_path_factory.mktemp("tfds")
    KgenTiny(data_dir=folder).download_and_prepare()
    return folder


def test_prepared_data_needs_no_network(tiny, monkeypatch):
    import requests

    monkeypatch.setattr(requests, "head", lambda url, timeout: pytest.fail("asked the network"))
    images, labels = prepared.arrays("kgen_tiny", "train", tiny, "hint")
    assert images.shape == (5, 4, 4, 3) and images.dtype == np.uint8 and labels.dtype == np.int64
    assert sorted(labels) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(images[:, 0, 0, 0], 10 * labels)
    found = prepared.Split(prepared.builder_of("kgen_tiny", tiny, "hint"), "test[:1]")
    example = next(found.encoded())
    assert found.count == 1 and example.source.startswith(b"\x89PNG") and example.label in (5, 6)
    with pytest.raises(UsageError, match="The split 'train.:9.' of kgen_tiny cannot be read"):
        prepared.arrays("kgen_tiny", "train[:9]", tiny, "hint")
    with pytest.raises(UsageError, match="The split 'valid' of kgen_tiny cannot be read"):
        prepared.arrays("kgen_tiny", "valid", tiny, "hint")


def test_the_state_of_a_split_is_that_of_its_files(tiny):
    builder = prepared.builder_of("kgen_tiny", tiny, "hint")
    train, test = (prepared.Split(builder, split) for split in ("train", "test"))
    assert train.state() == prepared.Split(builder, "train").state() and train.state()[0] != test.state()[0]
    before = train.state()[0]
    os.utime(next(builder.data_path.glob("*train*")))
    assert train.state()[0] != before
