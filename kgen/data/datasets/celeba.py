"""CelebA, Liu et al. 2015: aligned faces in frames of 178x218, read from an archive in the data directory.

The full set is `img_align_celeba.zip` (202,599 images), or a folder of that name, which may hold another one, as
Kaggle's does. A smaller zip of the same frames, at any scale, may lie in `celeba/`. A file's name is the image's id.
There are no labels, but 40 attributes. Their list and the list of splits are the official `.txt` or Kaggle's `.csv`.
"""

import functools
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from kgen.data import Images, Request, archives, cache, is_prepared, prepared
from kgen.data.decoding import Example, Examples, states
from kgen.errors import UsageError, demand_file
from kgen.images.files import centre, decode, fit

ARGUMENT = "[NAME.zip]"  # celeba:NAME.zip: an archive in the data directory or in its folder `celeba`
_SIZE, _FRAME = (64, 64), (178, 218)  # height and width of an image, width and height of a frame
_BOX = (15, 35, 163, 183)  # the official crop: the central 148x148 of the frame
_PARTS = {"train": (0, 162_770), "valid": (162_770, 182_637), "test": (182_637, 202_599)}  # ids above, up to
_SHA256 = {
    "img_align_celeba.zip": "46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
    "celeba_aligned_89x109_10000.zip": "b2e4bcd0714a5b1f545817414a8ed39797249a91cacfc891a6504318d3fc328c",
    "celeba_aligned_64x64_squashed_30000.zip": "35062e70fe435d4ca485bb31ecbd15b9efd5d92b26348097c91fd53a688c2dc1",
}
FACTS = ("162,770 train, 19,867 valid, 19,962 test", "64x64 colour", "none, 40 attributes")
HINT = "Put img_align_celeba.zip (or a zip of aligned faces) into DIR/celeba and pass --data-dir DIR."
_MEMBER_BYTES, _TOTAL_BYTES = 2_000_000, 4_000_000_000
_PICTURE = re.compile(r"(?:.*/)?(\d{6})\.(?:jpg|jpeg|png)")


def load(request: Request) -> Images:
    """Decodes the images of a split, in the order of their ids.

    Without a name in `celeba:NAME.zip` the archive is the first of these whose frame the crop accepts:
    `img_align_celeba.zip`, its folder, the zips in `celeba/` by name. Without an archive tensorflow-datasets is read.

    `request.crop`: `center` is the central 148x148 of the 178x218 frame, at the scale of the archive (74x74 of 89x109);
    of a rectangle it is the largest centred part of the frame in its proportion. `squash` is the whole frame, without
    keeping its aspect ratio. The result is scaled to `request.size`, 64x64 if None, by Pillow's antialiased bicubic.

    Returns:
        `Images` with 3 channels, without labels.

    Raises:
        BadImages: an image cannot be used, and `request.skip_bad` is False.
        UsageError: an archive is missing, damaged or cannot be cropped, or has no image of the split.
    """
    request.part(*_PARTS)
    return Images(cache.decoded(_examples(request), request.skip_bad).images, None, ())


def _examples(request: Request) -> Examples:
    """Returns the images of a split, in the order of their ids, as what the cache decodes."""
    archive, size, depends = _archive(request), request.size or _SIZE, [request.crop, request.background]
    if archive is None:
        builder = prepared.builder_of("celeb_a", request.data_dir, HINT)
        found = prepared.Split(builder, request.split.replace("valid", "validation"))
        count, each, files, read = lambda: found.count, found.encoded, found.state, bytes
    else:
        path, named, read = archive
        names = [named[i] for i in _chosen(request, named)]
        parts = [path / name for name in names] if path.is_dir() else [path]
        count, each, files = lambda: len(names), lambda: (Example(name, name) for name in names), lambda: states(parts)

    def state() -> tuple[list, float]:
        key, newest = files()
        return [key, [] if archive is None else names, *depends], newest

    return Examples("celeba", state, count, size, each, lambda source: _face(lambda: read(source), size, request))


def present(data_dir: Path | None) -> bool:
    """Returns whether there is an archive, or what tensorflow-datasets makes of it, on this machine."""
    return bool(_candidates(data_dir)) or is_prepared("celeb_a", data_dir)


def attributes(request: Request) -> tuple[np.ndarray, tuple[str, ...]]:
    """Reads `list_attr_celeba` for the images that `load(request)` returns, in the same order.

    Returns:
        `(values, names)`: bool `(n, 40)`, and the 40 names of the attributes.

    Raises:
        UsageError: the file or the archive is missing, or the file lacks an image.
    """
    path, lines = _list(request, "list_attr_celeba")
    archive = _archive(request)
    if path is None or archive is None:
        raise UsageError(
            "CelebA's attributes need an archive and list_attr_celeba.txt, or .csv, in the data directory."
        )
    first = next((i for i, words in enumerate(lines) if words and _number(words[0])), len(lines))
    names = tuple(lines[first - 1]) if first else ()  # the line before the first image
    names = names[1:] if names[:1] == ("image_id",) else names
    table = {_number(words[0]): words[1:] for words in lines[first:] if len(words) == 1 + len(names)}
    ids = _chosen(request, archive[1])
    if request.skip_bad:  # as `load` leaves them out
        with warnings.catch_warnings(action="ignore"):  # it names them
            ids = [ids[place] for place in cache.decoded(_examples(request), skip_bad=True).places]
    if not set(ids) <= set(table):
        raise UsageError(f"{path} lacks image {min(set(ids) - set(table)):06}; take the file of the archive's source.")
    return np.array([[value == "1" for value in table[i]] for i in ids]), names


def _face(read: Callable[[], bytes], size: tuple[int, int], request: Request) -> np.ndarray | str:
    """Returns one face, cropped and scaled, uint8 `(*size, 3)`, or the reason why it cannot be used."""

    def scaled(image: Image.Image) -> np.ndarray | str:
        if request.crop == "center" and not _uncut(*image.size):
            return f"has a frame of {image.width}x{image.height}, not of 178:218"
        return fit(image.convert("RGB"), size, _box(image, size) if request.crop == "center" else None)

    try:
        return decode(read(), request.background, scaled)
    except ValueError as error:  # UsageError is one: a damaged member of an archive
        return str(error)


def _box(image: Image.Image, size: tuple[int, int]) -> tuple[float, ...]:
    """Returns the box of the crop at the scale of this frame; its edges may be fractional."""
    if size[0] != size[1]:
        return centre(*image.size, size)
    scale = image.width / _FRAME[0], image.height / _FRAME[1]
    return tuple(edge * scale[i % 2] for i, edge in enumerate(_BOX))


def _archive(request: Request) -> tuple[Path, dict[int, str], Callable] | None:
    """Returns `(path, {id: name}, read)` of the archive to take; None if there is none. `read(name)` returns bytes."""
    if request.argument:
        return _named(request)
    passed = []
    for path in _candidates(request.data_dir):
        opened = _open(path)
        width, height = _frame(*opened[1:])
        if request.crop == "squash" or _uncut(width, height):
            return opened
        passed.append(f"{path.name} ({width}x{height})")
    if passed:
        raise UsageError(f"Not the whole 178x218 frame: {', '.join(passed)}. Take crop 'squash'.")
    return None


def _named(request: Request) -> tuple[Path, dict[int, str], Callable]:
    """Returns `(path, {id: name}, read)` of the archive that `celeba:NAME.zip` names."""
    path = archives.find(request.data_dir, "celeba", request.argument)
    if path is None:
        there = ", ".join(path.name for path in _candidates(request.data_dir)) or "none"
        raise UsageError(f"There is no {request.argument} in the data directory {request.data_dir}; archives: {there}.")
    opened = _open(path)
    width, height = _frame(*opened[1:])
    if request.crop == "center" and not _uncut(width, height):
        raise UsageError(f"{path} has frames of {width}x{height}, not of 178:218; take crop 'squash'.")
    return opened


def _candidates(data_dir: Path | None) -> list[Path]:
    """Returns the paths of the archives and folders in the data directory, in the order in which they are tried."""
    official = [archives.find(data_dir, "celeba", name) for name in ("img_align_celeba.zip", "img_align_celeba")]
    others = [] if data_dir is None else sorted((data_dir / "celeba").glob("*.zip"))
    return list(dict.fromkeys(path for path in [*official, *others] if path is not None))


def _open(path: Path) -> tuple[Path, dict[int, str], Callable]:
    """Returns `(path, {id: name}, read)` of a zip or a folder; raises UsageError if it has no aligned images."""
    if path.is_dir():
        path = path / path.name if (path / path.name).is_dir() else path
        files = _numbered(path, sorted(file.name for file in path.iterdir()))
        read = functools.partial(_read_file, path)
    else:
        if path.name in _SHA256:
            archives.verify(path, _SHA256[path.name])
        archive = archives.Zip(path, _MEMBER_BYTES, _TOTAL_BYTES)
        files, read = _numbered(path, archive.names), archive.read
    if not files:
        raise UsageError(f"{path} has no aligned images; they are named like 000001.jpg.")
    return path, files, read


def _numbered(path: Path, names: list[str]) -> dict[int, str]:
    """Returns `{id: name}` of the images among the files of an archive; raises UsageError if two have one id."""
    files = {}
    for name in filter(_PICTURE.fullmatch, names):
        if files.setdefault(_number(name), name) != name:
            raise UsageError(f"{path} has two images of one number: {files[_number(name)]} and {name}.")
    return files


def _read_file(folder: Path, name: str) -> bytes:
    demand_file(folder / name)
    return (folder / name).read_bytes()


def _frame(files: dict[int, str], read: Callable) -> tuple[int, int]:
    """Returns the width and the height of the first image that can be read, in pixels."""
    reason = ""
    for _, name in sorted(files.items()):
        try:
            return decode(read(name), then=lambda image: image.size)
        except ValueError as error:
            reason = reason or f"{name}: {error}"
    raise UsageError(f"CelebA's archive: no image in it can be used; {reason}.")


def _uncut(width: int, height: int) -> bool:
    """Returns whether a frame has the ratio of the official one, 178:218, to within one pixel."""
    return abs(width * _FRAME[1] / _FRAME[0] - height) < 1


def _number(name: str) -> int | None:
    """Returns the id in the name of an image, `000001.jpg`; None if it is no such name."""
    match = _PICTURE.fullmatch(name)
    return int(match[1]) if match else None


def _list(request: Request, stem: str) -> tuple[Path | None, list[list[str]]]:
    """Returns the path of a list, `.txt` or `.csv`, and the words of its lines; None and no lines if there is none."""
    found = [archives.find(request.data_dir, "celeba", f"{stem}{suffix}") for suffix in (".txt", ".csv")]
    path = found[0] or found[1]
    if path is None:
        return None, []
    try:
        text = path.read_text("utf-8-sig").replace(",", " ")  # a spreadsheet puts a mark before the first word
        return path, [line.split() for line in text.splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text: {error}.") from error


def _chosen(request: Request, files: dict[int, str]) -> list[int]:
    """Returns the sorted ids of the split, of those images that the archive has."""
    part = request.part(*_PARTS)
    path, lines = _list(request, "list_eval_partition")
    if path is None:
        after, to = _PARTS[part]
        ids = [i for i in sorted(files) if after < i <= to]
    else:
        number = str(list(_PARTS).index(part))  # in the file a line is `000001.jpg 0`
        listed = {_number(words[0]) for words in lines if words[1:] == [number]}
        ids = sorted(listed & set(files))
    if not ids:
        raise UsageError(f"CelebA's archive has no image of the split '{part}'; its ids are {min(files)}-{max(files)}.")
    chosen = ids[request.rows(len(ids))]
    if not chosen:
        raise UsageError(f"The split '{request.split}' is empty.")
    return chosen
