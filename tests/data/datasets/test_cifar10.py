"""CIFAR-10: the official pixels where they lie; the layout and the checks on small archives made here."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from kgen import data
from kgen.data.datasets import cifar10
from kgen.errors import UsageError


def test_the_official_pixels(real_data):
    if not (real_data / "cifar-10-binary.tar.gz").exists():
        pytest.skip(f"no cifar-10-binary.tar.gz in {real_data}")
    train = data.load("cifar10", "train", real_data)
    assert train.images.shape == (50000, 32, 32, 3) and train.images.dtype == np.uint8
    sha = hashlib.sha256(train.images.tobytes()).hexdigest()
    # of the official pixels, in the order of the binary archive
    assert sha == "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a"
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert [train.classes[label] for label in train.labels[:5]] == ["frog", "truck", "truck", "deer", "automobile"]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """An archive of 20 records a file, in which the pixel at (row, column, colour) of image i is known."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (120, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(120, dtype=np.uint8) % 10
    monkeypatch.setattr(cifar10, "_RECORDS", 20)
    for part, rows in (("train", slice(0, 100)), ("test", slice(100, 120))):
        monkeypatch.setitem(cifar10._PIXELS_SHA256, part, hashlib.sha256(images[rows].tobytes()).hexdigest())
        monkeypatch.setitem(cifar10._LABELS_SHA256, part, hashlib.sha256(labels[rows].tobytes()).hexdigest())
    return tmp_path, images, labels


def pack(folder, images, labels):
    records = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(images, labels, strict=True)]
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as archive:
        add(archive, "cifar-10-batches-bin/readme.html", b"<html>")
        for i, name in enumerate(names):
            add(archive, f"cifar-10-batches-bin/{name}", b"".join(records[20 * i : 20 * i + 20]))


def add(archive, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def test_records_become_images(small):
    folder, images, labels = small
    pack(folder, images, labels)
    train, test = data.load("cifar10", "train", folder), data.load("cifar10", "test", folder)
    np.testing.assert_array_equal(train.images, images[:100])
    np.testing.assert_array_equal(test.images, images[100:])
    np.testing.assert_array_equal(train.labels, labels[:100])
    assert data.load("cifar10", "train[10:20]", folder, size=16).images.shape == (10, 16, 16, 3)


@pytest.mark.parametrize("which", ["pixels", "labels"])
def test_other_contents_are_refused(small, which):
    folder, images, labels = small
    changed = {"pixels": images, "labels": labels}[which]
    changed[3] ^= 1
    pack(folder, images, labels)
    with pytest.raises(UsageError, match=f"neither the official archive.*{which}: expected SHA-256"):
        data.load("cifar10", "train", folder)
    assert len(data.load("cifar10", "test", folder).images) == 20


def test_another_size_is_refused(small):
    folder, images, labels = small
    pack(folder, images[:119], labels[:119])
    with pytest.raises(UsageError, match="test_batch.bin should be a file of 61460 bytes"):
        data.load("cifar10", "test", folder)
