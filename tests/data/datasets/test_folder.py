"""folder:PATH on small folders made here: layouts, crops, and everything that is left out."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from kgen import data
from kgen.data import NoSplit
from kgen.data.bad import BadImages
from kgen.errors import UsageError


def save(path, colour=(255, 0, 0), size=(10, 10), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


def load(path, split="train", **options):
    return data.load(f"folder:{path}", split, **options)


def test_flat(tmp_path):
    save(tmp_path / "b.png", (0, 255, 0))
    save(tmp_path / "a.bmp", (255, 0, 0))
    save(tmp_path / "c.webp", (0, 0, 255), lossless=True)
    save(tmp_path / ".hidden.png")
    (tmp_path / "notes.txt").write_text("no picture")
    got = load(tmp_path)
    assert got.images.shape == (3, 64, 64, 3) and got.images.dtype == np.uint8
    assert sorted(got.images[:, 5, 5].tolist()) == [[0, 0, 255], [0, 255, 0], [255, 0, 0]]
    assert got.labels is None and got.classes == ()
    assert len(load(tmp_path, "train[1:]").images) == 2


def test_classes_are_the_first_folders(tmp_path):
    save(tmp_path / "dog/1.png", (1, 1, 1))
    save(tmp_path / "cat/deep/2.png", (2, 2, 2))
    save(tmp_path / "cat/1.JPEG", (3, 3, 3))
    save(tmp_path / ".cache/1.png")
    got = load(tmp_path, size=8)
    assert got.classes == ("cat", "dog") and got.labels.dtype == np.int64
    assert sorted(zip(got.images[:, 0, 0, 0], got.labels, strict=True)) == [(1, 1), (2, 0), (3, 0)]
    assert load(tmp_path, classes=("dog",)).labels.tolist() == [0]


def test_train_and_test_folders_are_splits(tmp_path):
    save(tmp_path / "train/dog/1.png")
    save(tmp_path / "train/cat/1.png")
    save(tmp_path / "test/dog/1.png")
    assert sorted(load(tmp_path).labels) == [0, 1]
    test = load(tmp_path, "test")
    assert test.labels.tolist() == [1] and test.classes == ("cat", "dog")


def test_grey_alone_keeps_one_channel(tmp_path):
    save(tmp_path / "a.png", 100, mode="L")
    assert load(tmp_path, size=4).images.tolist() == np.full((1, 4, 4, 1), 100).tolist()
    save(tmp_path / "b.png", (1, 2, 3))
    assert sorted(load(tmp_path, size=4).images[:, 0, 0].tolist()) == [[1, 2, 3], [100, 100, 100]]


def test_crops(tmp_path):
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 10:30] = 200  # the central square
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert load(tmp_path, size=20).images[0, :, 1:-1].min() == 200
    squashed = load(tmp_path, size=20, crop="squash").images[0, :, :, 0]
    assert squashed[:, :4].max() == 0 and squashed[:, 7:13].min() == 200


@pytest.mark.parametrize("crop", ["center", "squash"])
def test_rectangles_are_pillows(tmp_path, crop):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    fitted = {"center": ImageOps.fit, "squash": Image.Image.resize}[crop]
    expected = fitted(Image.fromarray(pixels), (24, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(load(tmp_path, size="16x24", crop=crop).images, np.asarray(expected)[None])


def test_transparent_pictures_need_a_background(tmp_path):
    save(tmp_path / "glass.png", (200, 100, 0, 51), mode="RGBA")
    with pytest.raises(BadImages, match="glass.png: has transparent pixels\n.*\n.*--background white"):
        load(tmp_path)
    assert load(tmp_path, size=1, background="white").images.tolist() == [[[[244, 224, 204]]]]  # (c + 4 * 255) / 5
    assert load(tmp_path, size=1, background="#0a0014").images.tolist() == [[[[48, 20, 16]]]]
    with pytest.raises(UsageError, match="--background must be white, black or a colour like #ff8000, not red"):
        load(tmp_path, background="red")


def test_orientation_is_honoured(tmp_path):
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: the upper half comes to the right
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    image = load(tmp_path, size=20).images[0, ..., 0]
    assert image[:, 12:].min() > 240 and image[:, :8].max() < 15


def test_what_cannot_be_used_is_left_out_and_named(tmp_path):
    outside = tmp_path / "outside/secret.png"
    save(outside)
    folder = tmp_path / "pictures"
    save(folder / "good.png")
    save(folder / "cmyk.jpg", (0, 0, 0, 0), mode="CMYK")
    save(folder / "deep.png", 5, mode="I;16")
    save(folder / "glass.png", (1, 2, 3, 4), mode="RGBA")
    save(folder / "opaque.png", (1, 2, 3, 255), mode="RGBA")
    save(folder / "huge.png", 0, size=(8001, 8000), mode="1")
    save(folder / "enormous.png", 0, size=(14000, 14000), mode="1")
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:])
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "JPEG")
    (folder / "cut.jpg").write_bytes(buffer.getvalue()[:-500])
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").touch()
    (folder / "leaves.png").symlink_to(outside)
    (folder / "stays.png").symlink_to("good.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "linked").symlink_to(outside.parent)
    with open(folder / "heavy.png", "wb") as file:
        file.truncate(50_000_001)
    with pytest.warns(UserWarning) as caught:
        got = load(folder, size=8, skip_bad=True)
    assert sorted(got.images[:, 0, 0].tolist()) == [[1, 2, 3], [255, 0, 0], [255, 0, 0]]  # opaque, good, stays
    assert got.labels is None and len(caught) == 1
    lines = {line.split(":")[0].rsplit("/")[-1]: line for line in str(caught[0].message).splitlines()[1:-1]}
    assert "--background white" in str(caught[0].message).splitlines()[-1]
    reasons = {
        "cmyk.jpg": "mode CMYK",
        "cut.jpg": "truncated",
        "deep.png": "mode I;16",
        "empty.png": "unreadable",
        "enormous.png": "64 megapixels",
        "glass.png": "transparent",
        "heavy.png": "50 MB",
        "huge.png": "64 megapixels",
        "leaves.png": "leaves the folder",
        "linked": "link",
        "loop.png": "loop",
        "moving.webp": "animated",
        "text.png": "unreadable",
    }
    assert sorted(lines) == sorted(reasons)
    for name, reason in reasons.items():
        assert reason in lines[name], lines[name]


def noisy(path, colour, count, seed=0):
    """Writes pictures of a colour with noise, no two alike."""
    path.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for i in range(count):
        pixels = np.clip(colour + random.normal(0, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path / f"{i:04}.png")


def test_a_slice_of_class_folders_has_equal_parts_of_all_classes(tmp_path):
    noisy(tmp_path / "cat", (220, 40, 40), 300)
    noisy(tmp_path / "dog", (40, 40, 220), 300)
    for split in ("train[:100]", "train[-100:]", "train[250:350]"):
        assert 35 <= load(tmp_path, split, size=8).labels.sum() <= 65
    first, rest = load(tmp_path, "train[:100]", size=8), load(tmp_path, "train[100:]", size=8)
    assert len(np.unique(np.concatenate([first.images, rest.images]), axis=0)) == 600


def test_the_order_does_not_depend_on_the_names_of_files_and_classes(tmp_path):
    for folder in ("one", "other"):
        noisy(tmp_path / folder / "cat", (220, 40, 40), 20)
        noisy(tmp_path / folder / "dog", (40, 40, 220), 20)
    for path in (tmp_path / "other/cat").iterdir():
        path.rename(path.with_name(f"{9999 - int(path.stem)}.png"))
    (tmp_path / "other/dog").rename(tmp_path / "other/a dog")
    one, other = (load(tmp_path / folder, "train[:15]", size=8) for folder in ("one", "other"))
    np.testing.assert_array_equal(one.images, other.images)
    assert other.classes == ("a dog", "cat") and (one.labels == 1 - other.labels).all()


def test_a_number_is_a_position_only_where_no_class_is_named_by_one(tmp_path):
    for value, name in enumerate(["1", "2", "10", "11"]):
        save(tmp_path / name / "a.png", (60 * value,) * 3)
    assert load(tmp_path, size=4, classes=("2",)).images[0, 0, 0, 0] == 60
    with pytest.raises(UsageError, match="There is no class '3'; there are: 1, 10, 11, 2"):
        load(tmp_path, classes=("3", "10"))


@pytest.mark.parametrize("mode, key", [("L", 0), ("RGB", (0, 0, 0)), ("1", 0)])
def test_a_transparent_colour_is_seen_in_every_mode(tmp_path, mode, key):
    image = Image.new(mode, (8, 8), key)
    image.paste(1 if mode == "1" else (9,) * len(image.getbands()) if mode == "RGB" else 9, (2, 2, 6, 6))
    image.save(tmp_path / "key.png", transparency=key)
    save(tmp_path / "good.png")
    with pytest.raises(BadImages, match="key.png: has transparent pixels"):
        load(tmp_path)


def test_a_transparent_colour_that_no_pixel_has_changes_nothing(tmp_path):
    Image.new("L", (8, 8), 50).save(tmp_path / "a.png", transparency=0)
    assert load(tmp_path, size=4).images.tolist() == np.full((1, 4, 4, 1), 50).tolist()


def test_jpegs_of_all_endings_are_taken_and_other_images_counted(tmp_path):
    for i, suffix in enumerate((".jpg", ".jpe", ".jfif", ".JPEG")):
        Image.new("RGB", (8, 8), (9 * i, 0, 0)).save(tmp_path / f"a{suffix}", format="JPEG")
    for name in ("a.avif", "b.gif", "c.gif", ".hidden.gif"):
        (tmp_path / name).touch()
    with pytest.warns(
        UserWarning, match=r"images that are left out: 1 \.avif, 2 \.gif; accepted are \.jpg, "
    ) as caught:
        assert len(load(tmp_path).images) == 4
    assert len(caught) == 1


@pytest.mark.parametrize("name", ["a.pjpeg", "a.PJP", "a.jif", "a.apng", "a.dib", "a.nef"])
def test_an_ending_that_browsers_and_cameras_write_is_counted(tmp_path, name):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / name).touch()
    with pytest.warns(UserWarning, match=rf"images that are left out: 1 \{Path(name).suffix.lower()};"):
        assert len(load(tmp_path).images) == 1


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\nb", b"tab\t"])
def test_a_class_that_cannot_be_printed_is_refused(tmp_path, name):
    save(tmp_path / os.fsdecode(name) / "a.png")
    with pytest.raises(UsageError, match="cannot be a class: its name has characters that cannot be printed"):
        load(tmp_path)


def chunk(kind, content, wrong=0):
    """Returns a chunk of a PNG; `wrong` is added to its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content) + wrong)


def png(bits, pixels, wrong=0):
    """Returns the bytes of a 2x2 RGB PNG."""
    rows = zlib.compress(b"".join(b"\0" + pixels[i : i + len(pixels) // 2] for i in (0, len(pixels) // 2)))
    header = struct.pack(">IIBBBBB", 2, 2, bits, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows, wrong) + chunk(b"IEND", b"")


def test_16_bits_a_channel_and_wrong_checksums_are_refused(tmp_path):
    (tmp_path / "good.png").write_bytes(png(8, bytes(range(12))))
    (tmp_path / "deep.png").write_bytes(png(16, bytes(range(24))))
    (tmp_path / "wrong.png").write_bytes(png(8, bytes(range(12)), wrong=1))
    with pytest.warns(UserWarning) as caught:
        assert load(tmp_path, size=2, skip_bad=True).images.reshape(-1).tolist() == list(range(12))
    told = str(caught[0].message)
    assert "deep.png: 16 bits a channel" in told and "wrong.png: unreadable (broken PNG file" in told


def test_pictures_beside_class_folders_are_left_out(tmp_path):
    save(tmp_path / "dog/1.png")
    save(tmp_path / "loose.png")
    with pytest.raises(BadImages, match="loose.png: lies beside the class folders"):
        load(tmp_path)
    with pytest.warns(UserWarning, match="loose.png: lies beside the class folders"):
        assert load(tmp_path, skip_bad=True).labels.tolist() == [0]


def test_mistakes_are_named(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        load(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="write folder:PATH"):
        data.load("folder")
    with pytest.raises(UsageError, match="no usable picture"):
        load(tmp_path)
    save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="is a file"):
        load(tmp_path / "a.png")
    with pytest.raises(NoSplit, match="no split 'test'.*train/ and test/"):
        load(tmp_path, "test")
    with pytest.raises(UsageError, match="has: train, test"):
        load(tmp_path, "valid")
