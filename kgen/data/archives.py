"""Reads archives of the user's data directory.

An archive whose SHA-256 is known is checked before it is opened. Members are read into memory; nothing is extracted or
unpickled. An archive with a link, a device, an absolute name, a `..` or an oversized member is refused.
"""

import gzip
import hashlib
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from kgen.errors import UsageError, demand_file

# zipfile raises NotImplementedError for an unknown compression, and RuntimeError for a password.
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
BROKEN = (OSError, NotImplementedError, RuntimeError, *_DAMAGE)


def find(data_dir: Path | None, dataset: str, name: str) -> Path | None:
    """Returns the path of `name` in `data_dir` or in `data_dir/dataset`; None if it is in neither.

    Raises:
        UsageError: it is neither a file nor a folder: a pipe would keep the reader waiting.
    """
    places = [] if data_dir is None else [data_dir / name, data_dir / dataset / name]
    found = next(filter(Path.exists, places), None)
    if found and not (found.is_file() or found.is_dir()):
        raise UsageError(f"{found} is neither a file nor a folder.")
    return found


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal; raises UsageError if it is a folder or a pipe."""
    demand_file(path)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, expected: str) -> Path:
    """Returns `path` if its SHA-256 is `expected`, in hexadecimal.

    Raises:
        UsageError: it has another SHA-256.
    """
    got = sha256(path)
    if got != expected:
        raise UsageError(f"{path} is not the official file: expected SHA-256 {expected}, got {got}. Fetch it again.")
    return path


class Zip:
    """Reads the regular files of a zip archive; `read` may be called from several threads.

    Args:
        path: the archive.
        member_bytes: the most bytes of one member, uncompressed.
        total_bytes: the most bytes of all members together, uncompressed.

    Raises:
        UsageError: the archive is damaged or has a member that is not accepted.
    """

    def __init__(self, path: Path, member_bytes: int, total_bytes: int) -> None:
        self.path = path
        demand_file(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except BROKEN as error:
            raise UsageError(f"{path} cannot be read as a zip archive: {error}.") from error
        self._members = {info.filename: info for info in self._archive.infolist() if not info.is_dir()}
        for info in self._archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not written on Unix
            _accept(path, info.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR), info.file_size, member_bytes)
        _within(path, sum(info.file_size for info in self._members.values()), total_bytes)

    @property
    def names(self) -> list[str]:
        """The members' names, in the archive's order."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Returns the bytes of a member, after a check of its checksum.

        Raises:
            UsageError: the member is damaged, encrypted, or longer than its header says.
        """
        info = self._members[name]
        try:
            with self._archive.open(info) as member:
                return member.read(info.file_size)  # bounded: a wrong size in the header ends in a CRC error
        except BROKEN as error:
            raise UsageError(f"{self.path}: the member {name} is damaged: {error}.") from error


def read_tar(path: Path, sizes: dict[str, int], total_bytes: int) -> dict[str, bytes]:
    """Reads members of a `.tar.gz` into memory.

    Args:
        path: the archive.
        sizes: the members to read and their exact sizes, `{name: number of bytes}`.
        total_bytes: the most bytes of the whole archive, uncompressed.

    Returns:
        `{name: contents}`.

    Raises:
        UsageError: the archive is damaged, lacks a member, or has one that is not accepted.
    """
    found = {}
    try:
        with gzip.open(path) as file, tarfile.open(fileobj=_Bounded(path, file, total_bytes), mode="r|") as archive:
            for member in archive:
                _accept(path, member.name, member.isreg() or member.isdir(), member.size, total_bytes)
                if member.name in sizes:
                    found[member.name] = _exactly(path, archive, member, sizes[member.name])
    except BROKEN as error:
        raise UsageError(f"{path} cannot be read as a .tar.gz archive: {error}.") from error
    missing = sorted(set(sizes) - set(found))
    if missing:
        raise UsageError(f"{path} lacks {', '.join(missing)}; it is not the official archive.")
    return found


def _exactly(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo, size: int) -> bytes:
    """Returns the contents of a member; raises UsageError unless it is a file of exactly `size` bytes."""
    if not member.isreg() or member.size != size:
        raise UsageError(f"{path}: {member.name} should be a file of {size} bytes, it has {member.size}.")
    return archive.extractfile(member).read()


class _Bounded(io.RawIOBase):
    """A stream that raises UsageError after `limit` bytes, since an archive may unpack to a million times its size."""

    def __init__(self, path: Path, file: BinaryIO, limit: int) -> None:
        self._path, self._file, self._left, self._limit = path, file, limit, limit

    def read(self, count: int = -1) -> bytes:
        """Returns up to `count` bytes, or all that are left if `count` is negative."""
        data = self._file.read(count)
        self._left -= len(data)
        _within(self._path, self._limit - self._left, self._limit)
        return data


def _accept(path: Path, name: str, regular: bool, size: int, limit: int) -> None:
    """Raises UsageError if a member is no regular file, points outside of the archive, or is above `limit` bytes."""
    if not regular:
        raise UsageError(f"{path}: the member {name} is a link or a device; only regular files are accepted.")
    if name.startswith(("/", "\\")) or ":" in name or ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise UsageError(f"{path}: the member {name} points outside of the archive; only relative names are accepted.")
    if size > limit:
        raise UsageError(f"{path}: the member {name} has {size} bytes; at most {limit} are accepted.")


def _within(path: Path, total: int, limit: int) -> None:
    """Raises UsageError if an archive unpacks to more than `limit` bytes."""
    if total > limit:
        raise UsageError(f"{path} unpacks to more than {limit} bytes, which no archive of this dataset does.")
