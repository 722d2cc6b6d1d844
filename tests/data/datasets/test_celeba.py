"""CelebA: crops against plain Pillow and against a ramp whose values are known; splits, archives, attributes."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageOps

from kgen import data
from kgen.data import Request
from kgen.data.bad import BadImages
from kgen.data.datasets import celeba
from kgen.data.decoding import Example
from kgen.errors import UsageError


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")  # lossless, so that values are known
    return buffer.getvalue()


def noise(number, width, height):
    coarse = np.random.default_rng(number).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def pack(path, pictures):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_folder/labels.txt", "not a picture")
        for number, pixels in pictures.items():
            archive.writestr(f"some_folder/{number:06}.png", png(pixels))


@pytest.fixture
def faces(tmp_path):
    """Four frames of 178x218, in no order: first and last of train, first of valid and of test."""
    pictures = {number: noise(number, 178, 218) for number in (182638, 162770, 162771, 1)}
    pack(tmp_path / "celeba/faces.zip", pictures)
    return tmp_path, pictures


def test_the_crop_is_the_central_148_square(faces):
    folder, pictures = faces
    got = data.load("celeba", "train", folder)
    assert got.images.shape == (2, 64, 64, 3) and got.images.dtype == np.uint8 and got.labels is None
    for image, number in zip(got.images, (1, 162770), strict=True):
        cut = Image.fromarray(pictures[number]).crop((15, 35, 163, 183)).resize((64, 64), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(image[2:-2, 2:-2], np.asarray(cut)[2:-2, 2:-2])
        np.testing.assert_allclose(image.astype(int), np.asarray(cut), atol=30)  # at the border ours sees outside


@pytest.mark.parametrize("size", [(109, 89), (64, 96)], ids=str)
def test_the_crop_of_a_rectangle_is_the_largest_in_the_middle(faces, size):
    folder, pictures = faces
    got = data.load("celeba", "train", folder, size="x".join(map(str, size)))
    expected = ImageOps.fit(Image.fromarray(pictures[1]), size[::-1], Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(got.images[0], expected)


def test_the_crop_without_scaling_is_the_frame_itself(faces):
    folder, pictures = faces
    got = data.load("celeba", "train", folder, size=148)
    np.testing.assert_array_equal(got.images[0], pictures[1][35:183, 15:163])


def test_squash_is_the_whole_frame(faces):
    folder, pictures = faces
    got = data.load("celeba", "train", folder, crop="squash")
    expected = Image.fromarray(pictures[162770]).resize((64, 64), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(got.images[1], np.asarray(expected))


def test_the_crop_of_a_half_size_frame_is_at_half_pixels(tmp_path):
    rows, columns = np.mgrid[0:109, 0:89].astype(np.uint8)
    pack(tmp_path / "celeba/small.zip", {1: np.stack([rows, columns, columns], axis=2) * 2})
    image = data.load("celeba", "train", tmp_path, size=37).images[0].astype(float)
    # Each pixel averages two of the 74x74 from (17.5, 7.5): the ramp 2 * (middle - 1/2) at the middle start + 1 + 2 i.
    np.testing.assert_allclose(image[..., 0], np.tile(2 * (17.5 + 0.5 + 2 * np.arange(37))[:, None], 37), atol=1)
    np.testing.assert_allclose(image[..., 1], np.tile(2 * (7.5 + 0.5 + 2 * np.arange(37)), (37, 1)), atol=1)


def test_splits_are_the_official_ids_or_the_list(faces):
    folder, pictures = faces
    counts = {split: len(data.load("celeba", split, folder).images) for split in ("train", "valid", "test")}
    assert counts == {"train": 2, "valid": 1, "test": 1}
    partition = "000001.jpg 2\n162770.jpg 0\n000003.jpg 0\n162771.jpg 0\n182638.jpg 0\n"
    (folder / "celeba/list_eval_partition.txt").write_text(partition)
    got = data.load("celeba", "test", folder, size=148)
    np.testing.assert_array_equal(got.images[0], pictures[1][35:183, 15:163])
    assert len(data.load("celeba", "train", folder).images) == 3
    assert len(data.load("celeba", "train[1:]", folder).images) == 2
    with pytest.raises(UsageError, match="no image of the split 'valid'; its ids are 1-182638"):
        data.load("celeba", "valid", folder)


def test_the_official_folder_goes_before_other_archives(faces):
    folder, _ = faces
    (folder / "img_align_celeba").mkdir()
    (folder / "img_align_celeba/000007.png").write_bytes(png(noise(7, 178, 218)))
    assert len(data.load("celeba", "train", folder).images) == 1
    assert len(data.load("celeba:faces.zip", "train", folder).images) == 2


def test_squashed_archives_cannot_be_cropped(faces):
    folder, _ = faces
    pack(folder / "celeba/a_squashed.zip", {number: noise(number, 64, 64) for number in (1, 2, 3)})
    assert len(data.load("celeba", "train", folder).images) == 2  # passes over a_squashed.zip
    assert len(data.load("celeba", "train", folder, crop="squash").images) == 3
    with pytest.raises(UsageError, match="a_squashed.zip has frames of 64x64.*'squash'"):
        data.load("celeba:a_squashed.zip", "train", folder)
    (folder / "celeba/faces.zip").unlink()
    with pytest.raises(UsageError, match=r"178x218 frame: a_squashed.zip \(64x64\).*'squash'"):
        data.load("celeba", "train", folder)


def test_a_wrong_archive_is_named(faces):
    folder, _ = faces
    with pytest.raises(UsageError, match="There is no faes.zip .*faces.zip"):
        data.load("celeba:faes.zip", "train", folder)
    pack(folder / "celeba/img_align_celeba.zip", {1: noise(1, 178, 218)})
    with pytest.raises(UsageError, match="img_align_celeba.zip is not the official file: expected SHA-256 46fb89"):
        data.load("celeba", "train", folder)


def test_without_an_archive_tensorflow_datasets_is_asked(tmp_path, monkeypatch):
    pictures, asked = [noise(1, 178, 218), noise(2, 178, 218)], []

    class Split:
        count = 2

        def __init__(self, builder, split):
            asked.append((builder, split))

        def encoded(self):
            return (Example("celeb_a", png(pixels)) for pixels in pictures)

        def state(self):
            return [], 0.0

    monkeypatch.setattr(celeba.prepared, "builder_of", lambda name, data_dir, hint: (name, data_dir))
    monkeypatch.setattr(celeba.prepared, "Split", Split)
    got = data.load("celeba", "valid[:2]", tmp_path, size=148)
    assert asked == [(("celeb_a", tmp_path), "validation[:2]")]
    np.testing.assert_array_equal(got.images, [pixels[35:183, 15:163] for pixels in pictures])


@pytest.mark.parametrize("damaged", [1, 2, 3])
def test_a_damaged_image_is_named_or_left_out_with_its_attributes(tmp_path, damaged):
    (tmp_path / "celeba").mkdir()
    with zipfile.ZipFile(tmp_path / "celeba/faces.zip", "w") as archive:
        for number in (1, 2, 3):
            whole = png(noise(number, 178, 218))
            archive.writestr(f"{number:06}.png", whole[:-3000] if number == damaged else whole)
    with pytest.raises(BadImages, match=rf"1 of 3 pictures cannot be used:\n  00000{damaged}\.png: unreadable"):
        data.load("celeba", "train", tmp_path, size=148)
    with pytest.warns(UserWarning, match=f"00000{damaged}.png"):
        got = data.load("celeba", "train", tmp_path, size=148, skip_bad=True)
    good = [number for number in (1, 2, 3) if number != damaged]
    np.testing.assert_array_equal(got.images, [noise(number, 178, 218)[35:183, 15:163] for number in good])
    lines = "".join(f"{number:06}.jpg {1 if number == 2 else -1}\n" for number in (1, 2, 3))
    (tmp_path / "list_attr_celeba.txt").write_text("3\nSmiling\n" + lines)
    values, _ = celeba.attributes(Request("train", tmp_path, skip_bad=True))
    assert values[:, 0].tolist() == [number == 2 for number in good]


def test_an_archive_of_damaged_images_only_is_refused(tmp_path):
    (tmp_path / "celeba").mkdir()
    with zipfile.ZipFile(tmp_path / "celeba/faces.zip", "w") as archive:
        archive.writestr("000001.png", b"no picture")
    with pytest.raises(UsageError, match="no image in it can be used; 000001.png: unreadable"):
        data.load("celeba", "train", tmp_path, skip_bad=True)


def test_attributes_follow_the_images(faces):
    folder, _ = faces
    table = "3\nBald Smiling\n000001.jpg -1  1\n162770.jpg  1  1\n162771.jpg  1 -1\n"
    (folder / "list_attr_celeba.txt").write_text(table)
    values, names = celeba.attributes(Request("train", folder))
    assert names == ("Bald", "Smiling") and values.dtype == bool
    assert values.tolist() == [[False, True], [True, True]]
    assert celeba.attributes(Request("train[1:]", folder))[0].tolist() == [[True, True]]
    with pytest.raises(UsageError, match="lacks image 182638"):
        celeba.attributes(Request("test", folder))


def test_ten_thousand_real_images(real_data):
    if not (real_data / "celeba/celeba_aligned_89x109_10000.zip").exists():
        pytest.skip(f"no celeba_aligned_89x109_10000.zip in {real_data}")
    images = data.load("celeba:celeba_aligned_89x109_10000.zip", "train", real_data).images
    assert images.shape == (10000, 64, 64, 3)
    mean = images.mean(axis=0)
    assert abs(mean - mean[:, ::-1]).mean() < 5  # the mean face is symmetric ...
    assert mean[28:36, 28:36].mean() > mean[:6, :6].mean() + 20  # ... and its nose brighter than the corner


def kaggle(folder, pictures):
    """Lays out frames as Kaggle's archive does: a folder in a folder, and lists as .csv."""
    inner = folder / "celeba/img_align_celeba/img_align_celeba"
    inner.mkdir(parents=True)
    for number, pixels in pictures.items():
        Image.fromarray(pixels).save(inner / f"{number:06}.jpg", quality=95)
    (folder / "celeba/list_attr_celeba.csv").write_text(
        "image_id,Smiling,Male\n"
        + "".join(f"{n:06}.jpg,{1 - 2 * (n % 2)},{2 * (n % 2) - 1}\n" for n in sorted(pictures))
    )
    (folder / "celeba/list_eval_partition.csv").write_text(
        "image_id,partition\n" + "".join(f"{n:06}.jpg,{n % 3}\n" for n in sorted(pictures))
    )


def test_kaggles_folders_and_lists_are_read(tmp_path):
    pictures = {number: noise(number, 178, 218) for number in range(1, 7)}
    kaggle(tmp_path, pictures)
    for part, ids in (("train", (3, 6)), ("valid", (1, 4)), ("test", (2, 5))):
        found = data.load("celeba", part, tmp_path, size=148)
        assert len(found.images) == 2
        for image, number in zip(found.images, ids, strict=True):
            assert np.abs(image.astype(int) - pictures[number][35:183, 15:163]).mean() < 12  # JPEG
        values, names = celeba.attributes(Request(part, tmp_path))
        assert names == ("Smiling", "Male") and values.tolist() == [[n % 2 == 0, n % 2 == 1] for n in ids]


def test_a_list_that_a_spreadsheet_wrote_is_read(tmp_path):
    kaggle(tmp_path, {number: noise(number, 178, 218) for number in range(1, 7)})
    plain = celeba.attributes(Request("test", tmp_path))
    for path in (tmp_path / "celeba").glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    marked = celeba.attributes(Request("test", tmp_path))
    assert marked[1] == plain[1] == ("Smiling", "Male") and marked[0].tolist() == plain[0].tolist()


def test_a_folder_in_an_archive_may_have_a_space_in_its_name(tmp_path):
    (tmp_path / "celeba").mkdir()
    with zipfile.ZipFile(tmp_path / "celeba/faces.zip", "w") as archive:
        archive.writestr("my faces/000001.png", png(noise(1, 178, 218)))
    assert len(data.load("celeba", "train", tmp_path).images) == 1


def test_pipes_in_place_of_files_are_refused(tmp_path):
    (tmp_path / "celeba").mkdir()
    os.mkfifo(tmp_path / "celeba/img_align_celeba.zip")
    with pytest.raises(UsageError, match="img_align_celeba.zip is neither a file nor a folder"):
        data.load("celeba", "train", tmp_path)
    (tmp_path / "celeba/img_align_celeba.zip").unlink()
    (tmp_path / "celeba/img_align_celeba").mkdir()
    os.mkfifo(tmp_path / "celeba/img_align_celeba/000001.jpg")
    with pytest.raises(UsageError, match="000001.jpg is not a file"):
        data.load("celeba", "train", tmp_path)


def test_a_frame_of_another_shape_among_the_others_is_named(faces):
    folder, pictures = faces
    pack(folder / "celeba/faces.zip", {**pictures, 2: noise(2, 64, 64)})
    with pytest.raises(BadImages, match="000002.png: has a frame of 64x64, not of 178:218"):
        data.load("celeba", "train", folder)
    assert len(data.load("celeba", "train", folder, crop="squash").images) == 3


def test_two_images_of_one_number_are_refused(faces):
    folder, _ = faces
    with zipfile.ZipFile(folder / "celeba/faces.zip", "a") as archive:
        archive.writestr("again/000001.png", png(noise(5, 178, 218)))
    with pytest.raises(UsageError, match="two images of one number: some_folder/000001.png and again/000001.png"):
        data.load("celeba", "train", folder)
    (folder / "celeba/img_align_celeba").mkdir()
    for name in ("000001.png", "000001.jpg"):
        Image.fromarray(noise(6, 178, 218)).save(folder / "celeba/img_align_celeba" / name)
    with pytest.raises(UsageError, match="two images of one number: 000001.jpg and 000001.png"):
        data.load("celeba", "train", folder)


@pytest.mark.parametrize("dataset", ["celeba", "celeba:faces.zip"])
def test_a_pipe_in_place_of_any_zip_is_refused(dataset, tmp_path):
    (tmp_path / "celeba").mkdir()
    os.mkfifo(tmp_path / "celeba/faces.zip")
    with pytest.raises(UsageError, match="faces.zip is n"):
        data.load(dataset, "train", tmp_path)


@pytest.mark.parametrize("name", ["list_eval_partition.txt", "list_attr_celeba.txt"])
def test_a_list_that_is_no_text_is_named(name, faces):
    folder, _ = faces
    (folder / "celeba/list_attr_celeba.txt").write_text("1\nSmiling\n000001.jpg 1\n")
    (folder / "celeba" / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=f"{name} cannot be read as text"):
        celeba.attributes(Request("train", folder))
