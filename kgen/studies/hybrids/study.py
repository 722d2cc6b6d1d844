"""Hybrids of two kinds of images, such as a horse and a bird, by mixing their codes: student reports 000 and 001.

A hybrid is `D((1 - alpha) E(body) + alpha E(wing))`. Beside it stands the cross-fade of the pixels,
`(1 - alpha) body + alpha wing`, for which nothing has to be learnt.
"""

import csv
import dataclasses
import json
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

import kgen
from kgen import images
from kgen.errors import UsageError
from kgen.inference import interpolation
from kgen.runs import directory
from kgen.studies.hybrids import measures as hybrid_measures

IN_A_ROW = 16  # pairs in a row of pairs.png
SHOWN = ("real bodies", "hybrids", "real wings", "cross-fades of pixels")  # there, under each other
LEAST, MOST = 16, 1_000  # real images of each kind to compare with
MOST_TRAIN = 10_000  # training images among which the nearest is looked for, first those of the same classes


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Which images are mixed, and how."""

    bodies: str = "horse"  # Classes of the bodies, by name or number, separated by commas.
    wings: str = "bird"  # Classes of the wings.
    pairing: Literal["centre", "random", "order"] = "centre"  # The wing: of nearest colour at the centre, any, next.
    count: int = 64  # Hybrids, no two of one body.
    alpha: str = "0.4,0.6"  # Share of the wing, drawn uniformly between these.
    codes: Literal["mean", "sampled"] = "mean"  # Of a variational encoder: the mean of q(z|x), or a draw from it.
    split: str = "test"  # Part of the dataset that the images are taken from.
    sequences: int = 4  # Pairs that are also shown at all alphas from 0 to 1.
    frames: int = 11  # Alphas of a sequence.
    repeats: int = 1  # Rows of a sequence; with sampled codes they differ.
    seed: int = 0  # Of the choice of images, of alpha and of sampled codes.

    def __post_init__(self):
        low, high = self.range
        for right, name, accepted in (
            (self.count >= 1, "count", "at least 1"),
            (self.sequences >= 0, "sequences", "0 or more"),
            (self.repeats >= 1, "repeats", "at least 1"),
            (0 <= self.seed < 2**31, "seed", "from 0 to 2147483647"),
            (0 <= low <= high <= 1, "alpha", "LOW,HIGH, two numbers in order and from 0 to 1"),
        ):
            if not right:
                raise UsageError(f"--{name} must be {accepted}, not {getattr(self, name)}.")
        interpolation.positions(self.frames, 1.0)

    @property
    def range(self):
        """`alpha` as `(low, high)`, NaN where it is not two numbers."""
        try:
            low, high = map(float, self.alpha.split(","))
        except ValueError:
            low = high = np.nan
        return low, high

    def random(self, *use):
        """Returns a generator for one use of the seed, so that no choice shifts another."""
        return np.random.default_rng([self.seed, *use])


class Pairs(NamedTuple):
    """Who is mixed with whom."""

    bodies: np.ndarray  # Rows of images, integers (n,).
    wings: np.ndarray  # The same.
    alphas: np.ndarray  # Shares of the wings, float64 (n,).
    left: np.ndarray  # Rows of other bodies and as many other wings, to compare with; none if fewer than LEAST of each.
    labels: tuple  # Class numbers of bodies, and those of wings.


def paired(data, protocol):
    """Returns `Pairs` of `kgen.data.Images`, which depend on nothing but the arguments.

    Bodies are chosen at random, or in the order of the split with pairing `order`, none twice. Their wings: `centre` is
    the one whose pixel at row h // 2, column w // 2 has the nearest colour by Euclidean distance, which may serve
    several bodies (report 001); `random` is any; with `order` body i has wing i (report 000).

    Raises:
        UsageError: no classes, an unknown one, one that is both, or too few images.
    """
    if data.labels is None:
        raise UsageError("These images have no classes, so it cannot be said what is a body and what is a wing.")
    labels = tuple(_labels(protocol, kind, data.classes) for kind in ("bodies", "wings"))
    if set(labels[0]) & set(labels[1]):
        raise UsageError(f"--bodies {protocol.bodies} and --wings {protocol.wings} must have no class in common.")
    bodies, wings = (np.flatnonzero(np.isin(data.labels, chosen)) for chosen in labels)
    count, centre = protocol.count, protocol.pairing == "centre"
    for kind, rows, needed in (("bodies", bodies, count), ("wings", wings, 1 if centre else count)):
        if len(rows) < needed:
            split = f"the split '{protocol.split}' has {len(rows)} such images"
            raise UsageError(f"--{kind} {getattr(protocol, kind)}: {split}, but --count {count} takes {needed}.")
    some, others = bodies[:count], wings[:count]
    if protocol.pairing != "order":
        some, others = (protocol.random(i).permutation(rows)[:count] for i, rows in enumerate((bodies, wings)))
    if centre:
        colours = data.images[:, data.images.shape[1] // 2, data.images.shape[2] // 2]
        others = wings[hybrid_measures.nearest(colours[some], colours[wings])[0]]
    alphas = protocol.random(2).uniform(*protocol.range, count)
    rest = [protocol.random(3).permutation(np.setdiff1d(*rows)) for rows in ((bodies, some), (wings, others))]
    size = min(*map(len, rest), MOST)
    return Pairs(some, others, alphas, np.concatenate([rows[: size if size >= LEAST else 0] for rows in rest]), labels)


def study(codec, data, pairs, protocol, train, folder, classifier=None, about=None, say=lambda words: None):
    """Writes hybrids and what they are like into a folder, which is made.

    - `hybrids.png`: the hybrids. `pairs.png`: under each other body, hybrid, wing, and the cross-fade of their pixels.
    - `sequences.png`, `.gif`: body, hybrids of all alphas, wing; the next repetition, or the next pair, is below.
    - `hybrids.csv`: rows of the images in the split, alpha and, with a classifier, probabilities of each hybrid.
    - `hybrids.json`: what is returned. `hybrids.md`: its table, empty without a classifier.

    Args:
        codec: `kgen.inference.autoencoder.TrainedAutoencoder`.
        data, protocol: what `pairs`, at least 2 where there is a classifier, were made of.
        train: `kgen.data.Images` that the codec was trained on.
        folder: `Path`.
        classifier: `kgen.metrics.features.Network` of a classifier, see `kgen.inference.classifier`, or None to measure nothing.
        about: `{name: value}` to put first into the figures.
        say: called with a sentence where something is wanting.

    Raises:
        UsageError: sampled codes of a codec without them, images that are not finite, a folder that cannot be made.
    """
    sets = made(codec, data.images, pairs, protocol)
    films = sequences(codec, data.images, pairs, protocol) if protocol.sequences else None
    known = {hash(image.tobytes()) for image in train.images}
    seen = [sum(hash(image.tobytes()) in known for image in data.images[rows]) for rows in pairs[:2]]
    if any(seen):
        words = f"{seen[0]} of the {protocol.count} bodies and {seen[1]} of the wings"
        say(f"The model was trained on {words}: what it makes of them says little about new images.")
    figures = {**(about or {}), "kgen": kgen.__version__, "protocol": dataclasses.asdict(protocol)}
    figures |= {"trained_on": {"bodies": seen[0], "wings": seen[1]}, "classifier": None}
    measured, judged = measure(classifier, sets, data, pairs, train, protocol, say) if classifier else ({}, {})
    figures |= measured
    directory.make_folder(folder)
    save_pictures(folder, sets, films)
    write_rows(folder / "hybrids.csv", data, pairs, judged)
    (folder / "hybrids.json").write_text(json.dumps(figures, indent=2) + "\n")
    (folder / "hybrids.md").write_text(hybrid_measures.table(figures))
    return figures


def measure(classifier, sets, data, pairs, train, protocol, say):
    """Returns the figures that need a classifier, and `{name: (n,)}` of each hybrid."""
    real = data.images[pairs.left]
    if not len(real):
        say(f"Fewer than {LEAST} other bodies or wings are left to compare with: some measures need a lower --count.")
    order = protocol.random(4).permutation(len(train.images))
    kinds = [data.classes[label] for labels in pairs.labels for label in labels]
    others = ~np.isin(np.array(train.classes)[train.labels], kinds)
    near = train.images[order[np.argsort(others[order], kind="stable")[:MOST_TRAIN]]]
    found, judged = hybrid_measures.judged(hybrid_measures.looking(classifier), sets, real, near, pairs.labels)
    return {
        "classifier": classifier.about,
        "images": {"reference": len(real), "train": len(near)},
        "measures": found,
    }, judged


def save_pictures(folder, sets, films):
    """Writes the PNG and GIF files; films are None without sequences."""
    images.save_png(folder / "hybrids.png", images.grid(sets["hybrids"]))
    images.save_png(folder / "pairs.png", sheet([sets[name] for name in SHOWN]))
    if films is not None:
        images.save_png(folder / "sequences.png", images.grid(np.concatenate(films), films.shape[1]))
        images.save_gif(folder / "sequences.gif", [images.grid(frame) for frame in films.swapaxes(0, 1)[1:-1]])


def made(codec, pixels, pairs, protocol):
    """Returns uint8 images `{name: (n, height, width, channels)}`; of "both kinds" are bodies and wings by turns."""
    bodies, wings = pixels[pairs.bodies], pixels[pairs.wings]
    codes, turns = _codes(codec, (bodies, wings), protocol), np.arange(len(bodies)) % 2
    return {
        "hybrids": _decoded(codec, mixed(*codes, pairs.alphas)),
        "cross-fades of pixels": np.uint8(np.rint(mixed(bodies, wings, pairs.alphas))),
        "reconstructions, both kinds": _decoded(codec, mixed(*codes, turns)),
        "real, both kinds": np.uint8(mixed(bodies, wings, turns)),
        "real bodies": bodies,
        "real wings": wings,
    }


def mixed(bodies, wings, alphas):
    """Returns `(1 - alpha) body + alpha wing` of each row, float64; alphas are `(n,)`."""
    alphas = np.float64(alphas).reshape(-1, *[1] * (bodies.ndim - 1))
    return (1 - alphas) * bodies + alphas * wings


def sequences(codec, pixels, pairs, protocol):
    """Returns body, hybrids of equally spaced alphas and wing, uint8 `(pairs * repeats, frames + 2, ...)`."""
    alphas = interpolation.positions(protocol.frames, 1.0)
    ends = [pixels[rows[: protocol.sequences]] for rows in pairs[:2]]
    codes = [_codes(codec, ends, protocol, repeat + 1) for repeat in range(protocol.repeats)]

    def strip(number, bodies, wings):
        hybrids = _decoded(codec, interpolation.linear(wings[number], bodies[number], alphas))
        return np.stack([ends[0][number], *hybrids, ends[1][number]])

    return np.stack([strip(number, *both) for number in range(len(ends[0])) for both in codes])


def sheet(rows):
    """Returns a picture of rows of images, `(n, height, width, channels)` each, that go on below after `IN_A_ROW`."""
    rows = np.stack(rows)
    columns = min(rows.shape[1], IN_A_ROW)
    blocks = np.pad(rows, [(0, 0), (0, -rows.shape[1] % columns), *[(0, 0)] * 3])
    blocks = blocks.reshape(len(rows), -1, columns, *rows.shape[2:]).swapaxes(0, 1)
    return images.grid(blocks.reshape(-1, *rows.shape[2:]), columns)


def write_rows(path, data, pairs, judged):
    """Writes a line for each pair, with its alpha exactly and its columns of `{name: (n,)}`."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["body", "wing", "body_class", "wing_class", "alpha", *judged])
        for body, wing, alpha, *more in zip(*pairs[:3], *judged.values(), strict=True):
            names = [data.classes[data.labels[row]] for row in (body, wing)]
            lines.writerow([body, wing, *names, *map(float, (alpha, *more))])


def _codes(codec, kinds, protocol, repeat=0):
    """Returns the codes of bodies and of wings; sampled ones differ from repetition to repetition."""
    if protocol.codes == "mean":
        return [codec.encode(pixels) for pixels in kinds]
    if not codec.variational:
        raise UsageError("--codes sampled needs a variational encoder, and this one has one code for an image.")
    seeds = protocol.random(5, repeat).integers(2**31, size=2)
    return [codec.sampled(pixels, int(seed)) for pixels, seed in zip(kinds, seeds, strict=True)]


def _decoded(codec, codes):
    decoded = codec.decode(np.float32(codes))
    if not np.isfinite(decoded).all():
        raise UsageError("The model makes images that are not finite: it has diverged. Take another checkpoint.")
    return images.to_bytes(decoded)


def _labels(protocol, kind, classes):
    """Returns the class numbers that a flag names."""
    names = [name.strip() for name in getattr(protocol, kind).split(",")]
    known = {str(i): i for i in range(len(classes))} | {name: i for i, name in enumerate(classes)}
    for name in names:
        if name not in known:
            raise UsageError(f"--{kind}: there is no class '{name}'; numbered from 0 there are {', '.join(classes)}.")
    return tuple(dict.fromkeys(known[name] for name in names))
