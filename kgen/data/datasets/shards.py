"""Shards of encoded pictures: `shards:PATH`, a folder of TFRecord, ArrayRecord or WebDataset files.

- `.tfrecord` (also `NAME.tfrecord-00000-of-00010`) and `.array_record`: records are `tf.train.Example`, with the
  picture in `image/encoded` or `image`, and perhaps its class in `image/class/label` or `label`, from 0.
- `.tar` (WebDataset): files of one name belong together, `x.jpg` and perhaps `x.cls` with its class, from 0.

A file belongs to the split whose name is in its own, as in `train-0001.tar`; if no file names a split, all are `train`.
The pictures are decoded once, see `kgen.data.cache`.
"""

import os
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from kgen.backend import tf
from kgen.data import Images, NoSplit, Request, cache
from kgen.data.archives import BROKEN
from kgen.data.decoding import Example, Examples, states
from kgen.errors import UsageError
from kgen.images.files import SUFFIXES, fitted
from kgen.images.order import order_by_content

ARGUMENT = "PATH"
FACTS = ("yours", "64x64", "your labels")
EMBEDDED = True  # nothing is downloaded
_SIZE = (64, 64)
_PARTS = ("train", "valid", "test")
_WORDS = {"train": "train|training", "valid": "valid|validation|val", "test": "test|testing"}
_PICTURES, _LABELS = ("image/encoded", "image"), ("image/class/label", "label")
_MOST_BYTES = 50_000_000  # of a picture
_FRAME = 16  # bytes around a TFRecord: its length and two checksums


def load(request: Request) -> Images:
    """Decodes the pictures of a split, in an order that depends on their contents. A slice counts only usable ones.

    `request.crop` and `request.size` are as in `folder`.

    Raises:
        NoSplit: no file belongs to the split.
        BadImages: an image cannot be used.
        UsageError: the folder is missing, a file is damaged, or some pictures have a class and others have none.
    """
    paths, size = _files(request), request.size or _SIZE
    records = [(path, _reader(path)) for path in paths]

    def each() -> Iterator[Example]:
        for path, read in records:
            try:
                yield from read(path)
            except (*BROKEN, ValueError, tf.errors.OpError) as error:
                raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}.") from error

    def state() -> tuple[list, float]:
        files, newest = states(paths)
        return [files, request.crop, request.background], newest

    read = fitted(size, request.crop, request.background)
    found = cache.decoded(Examples("shards", state, lambda: sum(1 for _ in each()), size, each, read), request.skip_bad)
    count = len(found.images)
    if not count:
        raise UsageError(f"{request.argument} has no usable picture.")
    if found.labels is not None and (found.labels < 0).any():
        raise UsageError(f"{request.argument}: {(found.labels < 0).sum()} of {count} pictures have no class from 0.")
    rows = order_by_content(found.images, "shards")[request.rows(count)]
    names = () if found.labels is None else tuple(map(str, range(found.labels.max() + 1)))
    return Images(found.images.rows(rows), None if found.labels is None else found.labels[rows], names)


def _files(request: Request) -> list[Path]:
    """Returns the files of the requested split, sorted by name."""
    root = Path(os.path.expanduser(request.argument))
    if not request.argument or not root.is_dir():
        raise UsageError(f"The folder of shards '{request.argument}' does not exist; write shards:PATH of a folder.")
    files = sorted(path for path in root.iterdir() if _reader(path) and path.is_file())
    if not files:
        raise UsageError(f"{root} has no shards; accepted are {', '.join(READERS)}.")
    part = request.part(*_PARTS)
    of_part = {
        name: [path for path in files if re.search(rf"(?<![a-z])({words})(?![a-z])", path.name.lower())]
        for name, words in _WORDS.items()
    }
    chosen = of_part[part] if any(of_part.values()) else files if part == "train" else []
    if not chosen:
        raise NoSplit(f"{root} has no shards of the split '{part}': their names have that word.")
    return chosen


def _tfrecord(path: Path) -> Iterator[Example]:
    """Yields the pictures of a TFRecord file. ValueError: it is cut; a TensorFlow error: a checksum is wrong."""
    read = 0
    for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
        read += len(record) + _FRAME
        yield _parsed(record, f"{path}, record {number}")
    if read != path.stat().st_size:  # TensorFlow takes a cut record for the end
        raise ValueError(f"damaged at byte {read}")


def _array_record(path: Path) -> Iterator[Example]:
    """Yields the pictures of an ArrayRecord file."""
    from array_record.python.array_record_module import ArrayRecordReader  # installed with tensorflow-datasets

    reader = ArrayRecordReader(str(path))
    if not reader.ok():
        raise ValueError("damaged")
    for number in range(reader.num_records()):
        yield _parsed(reader.read([number])[0], f"{path}, record {number}")


def _parsed(record: bytes, name: str) -> Example:
    """Returns the picture of a serialised `tf.train.Example`; raises ValueError if it has none."""
    try:
        features = tf.train.Example.FromString(record).features.feature
    except Exception as error:  # protobuf's DecodeError, whose module differs between its versions
        raise ValueError(f"{name} is no tf.train.Example") from error
    picture = next((key for key in _PICTURES if features[key].bytes_list.value), None)
    if picture is None:
        raise ValueError(f"{name} has no feature {' or '.join(_PICTURES)}")
    labels = [features[key].int64_list.value[0] for key in _LABELS if features[key].int64_list.value]
    return Example(name, features[picture].bytes_list.value[0], max(labels[0], -1) if labels else -1)


def _tar(path: Path) -> Iterator[Example]:
    """Yields the pictures of a WebDataset file; the files of a sample follow each other. ValueError: it is cut."""
    with tarfile.open(path, "r:") as archive:
        name, sample = None, {}
        for member in archive:
            inside = PurePosixPath(member.name)
            suffix = inside.suffix.lower()
            if not member.isreg() or suffix not in (*SUFFIXES, ".cls") or member.size > _MOST_BYTES:
                continue
            if inside.with_suffix("") != name:
                yield from _sample(path, name, sample)
                name, sample = inside.with_suffix(""), {}
            sample[suffix] = archive.extractfile(member).read()
        yield from _sample(path, name, sample)
        archive.fileobj.seek(archive.offset)
        rest = archive.fileobj.read()
        if len(rest) < tarfile.BLOCKSIZE or any(rest):  # tarfile takes a damaged header for the end
            raise ValueError(f"damaged at byte {archive.offset}")


def _sample(path: Path, name: PurePosixPath | None, sample: dict[str, bytes]) -> Iterator[Example]:
    """Yields the picture of a sample, `{ending: contents}`, if it has one; ValueError: its class is no number."""
    label = int(sample.pop(".cls", b"-1"))
    for contents in sample.values():
        yield Example(f"{path}, {name}", contents, max(label, -1))


READERS: dict[str, Callable[[Path], Iterator[Example]]] = {
    ".tfrecord": _tfrecord,
    ".array_record": _array_record,
    ".tar": _tar,
}


def _reader(path: Path) -> Callable[[Path], Iterator[Example]] | None:
    """Returns the reader of a file by its ending, which may be followed by `-00000-of-00010`; None if there is none."""
    ending = re.sub(r"-\d+-of-\d+$", "", path.name)
    return next((reader for suffix, reader in READERS.items() if ending.endswith(suffix)), None)
