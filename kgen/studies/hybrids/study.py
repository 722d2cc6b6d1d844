"""Hybrids of two kinds of images, such as a horse and a bird, by mixing their codes: student reports 000 and 001.

A hybrid is `D((1 - alpha) E(body) + alpha E(wing))`. It is compared with the cross-fade of pixels,
`(1 - alpha) body + alpha wing`, which needs no model.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kgen
from kgen import images
from kgen.errors import UsageError
from kgen.images.order import shared
from kgen.inference import interpolation
from kgen.runs import directory
from kgen.studies.hybrids import measures as hybrid_measures
from kgen.studies.hybrids.pairs import LEAST, Pairs, Protocol

if TYPE_CHECKING:
    from kgen.data import Images
    from kgen.inference.autoencoder import TrainedAutoencoder
    from kgen.metrics.features import Network

IN_A_ROW = 16  # pairs in a row of pairs.png
SHOWN = ("real bodies", "hybrids", "real wings", "cross-fades of pixels")  # rows of pairs.png
MOST_TRAIN = 10_000  # training images to find the nearest in; those of the same classes come first


def study(
    autoencoder: "TrainedAutoencoder",
    data: "Images",
    pairs: Pairs,
    protocol: Protocol,
    train: "Images",
    folder: Path,
    classifier: "Network | None" = None,
    about: dict[str, str] | None = None,
    say: Callable = lambda words: None,
) -> dict[str, Any]:
    """Writes hybrids and their measures into a folder, which is made. Returns the figures.

    - `hybrids.png`: the hybrids. `pairs.png`: columns of body, hybrid, wing, and the cross-fade of their pixels.
    - `sequences.png`, `.gif`: a row of body, hybrids of all alphas, wing for each pair and repetition.
    - `hybrids.csv`: for each hybrid its images' indices in the split, alpha and, with a classifier, probabilities.
    - `hybrids.json`: what is returned. `hybrids.md`: its table, empty without a classifier.

    Args:
        autoencoder: `kgen.inference.autoencoder.TrainedAutoencoder`.
        data, protocol: what `pairs` were made from. With a classifier there must be at least 2 pairs.
        train: `kgen.data.Images` that the autoencoder was trained on.
        folder: `Path`.
        classifier: `kgen.metrics.features.Network` of a classifier, see `kgen.inference.classifier`; None measures
            nothing.
        about: `{name: value}` to put first into the figures.
        say: called with a sentence if some measures are not possible.

    Raises:
        UsageError: codes are to be sampled but the autoencoder is not variational, images are not finite, or the folder
            cannot be made.
    """
    sets = made(autoencoder, data.images, pairs, protocol)
    films = sequences(autoencoder, data.images, pairs, protocol) if protocol.sequences else None
    seen = [shared(data.images[rows], train.images) for rows in pairs[:2]]
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


def measure(
    classifier: "Network",
    sets: dict[str, np.ndarray],
    data: "Images",
    pairs: Pairs,
    train: "Images",
    protocol: Protocol,
    say: Callable,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns the figures that need a classifier, and `{name: (n,)}` with the values of each hybrid."""
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


def save_pictures(folder: Path, sets: dict[str, np.ndarray], films: np.ndarray | None) -> None:
    """Writes the PNG and GIF files of sets `(n, ...)` and of films `(pairs, frames, ...)`; None writes no sequences."""
    images.save_png(folder / "hybrids.png", images.grid(sets["hybrids"]))
    images.save_png(folder / "pairs.png", sheet([sets[name] for name in SHOWN]))
    if films is not None:
        images.save_png(folder / "sequences.png", images.grid(np.concatenate(films), films.shape[1]))
        images.save_gif(folder / "sequences.gif", [images.grid(frame) for frame in films.swapaxes(0, 1)[1:-1]])


def made(
    autoencoder: "TrainedAutoencoder", pixels: np.ndarray, pairs: Pairs, protocol: Protocol
) -> dict[str, np.ndarray]:
    """Returns uint8 images `{name: (n, height, width, channels)}`; "both kinds" alternates bodies and wings."""
    bodies, wings = pixels[pairs.bodies], pixels[pairs.wings]
    codes, turns = _codes(autoencoder, (bodies, wings), protocol), np.arange(len(bodies)) % 2
    return {
        "hybrids": _decoded(autoencoder, mixed(*codes, pairs.alphas)),
        "cross-fades of pixels": np.uint8(np.rint(mixed(bodies, wings, pairs.alphas))),
        "reconstructions, both kinds": _decoded(autoencoder, mixed(*codes, turns)),
        "real, both kinds": np.uint8(mixed(bodies, wings, turns)),
        "real bodies": bodies,
        "real wings": wings,
    }


def mixed(bodies: np.ndarray, wings: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Returns `(1 - alpha) body + alpha wing` for each row, float64; alphas are `(n,)`."""
    alphas = np.float64(alphas).reshape(-1, *[1] * (bodies.ndim - 1))
    return (1 - alphas) * bodies + alphas * wings


def sequences(autoencoder: "TrainedAutoencoder", pixels: np.ndarray, pairs: Pairs, protocol: Protocol) -> np.ndarray:
    """Returns body, hybrids of equally spaced alphas and wing, uint8 `(pairs * repeats, frames + 2, ...)`."""
    alphas = interpolation.positions(protocol.frames, 1.0)
    ends = [pixels[rows[: protocol.sequences]] for rows in pairs[:2]]
    codes = [_codes(autoencoder, ends, protocol, repeat + 1) for repeat in range(protocol.repeats)]

    def strip(number: int, bodies: np.ndarray, wings: np.ndarray) -> np.ndarray:
        hybrids = _decoded(autoencoder, interpolation.linear(wings[number], bodies[number], alphas))
        return np.stack([ends[0][number], *hybrids, ends[1][number]])

    return np.stack([strip(number, *both) for number in range(len(ends[0])) for both in codes])


def sheet(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Returns a picture of rows of images, `(n, height, width, channels)` each, broken after `IN_A_ROW` images."""
    rows = np.stack(rows)
    columns = min(rows.shape[1], IN_A_ROW)
    blocks = np.pad(rows, [(0, 0), (0, -rows.shape[1] % columns), *[(0, 0)] * 3])
    blocks = blocks.reshape(len(rows), -1, columns, *rows.shape[2:]).swapaxes(0, 1)
    return images.grid(blocks.reshape(-1, *rows.shape[2:]), columns)


def write_rows(path: Path, data: "Images", pairs: Pairs, judged: dict[str, np.ndarray]) -> None:
    """Writes a CSV line for each pair, with its exact alpha and its values of `{name: (n,)}`."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["body", "wing", "body_class", "wing_class", "alpha", *judged])
        for body, wing, alpha, *more in zip(*pairs[:3], *judged.values(), strict=True):
            names = [data.classes[data.labels[row]] for row in (body, wing)]
            lines.writerow([body, wing, *names, *map(float, (alpha, *more))])


def _codes(
    autoencoder: "TrainedAutoencoder", kinds: Sequence[np.ndarray], protocol: Protocol, repeat: int = 0
) -> list[np.ndarray]:
    """Returns the codes of bodies and of wings; sampled codes differ for each `repeat`."""
    if protocol.codes == "mean":
        return [autoencoder.encode(pixels) for pixels in kinds]
    if not autoencoder.variational:
        raise UsageError("--codes sampled needs a variational encoder, and this one has one code for an image.")
    seeds = protocol.random(5, repeat).integers(2**31, size=2)
    return [autoencoder.sampled(pixels, int(seed)) for pixels, seed in zip(kinds, seeds, strict=True)]


def _decoded(autoencoder: "TrainedAutoencoder", codes: np.ndarray) -> np.ndarray:
    decoded = autoencoder.decode(np.float32(codes))
    if not np.isfinite(decoded).all():
        raise UsageError("The model makes images that are not finite: it has diverged. Take another checkpoint.")
    return images.to_bytes(decoded)
