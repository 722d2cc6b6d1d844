"""Archives of each dataset that kgen reads from a file, whole and damaged, with the arrays that each one should give.

They are small: the digests of the official files are replaced by theirs, see `official`.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from kgen.data.datasets import celeba, cifar10, mnist

_random = np.random.default_rng(0)
DIGITS, DIGIT_LABELS = _random.integers(0, 256, (20, 28, 28, 1), np.uint8), np.arange(20, dtype=np.uint8) % 10
OBJECTS, OBJECT_LABELS = _random.integers(0, 256, (12, 32, 32, 3), np.uint8), np.arange(12, dtype=np.uint8) % 10
FACES = {
    i: np.asarray(Image.fromarray(face).resize((178, 218)))
    for i, face in enumerate(_random.integers(0, 256, (3, 5, 4, 3), np.uint8), 1)
}
WEIGHTS = {"a.weight": _random.random((4, 3)).astype(np.float32), "a.beta": np.arange(4, dtype=np.float32)}
NAMES = [*(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)), "cifar-10-batches-bin/test_batch.bin"]
RECORDS = [bytes([n]) + image.transpose(2, 0, 1).tobytes() for image, n in zip(OBJECTS, OBJECT_LABELS, strict=True)]
BATCHES = dict(zip(NAMES, (RECORDS[2 * i] + RECORDS[2 * i + 1] for i in range(6)), strict=True))


class Case(NamedTuple):
    """An archive of the corpus.

    name: what is wrong with it.
    dataset: `mnist`, `cifar10`, `celeba` or `npz`.
    file: its name.
    make: its contents, or a function that puts something else at a path.
    accepted: whether the arrays that it should give may be had of it; otherwise it must be refused.
    """

    name: str
    dataset: str
    file: str
    make: bytes | Callable
    accepted: bool = False


def idx(array):
    """Returns a compressed idx file of a uint8 array."""
    return gzip.compress(
        struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes(), mtime=0
    )


def tar(members, mode="w:gz", **changes):
    """Returns a tar of `{name: contents, or a tarfile.TarInfo}`; `changes` are attributes of its first member."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for number, (name, content) in enumerate(members.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for attribute, value in (changes if number == 0 else {}).items():
                setattr(member, attribute, value)
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return file.getvalue()


def zipped(members, kind=zipfile.ZIP_STORED):
    """Returns a zip of `[(name or ZipInfo, contents)]`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def faces(changes=(), form="{:06}.png", kind=zipfile.ZIP_STORED, more=()):
    """Returns a zip of the faces; `changes` is `{id: contents}`."""
    changes = dict(changes)
    return zipped([*((form.format(i), changes.get(i, png(face))) for i, face in FACES.items()), *more], kind)


def npz(arrays=WEIGHTS, save=np.savez):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


WHOLE = {
    "mnist": ("train-images-idx3-ubyte.gz", idx(DIGITS[..., 0])),
    "cifar10": ("cifar-10-binary.tar.gz", tar(BATCHES)),
    "celeba": ("faces.zip", faces()),
    "npz": ("weights.npz", npz()),
}
LABELS = ("train-labels-idx1-ubyte.gz", idx(DIGIT_LABELS))


def official(patch):
    """Makes the small files count as official: `patch` is pytest's monkeypatch."""
    for name, content in (WHOLE["mnist"], LABELS):
        patch.setitem(mnist._SHA256, name, hashlib.sha256(content).hexdigest())
    patch.setattr(cifar10, "_RECORDS", 2)
    patch.setattr(cifar10, "_TOTAL_BYTES", 200_000)
    patch.setattr(celeba, "_MEMBER_BYTES", 200_000)
    patch.setattr(celeba, "_TOTAL_BYTES", 1_000_000)
    patch.setitem(cifar10._PIXELS_SHA256, "train", hashlib.sha256(OBJECTS[:10].tobytes()).hexdigest())
    patch.setitem(cifar10._LABELS_SHA256, "train", hashlib.sha256(OBJECT_LABELS[:10].tobytes()).hexdigest())


def everywhere():
    """Yields what can happen to any file: cuts, flipped bits, other contents, what is no file."""
    for dataset, (file, content) in WHOLE.items():
        yield Case("whole", dataset, file, content, True)
        for part in (0, 0.1, 0.5, 0.9):
            yield Case(f"cut {part}", dataset, file, content[: int(part * len(content))])
        yield Case("less 1", dataset, file, content[:-1], dataset == "cifar10")  # the pixels have a checksum too
        for number in range(8):
            random = np.random.default_rng([number, len(content)])
            flipped = bytearray(content)
            flipped[random.integers(len(content))] ^= 1 << int(random.integers(8))
            yield Case(f"flip {number}", dataset, file, bytes(flipped), True)
        yield Case("text", dataset, file, b"no archive")
        yield Case("pipe", dataset, file, os.mkfifo)
        yield Case("folder", dataset, file, os.mkdir)
        yield Case("device", dataset, file, lambda path: path.symlink_to("/dev/zero"))
        yield Case("other archive", dataset, file, {"cifar10": LABELS[1]}.get(dataset, tar(BATCHES)))


def digits():
    file, content = WHOLE["mnist"]
    yield Case("uncompressed", "mnist", file, gzip.decompress(content))
    yield Case("bz2", "mnist", file, bz2.compress(gzip.decompress(content)))
    yield Case("bomb", "mnist", file, gzip.compress(bytes(50_000_000)))
    yield Case("other digits", "mnist", file, idx(DIGITS[::-1, ..., 0]))
    yield Case("of rank 255", "mnist", file, gzip.compress(b"\0\0\x08\xff"))


def objects():
    file, content = WHOLE["cifar10"]
    first, *others = BATCHES
    rest = {name: BATCHES[name] for name in others}
    plain = gzip.decompress(content)
    yield Case("uncompressed", "cifar10", file, plain)
    yield Case("bz2", "cifar10", file, bz2.compress(plain))
    yield Case("xz", "cifar10", file, lzma.compress(plain))
    yield Case("zip", "cifar10", file, zipped(BATCHES.items()))
    yield Case("pax", "cifar10", file, tar(BATCHES, mtime=1.5), True)
    yield Case("a file more", "cifar10", file, tar({"readme.html": b"x", **BATCHES}), True)
    yield Case("garbage behind", "cifar10", file, content + b"garbage", True)
    pickled = {f"cifar-10-batches-py/data_batch_{i}": pickle.dumps({b"data": OBJECTS}) for i in range(1, 6)}
    yield Case("python's", "cifar10", file, tar(pickled))
    yield Case("a file less", "cifar10", file, tar(rest))
    yield Case("longer", "cifar10", file, tar({first: BATCHES[first] + b"x", **rest}))
    yield Case("shorter", "cifar10", file, tar({first: BATCHES[first][:-1], **rest}))
    yield Case("swapped", "cifar10", file, tar({first: BATCHES[others[0]], **rest, others[0]: BATCHES[first]}))
    yield Case("label of 10", "cifar10", file, tar({first: b"\x0a" + BATCHES[first][1:], **rest}))
    for name in ("../x", "/etc/x", "a/../../x", "C:/x"):
        yield Case(f"path {name}", "cifar10", file, tar({name: b"x", **BATCHES}))
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
        yield Case(f"type {kind}", "cifar10", file, tar(BATCHES, type=kind, size=0, linkname=others[0]))
    yield Case("bomb", "cifar10", file, tar({"zeros": bytes(50_000_000), **BATCHES}))
    yield Case(
        "promise",
        "cifar10",
        file,
        gzip.compress(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT)[:124] + b"7" * 12 + bytes(888)),
    )


def portraits():
    file = "faces.zip"
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        content = faces(kind=kind)
        yield Case(f"compression {kind}", "celeba", file, content, True)
        yield Case(f"damaged {kind}", "celeba", file, content[:2000] + b"\x07" * 300 + content[2300:])
    yield Case("in a folder", "celeba", file, faces(form="my faces/a/{:06}.png"), True)
    yield Case("garbage in front", "celeba", file, b"garbage" + faces(), True)
    for form in ("{:05}.png", "{:07}.png", "face{}.png", "{:06}.gif", "{:06}"):
        yield Case(f"named {form}", "celeba", file, faces(form=form))
    for name in ("../x", "/etc/x", "a/../../x", "C:/x", "a\\..\\x"):
        yield Case(f"path {name}", "celeba", file, faces(more=[(name, b"x")]))
    link = zipfile.ZipInfo("000004.png")
    link.external_attr = 0o120777 << 16
    yield Case("link", "celeba", file, faces(more=[(link, b"/etc/passwd")]))
    yield Case("bomb", "celeba", file, faces(kind=zipfile.ZIP_DEFLATED, more=[("zeros", bytes(50_000_000))]))
    small = [(f"{i}", bytes(190_000)) for i in range(9)]
    yield Case("small bombs", "celeba", file, faces(kind=zipfile.ZIP_DEFLATED, more=small))
    zeros = faces({2: bytes(190_000)}, kind=zipfile.ZIP_DEFLATED)
    yield Case("lying size", "celeba", file, zeros.replace(struct.pack("<I", 190_000), struct.pack("<I", 7)))
    whole = faces()
    at = whole.index(b"PK\x01\x02")
    yield Case("password", "celeba", file, whole[: at + 8] + b"\x01" + whole[at + 9 :])
    wide = np.zeros((64, 64, 3), np.uint8)
    for name, content in {
        "no picture": b"x",
        "transparent": png(np.dstack([FACES[2], FACES[2][..., 0]])),
        "deep": png(FACES[2][..., 0].astype(np.uint16)),
        "cut": png(FACES[2])[:-200],
    }.items():
        yield Case(f"face {name}", "celeba", file, faces({2: content}))
    yield Case("square faces", "celeba", file, faces({i: png(wide) for i in FACES}))
    yield Case("one square face", "celeba", file, faces({2: png(wide)}))
    yield Case("twice", "celeba", file, faces(more=[("again/000002.png", png(FACES[3]))]))


def arrays():
    file = "weights.npz"
    yield Case("compressed", "npz", file, npz(save=np.savez_compressed), True)
    yield Case("objects", "npz", file, npz({"a": np.array([{}], object)}))
    yield Case("words", "npz", file, npz({"a": np.array(["x"])}))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }"
    for name, count in (("promise", 10**13), ("negative", -1)):
        text = (header % count).ljust(117) + "\n"
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
        yield Case(name, "npz", file, zipped([("a.npy", content)]))
    yield Case("deep header", "npz", file, zipped([("a.npy", b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535)]))
    yield Case("no array", "npz", file, zipped([("a.txt", b"x")]))


def cases():
    """Returns every `Case`."""
    return [*everywhere(), *digits(), *objects(), *portraits(), *arrays()]
