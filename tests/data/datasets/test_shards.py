"""shards:PATH on files written by TensorFlow, ArrayRecord and tarfile."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from kgen import data
from kgen.backend import tf
from kgen.data import NoSplit
from kgen.data.bad import BadImages
from kgen.errors import UsageError

COLOURS = [(10 * i, 200 - 10 * i, 5) for i in range(6)]


def png(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    return buffer.getvalue()


def record(contents, label=None, keys=("image/encoded", "image/class/label")):
    features = {keys[0]: tf.train.Feature(bytes_list=tf.train.BytesList(value=[contents]))}
    if label is not None:
        features[keys[1]] = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def tfrecord(path, pictures, **options):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for contents, label in pictures:
            writer.write(record(contents, label, **options))


def array_record(path, pictures, **options):
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(path))
    for contents, label in pictures:
        writer.write(record(contents, label, **options))
    writer.close()


def tar(path, pictures):
    with tarfile.open(path, "w") as archive:
        for number, (contents, label) in enumerate(pictures):
            files = {f"x/{path.stem}-{number:03}.png": contents, f"x/{path.stem}-{number:03}.json": b"{}"}
            if label is not None:
                files[f"x/{path.stem}-{number:03}.cls"] = str(label).encode()
            for name, inside in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(inside)
                archive.addfile(member, io.BytesIO(inside))


KINDS = [
    (tfrecord, "{}.tfrecord"),
    (tfrecord, "my-{}.tfrecord-00000-of-00001"),
    (array_record, "{}.array_record"),
    (tar, "{}.tar"),
]


def load(folder, split="train", **options):
    return data.load(f"shards:{folder}", split, size=4, **options)


@pytest.mark.parametrize("write, name", KINDS, ids=[name for _, name in KINDS])
def test_pictures_classes_and_splits(tmp_path, write, name):
    labels = [0, 1, 2, 0]
    write(tmp_path / name.format("train"), [(png(COLOURS[i]), label) for i, label in enumerate(labels)])
    write(tmp_path / name.format("test"), [(png(COLOURS[4]), 1)])
    train, test = load(tmp_path), load(tmp_path, "test")
    got = sorted(zip(train.images[:, 0, 0].tolist(), train.labels.tolist(), strict=True))
    assert got == [(list(COLOURS[i]), label) for i, label in enumerate(labels)] and train.classes == ("0", "1", "2")
    assert test.images[0, 0, 0].tolist() == list(COLOURS[4]) and test.labels.tolist() == [1]
    with pytest.raises(NoSplit, match="no shards of the split 'valid'"):
        load(tmp_path, "valid")


@pytest.mark.parametrize("write, name", KINDS, ids=[name for _, name in KINDS])
def test_without_classes_or_names_of_splits(tmp_path, write, name):
    write(tmp_path / name.format("constraint"), [(png(colour), None) for colour in COLOURS])  # "train" is in the word
    got = load(tmp_path)
    assert got.labels is None and got.classes == () and len(got.images) == 6
    assert len(load(tmp_path, "train[:2]").images) == 2
    with pytest.raises(NoSplit):
        load(tmp_path, "test")


def test_names_of_features_as_in_tensorflow_datasets(tmp_path):
    tfrecord(tmp_path / "a.tfrecord", [(png(COLOURS[3]), 2)], keys=("image", "label"))
    assert load(tmp_path).labels.tolist() == [2]


def test_mistakes_are_told(tmp_path):
    with pytest.raises(UsageError, match="does not exist; write shards:PATH"):
        load(tmp_path / "none")
    with pytest.raises(UsageError, match=r"has no shards; accepted are \.tfrecord, \.array_record, \.tar"):
        load(tmp_path)
    tfrecord(tmp_path / "a.tfrecord", [(png(COLOURS[0]), 0), (png(COLOURS[1]), None)])
    with pytest.raises(UsageError, match="1 of 2 pictures have no class from 0"):
        load(tmp_path)
    tfrecord(tmp_path / "a.tfrecord", [(b"no picture", 0), (png(COLOURS[1]), 1)])
    with pytest.raises(BadImages, match=r"a.tfrecord, record 0: unreadable"):
        load(tmp_path)
    with pytest.warns(UserWarning, match="1 of 2 pictures are left out"):
        assert load(tmp_path, skip_bad=True).labels.tolist() == [1]
    tfrecord(tmp_path / "a.tfrecord", [(png(COLOURS[0]), 0)], keys=("picture", "label"))
    with pytest.raises(UsageError, match="record 0 has no feature image/encoded or image"):
        load(tmp_path)


@pytest.mark.parametrize("write, name", KINDS, ids=[name for _, name in KINDS])
def test_a_damaged_file_is_named(tmp_path, write, name):
    path = tmp_path / name.format("train")
    write(path, [(png(colour), None) for colour in COLOURS])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 7])
    with pytest.raises(UsageError, match=f"{path.name} cannot be read"):
        load(tmp_path)


def test_a_class_that_is_none(tmp_path):
    tar(tmp_path / "a.tar", [(png(COLOURS[0]), "cat")])
    with pytest.raises(UsageError, match="a.tar cannot be read: .*cat"):
        load(tmp_path)


def test_pixels_equal_those_of_the_folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "shards").mkdir()
    pictures = []
    for number in range(5):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / f"pictures/{number}.png")
        pictures.append(((tmp_path / f"pictures/{number}.png").read_bytes(), None))
    tar(tmp_path / "shards/a.tar", pictures)
    for crop in ("center", "squash"):
        one = data.load(f"folder:{tmp_path}/pictures", size=8, crop=crop).images
        other = data.load(f"shards:{tmp_path}/shards", size=8, crop=crop).images
        assert sorted(image.tobytes() for image in one) == sorted(image.tobytes() for image in other)
