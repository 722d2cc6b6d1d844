"""Image files: what is decoded, turned upright and refused, the part that is taken, scaling, threads."""

import io
import os
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageOps

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
        (contents(Image.fromarray(PIXELS), "GIF"), r"^unreadable \(none of JPEG, PNG, WEBP, BMP, TIFF\)$"),
        (b"", r"^unreadable \(none of JPEG, PNG, WEBP, BMP, TIFF\)$"),
    ],
    ids=["transparent", "CMYK", "16 bit", "truncated", "GIF", "empty"],
)
def test_what_cannot_be_used_has_a_reason(source, words):
    with pytest.raises(ValueError, match=words):
        files.decode(source)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_refused_before_it_is_opened(make, tmp_path):
    make(tmp_path / "a.png")  # nobody writes into the pipe: opening it would wait for ever
    with pytest.raises(ValueError, match="^is not a file$"):
        files.decode(tmp_path / "a.png")


def test_more_pixels_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(files, "_MOST_PIXELS", 53)
    with pytest.raises(files.Unusable, match=r"more than 64 megapixels \(9x6\)"):
        files.decode(contents(Image.fromarray(PIXELS)))
    monkeypatch.setattr(files, "_MOST_PIXELS", 54)
    assert files.decode(contents(Image.fromarray(PIXELS))).size == (9, 6)


@pytest.mark.parametrize("size, box", [((10, 6), (2, 0, 8, 6)), ((6, 11), (0, 2.5, 6, 8.5)), ((5, 5), (0, 0, 5, 5))])
def test_the_square_is_the_largest_in_the_middle(size, box):
    assert files.centre(*size, (64, 64)) == box


@pytest.mark.parametrize("frame", [(40, 30), (30, 40), (97, 31), (64, 64), (13, 200)], ids=str)
@pytest.mark.parametrize("size", [(16, 24), (24, 16), (20, 20), (5, 17)], ids=str)
def test_the_crop_of_a_rectangle_is_pillows(frame, size):
    image = Image.fromarray(np.random.default_rng(2).integers(0, 256, (frame[1], frame[0], 3), np.uint8))
    expected = ImageOps.fit(image, size[::-1], Image.Resampling.BICUBIC)
    found = files.fit(image, size, files.centre(*frame, size))
    assert found.shape == (*size, 3)
    np.testing.assert_array_equal(found, expected)


BEHIND = (255, 128, 7)


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), BEHIND], ids=str)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_transparent_pixels_show_the_background(background, kind):
    alpha = np.random.default_rng(3).integers(0, 256, (6, 9, 1), np.uint8)
    expected = np.rint((alpha * 1.0 * PIXELS + (255.0 - alpha) * np.array(background)) / 255)
    found = files.decode(contents(Image.fromarray(np.dstack([PIXELS, alpha])), kind), background)
    assert found.mode == "RGB"
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("level, mode", [(200, "L"), (0, "L"), (None, "RGB")])
def test_grey_with_alpha_stays_grey_on_a_grey_background(level, mode):
    background = BEHIND if level is None else (level, level, level)
    grey, alpha = np.moveaxis(PIXELS[..., :2], 2, 0)
    found = files.decode(contents(Image.fromarray(PIXELS[..., :2].copy(), "LA")), background)
    assert found.mode == mode
    behind = np.array(background) if level is None else level
    share, colour = (alpha[..., None], grey[..., None]) if level is None else (alpha, grey)
    np.testing.assert_array_equal(found, np.rint((share * 1.0 * colour + (255.0 - share) * behind) / 255))


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "P with alphas"])
def test_a_transparent_colour_shows_the_background(mode):
    """PNG's tRNS: one colour, or an alpha for each colour of a palette."""
    red, blue = (200, 10, 20), (0, 0, 90)
    if mode == "RGB":
        image, options, kept = Image.new("RGB", (2, 1), red), {"transparency": blue}, red
        image.putpixel((1, 0), blue)
    else:
        image = Image.new(mode[0], (2, 1), 5)
        image.putpixel((1, 0), 1)
        options, kept = {"transparency": 1}, (5, 5, 5)
        if mode[0] == "P":
            image.putpalette([0, 0, 0, *blue, 0, 0, 0, 0, 0, 0, 0, 0, 0, *red])
            kept = red
    seen = 0
    if "alphas" in mode:
        options, seen = {"transparency": bytes([255, 51, 255, 255, 255, 255])}, 51
    with pytest.raises(files.Unusable, match="has transparent pixels"):
        files.decode(contents(image, **options))
    found = files.decode(contents(image, **options), BEHIND).convert("RGB")
    assert found.getpixel((0, 0)) == kept
    mixed = [(seen * c + (255 - seen) * b) / 255 for c, b in zip(blue, BEHIND, strict=True)]
    assert found.getpixel((1, 0)) == tuple(np.rint(mixed))


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_a_tiff_of_one_page_is_decoded(mode, compression):
    image = Image.fromarray(PIXELS).convert(mode)
    found = files.decode(contents(image, "TIFF", compression=compression))
    np.testing.assert_array_equal(found, image.convert("RGB" if mode == "RGB" else "L"))


def sixteen_bits():
    """Returns a TIFF of 2x1 RGB pixels of 16 bits, which Pillow does not write."""
    pixels = bytes(range(12))
    tags = [(256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 14),
            (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 12)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return (
        b"II*\0"
        + struct.pack("<I", 26)
        + struct.pack("<3H", 16, 16, 16)
        + pixels
        + struct.pack("<H", 9)
        + entries
        + bytes(4)
    )


@pytest.mark.parametrize(
    "source, words",
    [
        (
            contents(Image.fromarray(PIXELS), "TIFF", save_all=True, append_images=[Image.new("L", (4, 4))] * 2),
            "has several pages; one is accepted",
        ),
        (contents(Image.new("I;16", (4, 4)), "TIFF"), "mode I;16; grey and RGB"),
        (contents(Image.new("CMYK", (4, 4)), "TIFF"), "mode CMYK; grey and RGB"),
        (contents(Image.new("F", (4, 4)), "TIFF"), "mode F; grey and RGB"),
        (contents(Image.fromarray(PIXELS), "TIFF")[:-60], "unreadable"),
        (sixteen_bits(), "16 bits a channel"),
    ],
    ids=["pages", "16 bit grey", "CMYK", "floats", "truncated", "16 bit RGB"],
)
def test_another_tiff_is_refused_with_its_reason(source, words):
    with pytest.raises(ValueError, match=words):
        files.decode(source, (0, 0, 0))


@pytest.mark.parametrize("channels", [1, 3])
def test_scaling_is_pillows_bicubic_and_keeps_what_has_the_size(channels):
    batch = np.random.default_rng(1).integers(0, 256, (3, 8, 8, channels), np.uint8)
    assert files.resize(batch, (8, 8)) is batch and files.resize(batch, None) is batch
    found = files.resize(batch, (5, 5))
    assert found.shape == (3, 5, 5, channels) and found.dtype == np.uint8
    for image, scaled in zip(batch, found, strict=True):
        for channel in range(channels):
            plane = Image.fromarray(image[..., channel]).resize((5, 5), Image.Resampling.BICUBIC)
            np.testing.assert_array_equal(scaled[..., channel], plane)


def test_a_part_of_an_image_is_scaled():
    image = np.zeros((4, 8), np.uint8)
    image[:, 4:] = 200
    found = files.fit(Image.fromarray(image), (4, 4), (4, 0, 8, 4))
    assert found.shape == (4, 4, 1) and (found == 200).all()


def test_threads_answer_in_order_and_raise_what_was_raised():
    assert files.parallel(lambda index: index**2, range(100), 100, "squares") == [index**2 for index in range(100)]
    with pytest.raises(ZeroDivisionError):
        files.parallel(lambda index: 1 // (index - 5), range(10), 10, "quotients")


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    """Each of 64 threads would take its own 260 MB, while it decodes and while it scales."""
    for size, most in (((5000, 4000), 1), ((50, 40), 4)):
        path = tmp_path / f"{size[0]}.png"
        Image.new("L", size, 9).save(path)
        for step in ("_opaque", "fit"):
            at_once, original, seen = [], getattr(files, step), []

            def slow(*given, at_once=at_once, original=original, seen=seen):
                at_once.append(None)
                seen.append(len(at_once))
                time.sleep(0.05)
                at_once.pop()
                return original(*given)

            monkeypatch.setattr(files, step, slow)
            with ThreadPoolExecutor(4) as pool:
                found = list(pool.map(files.fitted((8, 8), "center", None), [path] * 4))
            monkeypatch.undo()
            assert all((image == 9).all() for image in found)
            assert max(seen) == 1 if most == 1 else max(seen) > 1
