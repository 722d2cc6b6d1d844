"""folder:PATH on small folders made here: layouts, crops, and everything that is left out."""

import io

import numpy as np
import pytest
from PIL import Image

from kgen import data
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
    assert got.images[:, 5, 5].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert got.labels is None and got.classes == ()
    assert len(load(tmp_path, "train[1:]").images) == 2


def test_classes_are_the_first_folders(tmp_path):
    save(tmp_path / "dog/1.png", (1, 1, 1))
    save(tmp_path / "cat/deep/2.png", (2, 2, 2))
    save(tmp_path / "cat/1.JPEG", (3, 3, 3))
    save(tmp_path / ".cache/1.png")
    got = load(tmp_path, size=8)
    assert got.classes == ("cat", "dog") and got.labels.tolist() == [0, 0, 1] and got.labels.dtype == np.int64
    assert got.images[:, 0, 0, 0].tolist() == [3, 2, 1]
    assert load(tmp_path, classes=("dog",)).labels.tolist() == [0]


def test_train_and_test_folders_are_splits(tmp_path):
    save(tmp_path / "train/dog/1.png")
    save(tmp_path / "train/cat/1.png")
    save(tmp_path / "test/dog/1.png")
    assert load(tmp_path).labels.tolist() == [0, 1]
    test = load(tmp_path, "test")
    assert test.labels.tolist() == [1] and test.classes == ("cat", "dog")


def test_grey_alone_keeps_one_channel(tmp_path):
    save(tmp_path / "a.png", 100, mode="L")
    assert load(tmp_path, size=4).images.tolist() == np.full((1, 4, 4, 1), 100).tolist()
    save(tmp_path / "b.png", (1, 2, 3))
    assert load(tmp_path, size=4).images[:, 0, 0].tolist() == [[100, 100, 100], [1, 2, 3]]


def test_crops(tmp_path):
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 10:30] = 200  # the central square
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert load(tmp_path, size=20).images[0, :, 1:-1].min() == 200
    squashed = load(tmp_path, size=20, crop="squash").images[0, :, :, 0]
    assert squashed[:, :4].max() == 0 and squashed[:, 7:13].min() == 200


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
        got = load(folder, size=8)
    assert got.images[:, 0, 0].tolist() == [[255, 0, 0], [1, 2, 3], [255, 0, 0]]  # good, opaque, stays
    assert got.labels is None and len(caught) == 1
    lines = {line.split(":")[0].rsplit("/")[-1]: line for line in str(caught[0].message).splitlines()[1:]}
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


def test_pictures_beside_class_folders_are_left_out(tmp_path):
    save(tmp_path / "dog/1.png")
    save(tmp_path / "loose.png")
    with pytest.warns(UserWarning, match="loose.png: lies beside the class folders"):
        assert load(tmp_path).labels.tolist() == [0]


def test_at_most_twenty_are_named(tmp_path):
    save(tmp_path / "good.png")
    for i in range(25):
        (tmp_path / f"bad{i:02}.png").touch()
    with pytest.warns(UserWarning, match="25 pictures are left out") as caught:
        load(tmp_path)
    lines = str(caught[0].message).splitlines()
    assert len(lines) == 22 and "bad19.png" in lines[20] and lines[21].strip() == "and 5 more"


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
    with pytest.raises(UsageError, match="no split 'test'.*train/ and test/"):
        load(tmp_path, "test")
    with pytest.raises(UsageError, match="has: train, test"):
        load(tmp_path, "valid")
