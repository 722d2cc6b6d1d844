"""Archives that are what they should be, and archives made to do harm."""

import hashlib
import io
import os
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from kgen.data import archives
from kgen.errors import UsageError


def test_find_looks_in_both_places(tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist/a.gz").touch()
    (tmp_path / "b.gz").touch()
    assert archives.find(tmp_path, "mnist", "a.gz") == tmp_path / "mnist/a.gz"
    assert archives.find(tmp_path, "mnist", "b.gz") == tmp_path / "b.gz"
    assert archives.find(tmp_path, "mnist", "c.gz") is None
    assert archives.find(None, "mnist", "a.gz") is None


def test_verify(tmp_path):
    file = tmp_path / "a.gz"
    file.write_bytes(b"content")
    got = hashlib.sha256(b"content").hexdigest()
    assert archives.verify(file, got) == file
    with pytest.raises(UsageError, match=f"a.gz is not the official file: expected SHA-256 {'0' * 64}, got {got}"):
        archives.verify(file, "0" * 64)


def test_a_folder_and_a_pipe_have_no_sha256(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError, match=f"{path} is not a file"):
            archives.verify(path, "0" * 64)


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_zip_reads_members(tmp_path):
    archive = archives.Zip(zipped(tmp_path / "a.zip", ("x/", b""), ("x/1.jpg", b"one"), ("2.jpg", b"two")), 10, 100)
    assert archive.names == ["x/1.jpg", "2.jpg"]
    assert archive.read("x/1.jpg") == b"one" and archive.read("2.jpg") == b"two"


def linked():
    member = zipfile.ZipInfo("link.jpg")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../1.jpg", b"1")], "points outside"),
        ([("x/../../1.jpg", b"1")], "points outside"),
        ([("x\\..\\1.jpg", b"1")], "points outside"),
        ([("/etc/1.jpg", b"1")], "points outside"),
        ([("C:/1.jpg", b"1")], "points outside"),
        ([(linked(), b"/etc/passwd")], "is a link or a device"),
        ([("1.jpg", b"1" * 11)], "has 11 bytes; at most 10"),
        ([(f"{i}.jpg", b"1" * 9) for i in range(12)], "unpacks to more than 100 bytes"),
    ],
)
def test_zip_refuses(tmp_path, members, message):
    with pytest.raises(UsageError, match=message):
        archives.Zip(zipped(tmp_path / "bad.zip", *members), 10, 100)


def test_zip_with_a_lying_size_is_not_inflated(tmp_path):
    size = 50_000_000
    path = zipped(tmp_path / "lie.zip", ("1.jpg", bytes(size)))
    content = path.read_bytes()
    assert content.count(struct.pack("<I", size)) == 2
    path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 7)))
    archive = archives.Zip(path, 10, 100)
    tracemalloc.start()
    with pytest.raises(UsageError, match="1.jpg is damaged"):
        archive.read("1.jpg")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 10


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_every_compression_is_named(kind, tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("1.jpg", random.Random(0).randbytes(5000))
    content = bytearray(path.read_bytes())
    content[60:400] = b"\x07" * 340
    path.write_bytes(content)
    with pytest.raises(UsageError, match="the member 1.jpg is damaged"):
        archives.Zip(path, 10_000, 10_000).read("1.jpg")


def test_zip_that_is_none(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(UsageError, match="cannot be read as a zip archive"):
        archives.Zip(tmp_path / "a.zip", 10, 100)


def tarred(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content, *kind in members:
            member = tarfile.TarInfo(name)
            if kind:
                member.type, member.linkname = kind[0], "x/1.bin"
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_tar_reads_members(tmp_path):
    path = tarred(tmp_path / "a.tar.gz", ("x/1.bin", b"12345"), ("x/readme", b"r"), ("x/2.bin", b"678"))
    assert archives.read_tar(path, {"x/2.bin": 3, "x/1.bin": 5}, 100_000) == {"x/1.bin": b"12345", "x/2.bin": b"678"}


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../1.bin", b"1")], "points outside"),
        ([("/x/1.bin", b"1")], "points outside"),
        ([("x/1.bin", b"", tarfile.SYMTYPE)], "is a link or a device"),
        ([("x/1.bin", b"", tarfile.LNKTYPE)], "is a link or a device"),
        ([("x/1.bin", b"", tarfile.FIFOTYPE)], "is a link or a device"),
        ([("x/1.bin", b"", tarfile.DIRTYPE)], "should be a file of 5 bytes"),
        ([("x/1.bin", b"123456")], "should be a file of 5 bytes, it has 6"),
        ([("x/2.bin", b"12345")], "lacks x/1.bin"),
        ([("x/big", bytes(200_000)), ("x/1.bin", b"12345")], "at most 100000"),
        ([(f"x/big{i}", bytes(60_000)) for i in range(4)], "unpacks to more than 100000 bytes"),
    ],
)
def test_tar_refuses(tmp_path, members, message):
    with pytest.raises(UsageError, match=message):
        archives.read_tar(tarred(tmp_path / "bad.tar.gz", *members), {"x/1.bin": 5}, 100_000)


def test_tar_that_is_cut_or_none(tmp_path):
    path = tarred(tmp_path / "a.tar.gz", ("x/1.bin", np.random.default_rng(0).bytes(50_000)))
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(UsageError, match="cannot be read as a .tar.gz archive"):
        archives.read_tar(path, {"x/1.bin": 50_000}, 100_000)
    path.write_bytes(b"no archive")
    with pytest.raises(UsageError, match="cannot be read as a .tar.gz archive"):
        archives.read_tar(path, {"x/1.bin": 5}, 100_000)
