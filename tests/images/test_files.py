"""Image files: what is decoded, turned upright and refused, the square that is taken, scaling, threads."""

import io
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from kgen.images import files

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def contents(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode, shape", [("L", (6, 9)), ("RGB", (6, 9, 3))])
def test_a_file_and_its_bytes_are_decoded_alike(mode, shape, tmp_path):
    image = Image.fromarray(PIXELS).convert(mode)
    (tmp_path / "a.png").write_bytes(contents(image))
    for source in (tmp_path / "a.png", contents(image)):
        found = files.decode(source)
        assert found.mode == mode and np.asarray(found).shape == shape
        np.testing.assert_array_equal(found, image)


def test_opaque_alpha_is_dropped_and_a_photograph_is_turned_upright():
    opaque = np.dstack([PIXELS, np.full((6, 9), 255, np.uint8)])
    np.testing.assert_array_equal(files.decode(contents(Image.fromarray(opaque))), PIXELS)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    turned = files.decode(contents(Image.fromarray(PIXELS), exif=exif))
    np.testing.assert_array_equal(turned, np.rot90(PIXELS, -1))


@pytest.mark.parametrize(
    "source, words",
    [
        (contents(Image.fromarray(np.dstack([PIXELS, PIXELS[..., 0]]))), "has transparent pixels"),
        (contents(Image.new("CMYK", (4, 4)), "JPEG"), "mode CMYK; grey and RGB are accepted"),
        (contents(Image.new("I;16", (4, 4))), "mode I;16"),
        (contents(Image.fromarray(PIXELS))[:-30], "unreadable"),
        (contents(Image.fromarray(PIXELS), "GIF"), "unreadable"),
        (b"", "unreadable"),
    ],
    ids=["transparent", "CMYK", "16 bit", "truncated", "GIF", "empty"],
)
def test_what_cannot_be_used_has_a_reason(source, words):
    with pytest.raises(ValueError, match=words):
        files.decode(source)


def test_more_pixels_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(files, "_MOST_PIXELS", 53)
    with pytest.raises(files.Unusable, match=r"more than 64 megapixels \(9x6\)"):
        files.decode(contents(Image.fromarray(PIXELS)))
    monkeypatch.setattr(files, "_MOST_PIXELS", 54)
    assert files.decode(contents(Image.fromarray(PIXELS))).size == (9, 6)


@pytest.mark.parametrize("size, box", [((10, 6), (2, 0, 8, 6)), ((6, 11), (0, 2.5, 6, 8.5)), ((5, 5), (0, 0, 5, 5))])
def test_the_square_is_the_largest_in_the_middle(size, box):
    assert files.centre(*size) == box


@pytest.mark.parametrize("channels", [1, 3])
def test_scaling_is_pillows_bicubic_and_keeps_what_has_the_size(channels):
    batch = np.random.default_rng(1).integers(0, 256, (3, 8, 8, channels), np.uint8)
    assert files.resize(batch, 8) is batch and files.resize(batch, None) is batch
    found = files.resize(batch, 5)
    assert found.shape == (3, 5, 5, channels) and found.dtype == np.uint8
    for image, scaled in zip(batch, found, strict=True):
        for channel in range(channels):
            plane = Image.fromarray(image[..., channel]).resize((5, 5), Image.Resampling.BICUBIC)
            np.testing.assert_array_equal(scaled[..., channel], plane)


def test_a_part_of_an_image_is_scaled():
    image = np.zeros((4, 8), np.uint8)
    image[:, 4:] = 200
    found = files.fit(Image.fromarray(image), 4, (4, 0, 8, 4))
    assert found.shape == (4, 4, 1) and (found == 200).all()


def test_threads_answer_in_order_and_raise_what_was_raised():
    assert files.parallel(lambda index: index**2, 100, "squares") == [index**2 for index in range(100)]
    with pytest.raises(ZeroDivisionError):
        files.parallel(lambda index: 1 // (index - 5), 10, "quotients")


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    """Each of 64 threads would take its own 700 MB."""
    for size, most in (((5000, 4000), 1), ((50, 40), 4)):
        path = tmp_path / f"{size[0]}.png"
        Image.new("L", size, 9).save(path)
        at_once, opaque, seen = [], files._opaque, []

        def slow(image, at_once=at_once, opaque=opaque, seen=seen):
            at_once.append(None)
            seen.append(len(at_once))
            time.sleep(0.05)
            at_once.pop()
            return opaque(image)

        monkeypatch.setattr(files, "_opaque", slow)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(files.decode, [path] * 4))
        monkeypatch.undo()
        assert max(seen) == 1 if most == 1 else max(seen) > 1
