"""The pairs of images that are mixed into hybrids, and the flags that choose them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kgen.data import class_number
from kgen.errors import UsageError
from kgen.inference import interpolation
from kgen.studies.hybrids import measures as hybrid_measures

if TYPE_CHECKING:
    from kgen.data import Images

LEAST, MOST = 16, 1_000  # real images of each kind to compare with, at least and at most


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Which images are mixed, and how."""

    bodies: str = "horse"  # Classes of the bodies, by name or number, separated by commas.
    wings: str = "bird"  # Classes of the wings.
    pairing: Literal["centre", "random", "order"] = "centre"  # Wing: nearest colour at the centre, random, in order.
    count: int = 64  # Number of hybrids; each has its own body.
    alpha: str = "0.4,0.6"  # Least and greatest share of the wing, which is drawn uniformly.
    codes: Literal["mean", "sampled"] = "mean"  # For a variational encoder: mean of q(z|x), or a draw from it.
    split: str = "test"  # Part of the dataset that the images are taken from.
    sequences: int = 4  # Number of pairs that are also shown for alphas from 0 to 1.
    frames: int = 11  # Number of alphas in a sequence.
    repeats: int = 1  # Rows for each sequence; they differ if codes are sampled.
    seed: int = 0  # Seed of the choice of images, of alphas and of sampled codes.

    def __post_init__(self) -> None:
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
    def range(self) -> tuple[float, float]:
        """`alpha` as `(low, high)`; both are NaN if it is not two numbers."""
        try:
            low, high = map(float, self.alpha.split(","))
        except ValueError:
            low = high = np.nan
        return low, high

    def random(self, *use: Any) -> np.random.Generator:
        """Returns a random generator for one use, so that the draws of one use do not depend on another."""
        return np.random.default_rng([self.seed, *use])


class Pairs(NamedTuple):
    """Which body is mixed with which wing, and how much."""

    bodies: np.ndarray  # Indices of the images of bodies, integers (n,).
    wings: np.ndarray  # Indices of the images of wings, integers (n,).
    alphas: np.ndarray  # Shares of the wings in the mixture, float64 (n,).
    left: np.ndarray  # Indices of other bodies and as many other wings, to compare with; none if fewer than LEAST.
    labels: tuple  # Class numbers of bodies, and class numbers of wings.


def paired(data: "Images", protocol: Protocol) -> Pairs:
    """Returns `Pairs` of `kgen.data.Images`, which depend only on the arguments.

    No body is used twice. The pairing chooses bodies and wings:
    - `centre`: random bodies. Each gets the wing whose pixel at row h // 2, column w // 2 has the nearest colour, by
      Euclidean distance. Several bodies may get one wing (report 001).
    - `random`: random bodies, and random wings, none twice.
    - `order`: the first bodies and the first wings of the split; body i gets wing i (report 000).

    Raises:
        UsageError: the images have no classes, a class is unknown or in both kinds, or there are too few images.
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


def _labels(protocol: Protocol, kind: str, classes: tuple[str, ...]) -> tuple[int, ...]:
    """Returns the class numbers that a flag names."""
    names = [name.strip() for name in getattr(protocol, kind).split(",")]
    return tuple(dict.fromkeys(class_number(name, classes, f"--{kind}") for name in names))
