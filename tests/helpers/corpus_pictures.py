"""Picture files of every kind that Pillow writes, whole and damaged, with the pixels that each one should have.

Everything is a function of one seed. Each picture is `SIDE` pixels wide and high, so it is read without being scaled.
"""

import io
import os
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

SIDE = 24
_random = np.random.default_rng(0)
COLOUR = np.asarray(Image.fromarray(_random.integers(0, 256, (6, 6, 3), np.uint8)).resize((SIDE, SIDE), 3))
GREY = COLOUR[..., 0]
ALPHA = _random.integers(0, 256, (SIDE, SIDE), np.uint8)
OPAQUE = np.full((SIDE, SIDE), 255, np.uint8)


class Case(NamedTuple):
    """A file of the corpus.

    name: of the file.
    kind: the row of the table.
    make: its contents, or a function that puts something else at a path.
    pixels: uint8 `(SIDE, SIDE)` or `(SIDE, SIDE, 3)`, what it shows. None: it must be refused. "decoded": what
        TensorFlow's decoders see in it, since its format has no checksum.
    """

    name: str
    kind: str
    make: bytes | Callable
    pixels: np.ndarray | str | None


def encoded(pixels, kind, **options):
    """Returns the bytes of a file of pixels, an array or a Pillow image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind, content, wrong=0):
    """Returns a chunk of a PNG; `wrong` is added to its checksum."""
    check = (zlib.crc32(kind + content) + wrong) % 2**32
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png(samples, colour_type, bits=8, size=(SIDE, SIDE), interlace=0, before=b"", wrong="", kind=b"IDAT"):
    """Returns a PNG written by hand: `samples` are the bytes of each row; `wrong` names chunks of a wrong checksum."""
    header = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, interlace)
    rows = zlib.compress(b"".join(b"\0" + row for row in samples))
    parts = [(b"IHDR", header), (kind, rows), (b"IEND", b"")]
    made = [chunk(name, content, name.decode() in wrong) for name, content in parts]
    return b"\x89PNG\r\n\x1a\n" + made[0] + before + made[1] + made[2]


def rows(array):
    return [row.tobytes() for row in array]


def whole_pngs():
    """Yields `(name, contents, pixels)` of PNG in every mode and depth."""
    grey, colour = Image.fromarray(GREY), Image.fromarray(COLOUR)
    bits, palette = grey.convert("1"), colour.quantize(200)
    yield "1", encoded(bits, "PNG"), np.uint8(bits) * 255
    yield "L", encoded(GREY, "PNG"), GREY
    yield "LA opaque", encoded(np.dstack([GREY, OPAQUE]), "PNG"), GREY
    yield "LA transparent", encoded(np.dstack([GREY, ALPHA]), "PNG"), None
    table = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)
    yield "P", encoded(palette, "PNG"), table[np.asarray(palette)]
    yield "P of opaque alphas", encoded(palette, "PNG", transparency=b"\xff" * 200), table[np.asarray(palette)]
    yield "P with alphas", encoded(palette, "PNG", transparency=b"\x80" * 200), None
    yield "P with a transparent index", encoded(palette, "PNG", transparency=int(np.asarray(palette)[0, 0])), None
    for depth, colours in ((1, 2), (2, 4), (4, 16)):
        small = colour.quantize(colours)
        table = np.array(small.getpalette(), np.uint8).reshape(-1, 3)
        yield f"P of {depth} bits", encoded(small, "PNG", bits=depth), table[np.asarray(small)]
    yield "RGB", encoded(COLOUR, "PNG"), COLOUR
    yield "RGBA opaque", encoded(np.dstack([COLOUR, OPAQUE]), "PNG"), COLOUR
    yield "RGBA transparent", encoded(np.dstack([COLOUR, ALPHA]), "PNG"), None
    yield "L with an absent key", encoded(np.maximum(GREY, 1), "PNG", transparency=0), np.maximum(GREY, 1)
    yield "L with a key", encoded(GREY, "PNG", transparency=int(GREY[3, 3])), None
    yield "RGB with a key", encoded(COLOUR, "PNG", transparency=tuple(map(int, COLOUR[3, 3]))), None
    yield "1 with a key", encoded(bits, "PNG", transparency=0), None
    deep = GREY.astype(">u2") * 257
    yield "I;16", encoded(Image.fromarray(GREY.astype(np.uint16) * 257), "PNG"), None
    yield "16 bits by hand", png(rows(deep), 0, 16), None
    yield "LA of 16 bits", png(rows(np.dstack([deep, deep])), 4, 16), None
    yield "RGB of 16 bits", png(rows(COLOUR.astype(">u2") * 257), 2, 16), None
    yield "RGBA of 16 bits", png(rows(np.dstack([COLOUR, OPAQUE]).astype(">u2") * 257), 6, 16), None
    yield (
        "L of 2 bits",
        png([np.packbits([[v >> 1, v & 1] for v in row]).tobytes() for row in GREY // 64], 0, 2),
        (GREY // 64 * 85),
    )
    yield (
        "gamma and text",
        png(rows(COLOUR), 2, before=chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"tEXt", b"a\0b")),
        COLOUR,
    )
    yield "uncompressed", encoded(COLOUR, "PNG", compress_level=0), COLOUR
    yield "animated", encoded(COLOUR, "PNG", save_all=True, append_images=[Image.fromarray(COLOUR[::-1])]), None
    yield "with garbage behind", encoded(COLOUR, "PNG") + b"garbage" * 9, COLOUR


def whole_others():
    """Yields `(name, contents, pixels)` of JPEG, WebP and BMP in every mode."""
    for name, pixels, options in (
        ("L", GREY, {}),
        ("RGB", COLOUR, {}),
        ("progressive", COLOUR, {"progressive": True}),
        ("progressive L", GREY, {"progressive": True}),
        ("optimised", COLOUR, {"optimize": True}),
        ("quality 1", COLOUR, {"quality": 1}),
        ("quality 100", COLOUR, {"quality": 100}),
        ("4:4:4", COLOUR, {"subsampling": 0}),
        ("4:2:2", COLOUR, {"subsampling": 1}),
        ("restart markers", COLOUR, {"restart_marker_blocks": 1}),
        ("RGB not YCbCr", COLOUR, {"keep_rgb": True}),
        ("comment", COLOUR, {"comment": b"x" * 999}),
        ("dpi", COLOUR, {"dpi": (1, 9999)}),
        ("broken ICC", COLOUR, {"icc_profile": b"no profile"}),
        ("broken EXIF", COLOUR, {"exif": b"Exif\0\0MM\0*" + b"\xff" * 40}),
    ):
        yield f"{name}.jpg", encoded(pixels, "JPEG", **options), "decoded"
    yield "CMYK.jpg", encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), None
    yield "MPO.jpg", encoded(COLOUR, "MPO", save_all=True, append_images=[Image.fromarray(COLOUR)]), "decoded"
    turned = [COLOUR, COLOUR[:, ::-1], COLOUR[::-1, ::-1], COLOUR[::-1], COLOUR.swapaxes(0, 1), np.rot90(COLOUR, -1)]
    turned += [COLOUR.swapaxes(0, 1)[::-1, ::-1], np.rot90(COLOUR)]
    for orientation, pixels in enumerate(turned, 1):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield f"turned {orientation}.png", encoded(COLOUR, "PNG", exif=exif), pixels
        yield f"turned {orientation}.webp", encoded(COLOUR, "WEBP", lossless=True, exif=exif), pixels
    yield "lossless.webp", encoded(COLOUR, "WEBP", lossless=True), COLOUR
    yield "lossy.webp", encoded(COLOUR, "WEBP", quality=50), "decoded"
    yield "opaque.webp", encoded(np.dstack([COLOUR, OPAQUE]), "WEBP", lossless=True), COLOUR
    yield "transparent.webp", encoded(np.dstack([COLOUR, ALPHA]), "WEBP", lossless=True), None
    frames = {"save_all": True, "append_images": [Image.fromarray(COLOUR[::-1])]}
    yield "animated.webp", encoded(COLOUR, "WEBP", **frames), None
    for name, image in (("L", GREY), ("RGB", COLOUR)):
        yield f"{name}.bmp", encoded(image, "BMP"), image
    bits = Image.fromarray(GREY).convert("1")
    yield "1.bmp", encoded(bits, "BMP"), np.uint8(bits) * 255
    palette = Image.fromarray(COLOUR).quantize(200)
    yield "P.bmp", encoded(palette, "BMP"), np.array(palette.getpalette(), np.uint8).reshape(-1, 3)[palette]
    yield "RGBA.bmp", encoded(np.dstack([COLOUR, OPAQUE]), "BMP"), COLOUR


BASES = {
    "grey.png": (encoded(GREY, "PNG"), GREY),
    "colour.png": (encoded(COLOUR, "PNG"), COLOUR),
    "colour.jpg": (encoded(COLOUR, "JPEG", quality=90), "decoded"),
    "progressive.jpg": (encoded(COLOUR, "JPEG", progressive=True), "decoded"),
    "lossless.webp": (encoded(COLOUR, "WEBP", lossless=True), "decoded"),
    "lossy.webp": (encoded(COLOUR, "WEBP"), "decoded"),
    "colour.bmp": (encoded(COLOUR, "BMP"), "decoded"),
}


def damaged():
    """Yields the cases of files that are cut short, have flipped bits, another ending, or garbage in front."""
    for name, (content, pixels) in BASES.items():
        stem, _, suffix = name.rpartition(".")
        for part in (0.02, 0.25, 0.5, 0.75, 0.95):
            yield Case(f"{stem} cut {part}.{suffix}", "cut short", content[: int(part * len(content))], pixels)
        for left in (1, 2, 12):
            yield Case(f"{stem} less {left}.{suffix}", "cut short", content[:-left], pixels)
        for number in range(8):
            random = np.random.default_rng([number, len(content)])
            flipped = bytearray(content)
            flipped[random.integers(len(content))] ^= 1 << int(random.integers(8))
            yield Case(f"{stem} flip {number}.{suffix}", "flipped bit", bytes(flipped), pixels)
        for other in {"png", "jpg", "webp", "bmp"} - {suffix}:
            yield Case(f"{stem} {suffix} as.{other}", "another ending", content, pixels)
        yield Case(f"{stem} behind garbage.{suffix}", "not a picture", b"garbage" + content, None)


def lies():
    """Yields the cases of files whose headers promise other sizes, and of wrong checksums."""
    one = [bytes(3)]
    for width, height in (
        (8001, 8000),
        (60_000, 60_000),
        (2**31 - 1, 2**31 - 1),
        (1, 10**9),
        (0, 24),
        (24, 0),
        (24, 25),
    ):
        yield Case(f"{width} by {height}.png", "wrong size", png(one, 2, size=(width, height)), None)
    jpeg = encoded(COLOUR, "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    for size in ((65_500, 65_500), (9_000, 9_000), (0, 24), (24, 0), (240, 240)):
        pixels = "decoded" if size == (240, 240) else None  # grey behind the end of its data, as all decoders show it
        yield Case(f"{size}.jpg", "wrong size", jpeg[:at] + struct.pack(">HH", *size) + jpeg[at + 4 :], pixels)
    bmp = encoded(COLOUR, "BMP")
    for size in ((2**31 - 1, 2**31 - 1), (9_000, 9_000), (0, 0), (24, 25)):
        yield Case(f"{size}.bmp", "wrong size", bmp[:18] + struct.pack("<ii", *size) + bmp[26:], None)
    yield Case("upside down.bmp", "wrong size", bmp[:18] + struct.pack("<ii", 24, -24) + bmp[26:], COLOUR[::-1])
    for wrong, pixels in (("IHDR", None), ("IDAT", None), ("IEND", COLOUR)):  # nothing is in IEND
        yield Case(f"checksum of {wrong}.png", "wrong checksum", png(rows(COLOUR), 2, wrong=wrong), pixels)
    key = chunk(b"tRNS", b"\0\0" * 3, wrong=1)
    yield Case("checksum of tRNS.png", "wrong checksum", png(rows(COLOUR), 2, before=key), None)
    yield Case("no pixels.png", "wrong size", png(rows(COLOUR), 2, kind=b"teXt"), None)
    yield Case("more pixels.png", "wrong size", png(rows(COLOUR) * 99, 2), COLOUR)


def others():
    """Yields the cases of other formats, of files that are no pictures, and of what is no file."""
    for kind in ("GIF", "TIFF", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "PCX", "SGI", "DDS"):
        yield Case(f"{kind.lower()} as.png", "other format", encoded(COLOUR, kind), COLOUR if kind == "TIFF" else None)
    for suffix, kind in ((".tif", "TIFF"), (".gif", "GIF"), (".avif", "AVIF"), (".jp2", "JPEG2000")):
        yield Case(f"other{suffix}", "other ending", encoded(COLOUR, kind), COLOUR if kind == "TIFF" else None)
    texts = {
        "nothing": b"",
        "text": b"no picture",
        "zeros": bytes(999),
        "html": b"<html>",
        "zip": b"PK\x03\x04" + bytes(99),
    }
    texts |= {
        "signature": b"\x89PNG\r\n\x1a\n",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "pdf": b"%PDF-1.7",
    }
    for name, content in texts.items():
        for suffix in ("png", "jpg"):
            yield Case(f"{name}.{suffix}", "not a picture", content, None)
    for name in ("a b", "caf\u00e9", "line\nfeed", "quote'\"", "-flag", "x" * 200, "[1]", os.fsdecode(b"caf\xe9")):
        yield Case(f"{name}.png", "odd name", encoded(COLOUR, "PNG"), COLOUR)
    yield Case("UPPER.PNG", "odd name", encoded(COLOUR, "PNG"), COLOUR)
    for name, make in {
        "inside": lambda path: path.symlink_to("a b.png"),
        "outside": lambda path: path.symlink_to("/etc/hostname"),
        "device": lambda path: path.symlink_to("/dev/zero"),
        "nowhere": lambda path: path.symlink_to("nowhere.png"),
        "itself": lambda path: path.symlink_to(path.name),
        "above": lambda path: path.symlink_to(".."),
        "pipe": os.mkfifo,
        "heavy": lambda path: (path.touch(), os.truncate(path, 50_000_001)),
        "denied folder": lambda path: path.symlink_to("/root"),
    }.items():
        yield Case(f"{name}.png", "links and pipes", make, COLOUR if name == "inside" else None)


def cases():
    """Returns every `Case`."""
    whole = [(f"{name}.png", content, pixels) for name, content, pixels in whole_pngs()] + list(whole_others())
    return [*(Case(name, "whole", content, pixels) for name, content, pixels in whole), *damaged(), *lies(), *others()]
