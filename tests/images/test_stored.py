"""Images in a file against the same images in memory."""

import tracemalloc

import numpy as np
import pytest

from kgen.images import stored
from kgen.images.order import content, order_by_content, shared

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 5, 4, 3), np.uint8)


def store(path, images=IMAGES):
    with stored.create(path, images.shape) as file:
        file.write(images.data)
    contents = np.array([np.frombuffer(content(image), np.uint8) for image in images])
    return stored.StoredImages(stored.ImageFile(path), contents)


@pytest.fixture
def images(tmp_path):
    return store(tmp_path / "a.npy")


KEYS = [3, -1, slice(2, 9), slice(None), slice(None, None, -7), np.array([5, 5, 0]), [1, 2], np.arange(30) % 2 == 0]
KEYS += [(slice(None), 2, 1), (4, slice(1, 3)), (np.array([3, 1]), ..., 0), np.array([], int)]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_reads_what_numpy_does(images, key):
    np.testing.assert_array_equal(images[key], IMAGES[key])
    rows = np.array([7, 3, 3, 29, 0])
    if isinstance(key, slice):
        np.testing.assert_array_equal(images.rows(rows)[key], IMAGES[rows][key])


def test_rows_of_rows_and_all_that_an_array_tells(images):
    rows = images.rows(np.array([9, 8, 7])).rows(np.array([2, 0]))
    np.testing.assert_array_equal(np.asarray(rows), IMAGES[[7, 9]])
    assert rows.shape == (2, 5, 4, 3) and len(rows) == 2 and rows.dtype == np.uint8 and rows.ndim == 4
    np.testing.assert_array_equal(rows / np.float32(255), IMAGES[[7, 9]] / np.float32(255))
    with pytest.raises(IndexError):
        images[30]
    with pytest.raises(ValueError, match="without a copy"):
        np.array(rows, copy=False)


def test_functions_of_both_kinds_agree(images, monkeypatch):
    monkeypatch.setattr(stored, "PART", 7)
    rows = np.array([4, 4, 9, 1, 0, 2, 3, 8])
    mine, arrays = stored.rows_of(images, rows), stored.rows_of(IMAGES, rows)
    np.testing.assert_array_equal(np.concatenate(list(stored.parts_of(mine))), arrays)
    np.testing.assert_array_equal(stored.mean_of(mine), arrays.mean(axis=0))
    np.testing.assert_array_equal(stored.mean_of(arrays), arrays.mean(axis=0))
    np.testing.assert_array_equal(order_by_content(mine, "salt"), order_by_content(arrays, "salt"))
    assert shared(mine, IMAGES[:4]) == shared(arrays, images[:4]) == 4


def test_the_file_may_be_removed_and_is_read_by_numpy(images, tmp_path):
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), IMAGES)
    (tmp_path / "a.npy").unlink()
    np.testing.assert_array_equal(images[11], IMAGES[11])


def test_a_file_that_was_cut_is_told(images, tmp_path):
    with open(tmp_path / "a.npy", "r+b") as file:
        file.truncate(1000)
    images[0]
    with pytest.raises(OSError, match="shorter than 30 images"):
        images[29]


def test_reading_a_few_of_many_takes_no_memory_for_the_others(tmp_path):
    many = np.zeros((2000, 32, 32, 3), np.uint8)  # 6 MB
    images = store(tmp_path / "many.npy", many)
    tracemalloc.start()
    images.rows(np.arange(1999, 0, -1))[10:20]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000
