"""MNIST against the counts of its labels and the pixels of its first digit."""

import hashlib
import shutil

import numpy as np
import pytest

from kgen import data
from kgen.errors import UsageError


@pytest.fixture(scope="module")
def folder(real_data):
    if not (real_data / "mnist/train-images-idx3-ubyte.gz").exists():
        pytest.skip(f"no MNIST in {real_data}")
    return real_data


def test_the_official_digits(folder):
    train, test = data.load("mnist", "train", folder), data.load("mnist", "test", folder / "mnist")
    assert (
        train.images.shape == (60000, 28, 28, 1) and train.images.dtype == np.uint8 and train.labels.dtype == np.int64
    )
    # The known counts of the digits.
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    # The mean and deviation that every tutorial normalises by.
    assert train.images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert train.images.std() / 255 == pytest.approx(0.3081, abs=5e-5)
    assert train.classes == tuple("0123456789")


def test_32_is_zero_padding(folder):
    small, padded = data.load("mnist", "test[:50]", folder), data.load("mnist", "test[:50]", folder, size=32)
    assert padded.images.shape == (50, 32, 32, 1)
    np.testing.assert_array_equal(padded.images[:, 2:30, 2:30], small.images)
    assert padded.images.sum(dtype=int) == small.images.sum(dtype=int)


def test_other_sizes_keep_the_brightness(folder):
    small, large = data.load("mnist", "test[:50]", folder), data.load("mnist", "test[:50]", folder, size=56)
    assert large.images.shape == (50, 56, 56, 1)
    np.testing.assert_allclose(large.images.mean((1, 2, 3)), small.images.mean((1, 2, 3)), rtol=0.05)


def test_a_changed_file_is_refused(folder, tmp_path):
    for file in (folder / "mnist").glob("t10k*"):
        shutil.copyfile(file, tmp_path / file.name)
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes()[:-1] + b"x")
    got = hashlib.sha256(labels.read_bytes()).hexdigest()
    with pytest.raises(UsageError, match=f"{labels.name}.*expected SHA-256 f7ae60f9.*{got}"):
        data.load("mnist", "test", tmp_path)
