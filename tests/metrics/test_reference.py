"""Folders of pictures read as they are, and calibration rows against the metric and scikit-learn called directly."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from sklearn.cluster import KMeans

from kgen import data, images
from kgen.errors import UsageError
from kgen.metrics import parzen, reference
from kgen.metrics.evidence import Real
from kgen.metrics.features import Cache


def pixels(count, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 4, channels), np.uint8)


def written(folder, arrays):
    for number, array in enumerate(arrays):
        images.save_png(folder / f"{number:03d}.png", array)
    return folder


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_read_as_they_are(channels, tmp_path):
    given = pixels(12, channels)
    found = reference.folder(written(tmp_path, given), (5, 4, channels))
    np.testing.assert_array_equal(np.rint(found * 255), given)
    assert found.dtype == np.float32


def test_grey_becomes_colour_and_grey_colour_grey(tmp_path):
    grey = pixels(2)
    np.testing.assert_array_equal(
        np.rint(255 * reference.folder(written(tmp_path, grey), (5, 4, 3))), grey.repeat(3, axis=3)
    )
    written(tmp_path, grey.repeat(3, axis=3))
    np.testing.assert_array_equal(np.rint(255 * reference.folder(tmp_path, (5, 4, 1))), grey)


def test_what_cannot_be_measured_is_told(tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        reference.folder(tmp_path / "none", (5, 4, 1))
    with pytest.raises(UsageError, match="there is no picture in it"):
        reference.folder(tmp_path, (5, 4, 1))
    written(tmp_path, pixels(2, 3))
    with pytest.raises(UsageError, match="2 of 2 pictures cannot be measured. .*000.png: 5x4x3, where 5x4x1"):
        reference.folder(tmp_path, (5, 4, 1))
    Image.new("RGB", (9, 5)).save(tmp_path / "001.png")
    with pytest.raises(UsageError, match="1 of 2 pictures cannot be measured. .*001.png: 5x9x3, where 5x4x3"):
        reference.folder(tmp_path, (5, 4, 3))
    (tmp_path / "001.png").write_bytes(b"damaged")
    with pytest.raises(UsageError, match="001.png: unreadable"):
        reference.folder(tmp_path, (5, 4, 3))


def test_calibration_rows(tmp_path, monkeypatch):
    train, real = pixels(80, seed=1), Real(pixels(20, seed=2), pixels(15, seed=3), {})
    found = reference.calibration(real, train, Cache(tmp_path))
    assert list(found) == ["80 training images", "8 training images", "k-means, 16 centres"]
    unit = [np.float32(array / 255) for array in (train, real.validation, real.images)]
    shuffled = unit[0][np.random.default_rng(0).permutation(80)]
    clusters = KMeans(16, init="random", n_init=1, max_iter=10, random_state=0).fit(unit[0].reshape(80, -1))
    sets = [shuffled, shuffled[:8], clusters.cluster_centers_.clip(0, 1).reshape(16, 5, 4, 1)]
    for samples, measured in zip(sets, found.values(), strict=True):
        for each, grid in zip(measured, (parzen.OFFICIAL, parzen.FINE), strict=True):
            expected = parzen.parzen(samples, *unit[1:], grid)
            assert (each.value, each.spread) == pytest.approx(expected[:2], rel=1e-4)
            assert "generated" not in each.protocol
    monkeypatch.setattr(parzen, "parzen", None)  # all is remembered
    again = reference.calibration(real, train, Cache(tmp_path))
    assert [dataclasses.asdict(m) for row in again.values() for m in row] == [
        dataclasses.asdict(m) for row in found.values() for m in row
    ]


def test_splits_of_a_parzen_window_share_nothing():
    assert data.parzen_splits("mnist") == ("train[:50000]", "train[50000:51000]")
    training, validation = (data.load("mnist5k", split).images for split in data.parzen_splits("mnist5k"))
    whole = data.load("mnist5k", "train").images
    assert len(training) + len(validation) == len(whole) and len(validation) == 1_000
    np.testing.assert_array_equal(np.concatenate([training, validation]), whole)
    assert data.parzen_splits("folder:/somewhere") is None


@pytest.mark.parametrize("count, held", [(300, 30), (30_000, 1_000)])
def test_a_tenth_of_a_dataset_without_protocol_is_for_sigma(count, held):
    whole = np.arange(count, dtype=np.uint32).view(np.uint8).reshape(count, 2, 2, 1)
    rest, validation = (
        images(lambda split: data.Images(whole, None, ()), "folder:/somewhere")
        for images in (reference.calibration_images, reference.validation_images)
    )
    assert (len(rest), len(validation)) == (count - held, held)
    assert len(np.unique(np.concatenate([rest, validation]), axis=0)) == count


def test_of_images_held_out_parzen_takes_half_for_sigma():
    images = pixels(20)
    found = reference.of_held_out(images, "mnist", "train", ["fid", "parzen"])
    assert (len(found.images), len(found.validation)) == (10, 10)
    assert len(np.unique(np.concatenate([found.images, found.validation]), axis=0)) == 20
    assert found.about == {"dataset": "mnist", "reference": "20 held out of train"}
    assert reference.of_held_out(images, "mnist", "train", ["fid"]).validation is None


def test_real_images_have_validation_images_where_a_metric_needs_them():
    asked = []

    def load(split):
        asked.append(split)
        return data.Images(pixels(3), None, ())

    found = reference.real(load, "mnist", "test", ["fid"])
    assert found.validation is None and found.about == {"dataset": "mnist", "reference": "test"} and asked == ["test"]
    assert reference.real(load, "mnist", "test", ["parzen"]).validation is not None
    assert asked[1:] == ["test", "train[50000:51000]"]


def test_training_images_are_loaded_for_report_003_alone():
    def load(split):
        return data.Images(pixels(3 if split == "test" else 40), None, ())

    found = reference.real(load, "mnist", "test", ["parzen-report003"])
    assert found.validation is None and len(found.training) == 4
    assert reference.real(load, "mnist", "test", ["parzen"]).training is None
