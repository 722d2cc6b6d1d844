"""The functions of kgen.images, which is no file but the folder itself: ranges, grids, PNG and GIF files."""

import io
import os
import stat

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgen import images
from kgen.images import SYMMETRIC, UNIT

ALL_BYTES = np.arange(256, dtype=np.uint8)
ranges = pytest.mark.parametrize("range", [UNIT, SYMMETRIC, images.Range(-3.0, 5.0)])


@ranges
@pytest.mark.parametrize("make", [np.asarray, tf.constant])
def test_bytes_survive_the_way_to_a_range_and_back(range, make):
    inside = images.from_bytes(make(ALL_BYTES), range)
    assert tf.is_tensor(inside) and inside.dtype == tf.float32
    assert float(inside[0]) == range.low and float(inside[-1]) == range.high
    np.testing.assert_allclose(np.diff(inside), (range.high - range.low) / 255, rtol=1e-4)
    np.testing.assert_array_equal(images.to_bytes(images.to_unit(inside, range)), ALL_BYTES)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_from_bytes_and_to_unit_run_in_a_graph(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def there_and_back(x):
        return images.to_unit(images.from_bytes(x, SYMMETRIC), SYMMETRIC)

    np.testing.assert_allclose(there_and_back(tf.constant(ALL_BYTES)), ALL_BYTES / 255, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_from_bytes_refuses_what_is_not_bytes(dtype):
    with pytest.raises(ValueError, match=f"must be uint8. Received: {np.dtype(dtype).name}"):
        images.from_bytes(np.zeros((2, 2), dtype), UNIT)


def test_to_unit_clips_and_keeps_the_kind():
    values = np.array([-1.5, -1.0, 0.0, 0.5, 1.0, 7.0], np.float32)
    expected = [0.0, 0.0, 0.5, 0.75, 1.0, 1.0]
    array, tensor = images.to_unit(values, SYMMETRIC), images.to_unit(tf.constant(values), SYMMETRIC)
    assert isinstance(array, np.ndarray) and array.dtype == np.float32
    assert tf.is_tensor(tensor) and tensor.dtype == tf.float32
    np.testing.assert_array_equal(array, expected)
    np.testing.assert_array_equal(tensor, expected)


def test_to_unit_of_other_floats_is_float32():
    assert images.to_unit(np.zeros(2, np.float64), SYMMETRIC).dtype == np.float32
    half = images.to_unit(tf.constant([0.5], tf.bfloat16), SYMMETRIC)
    assert half.dtype == tf.float32 and float(half[0]) == 0.75


def test_to_unit_refuses_bytes():
    with pytest.raises(ValueError, match="must be floating point. Received: uint8"):
        images.to_unit(ALL_BYTES, UNIT)


@pytest.mark.parametrize("make", [np.asarray, tf.constant])
def test_nan_is_kept_by_to_unit_and_refused_by_to_bytes(make):
    unit = images.to_unit(make(np.float32([0.0, np.nan])), SYMMETRIC)
    np.testing.assert_array_equal(unit, [0.5, np.nan])
    with pytest.raises(ValueError, match="NaN in 1 places"):
        images.to_bytes(unit)


def test_to_bytes_rounds_to_nearest():
    values = np.array([0.0, 0.4, 0.6, 127.4, 127.6, 254.4, 254.6, 255.0]) / 255
    np.testing.assert_array_equal(images.to_bytes(values), np.uint8([0, 0, 1, 127, 128, 254, 255, 255]))
    assert images.to_bytes(tf.constant(values)).dtype == np.uint8


@pytest.mark.parametrize("value", [-0.01, 1.01, np.inf, -np.inf])
def test_to_bytes_refuses_what_would_wrap_around(value):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        images.to_bytes(np.array([0.5, value]))


def numbered(count, height=2, width=3, channels=3):
    """Images that are all 1, all 2, ..."""
    numbers = np.arange(1, count + 1, dtype=np.uint8).reshape(-1, 1, 1, 1)
    return np.broadcast_to(numbers, (count, height, width, channels))


def cells(picture, height=2, width=3):
    """The upper left pixel of each cell, after a check that cells are of one colour."""
    corners = picture[::height, ::width, 0]
    np.testing.assert_array_equal(
        picture, np.kron(corners, np.ones((height, width), np.uint8))[..., None] + 0 * picture
    )
    return corners.tolist()


def test_grid_goes_row_by_row_and_pads_with_black():
    assert cells(images.grid(numbered(5))) == [[1, 2, 3], [4, 5, 0]]
    assert cells(images.grid(numbered(4))) == [[1, 2], [3, 4]]
    assert cells(images.grid(numbered(1))) == [[1]]


def test_grid_of_given_columns():
    assert cells(images.grid(numbered(5), columns=5)) == [[1, 2, 3, 4, 5]]
    assert cells(images.grid(numbered(3), columns=2)) == [[1, 2], [3, 0]]
    assert cells(images.grid(numbered(2), columns=3)) == [[1, 2, 0]]


def test_grid_keeps_pixels_in_place():
    batch = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 1), dtype=np.uint8)
    picture = images.grid(batch)
    assert picture.shape == (8, 15, 1) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[4:, 10:], batch[5])
    np.testing.assert_array_equal(picture[:4, 5:10], batch[1])


@pytest.mark.parametrize(
    "batch", [np.zeros((0, 2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 2, 3), np.float32)]
)
def test_grid_refuses_other_batches(batch):
    with pytest.raises(ValueError, match=r"must be uint8 \(n, height, width, channels\)"):
        images.grid(batch)


def test_grid_refuses_no_columns():
    with pytest.raises(ValueError, match="`columns` must be at least 1"):
        images.grid(numbered(2), columns=0)


def noise(channels, *more):
    return np.random.default_rng(channels).integers(0, 256, (*more, 7, 5, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_png_is_lossless(tmp_path, channels, mode):
    image = noise(channels)
    images.save_png(tmp_path / "image.png", image)
    with Image.open(tmp_path / "image.png") as read:
        assert read.mode == mode
        np.testing.assert_array_equal(np.asarray(read).reshape(image.shape), image)
    assert (tmp_path / "image.png").read_bytes() == images.png_bytes(image)


def test_png_bytes_decode_in_tensorflow():
    np.testing.assert_array_equal(tf.io.decode_png(images.png_bytes(noise(3))), noise(3))


@pytest.mark.parametrize("image", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3))])
def test_png_refuses_other_images(tmp_path, image):
    with pytest.raises(ValueError, match="An image must be uint8"):
        images.save_png(tmp_path / "image.png", image)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "image.png"
    images.save_png(str(path), noise(1))
    before, seen = path.read_bytes(), []
    replace = os.replace

    def watched(source, destination):
        seen.append((path.read_bytes(), source.read_bytes(), source.parent))
        replace(source, destination)

    monkeypatch.setattr(os, "replace", watched)
    images.save_png(str(path), noise(3))
    assert seen == [(before, images.png_bytes(noise(3)), tmp_path)]
    assert path.read_bytes() == images.png_bytes(noise(3))
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_replacement_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "image.png"
    images.save_png(path, noise(1))

    def full(source, destination):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        images.save_png(path, noise(3))
    assert path.read_bytes() == images.png_bytes(noise(1))
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    images.save_png(tmp_path / "image.png", noise(1))
    assert stat.S_IMODE((tmp_path / "image.png").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_gif_has_every_frame_and_its_time(tmp_path):
    frames = np.stack([np.full((4, 6, 3), level, np.uint8) for level in (0, 85, 170, 255)])
    images.save_gif(tmp_path / "film.gif", frames, seconds_per_frame=0.25)
    with Image.open(tmp_path / "film.gif") as film:
        assert (film.n_frames, film.info["duration"], film.info["loop"]) == (4, 250, 0)
        for frame, expected in enumerate(frames):
            film.seek(frame)
            np.testing.assert_array_equal(np.asarray(film.convert("RGB")), expected)
    assert list(tmp_path.iterdir()) == [tmp_path / "film.gif"]


def test_gif_of_grey_frames(tmp_path):
    images.save_gif(tmp_path / "film.gif", noise(1, 3))
    with Image.open(io.BytesIO((tmp_path / "film.gif").read_bytes())) as film:
        assert (film.n_frames, film.info["duration"]) == (3, 100)
        film.seek(2)
        np.testing.assert_array_equal(np.asarray(film.convert("L")), noise(1, 3)[2, ..., 0])


@pytest.mark.parametrize("frames, seconds", [(noise(3, 0), 0.1), (noise(3, 2), 0.001)])
def test_gif_refuses_no_frames_and_no_time(tmp_path, frames, seconds):
    with pytest.raises(ValueError, match="`frames` must be at least one"):
        images.save_gif(tmp_path / "film.gif", frames, seconds)


def test_keras_and_tensorflow_agree_on_the_tensor_kind():
    """`to_unit` of a Keras variable's value stays on the device."""
    assert tf.is_tensor(images.to_unit(keras.ops.ones((2,)), UNIT))
