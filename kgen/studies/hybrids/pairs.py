"""Which images are mixed for hybrids: the flags, and the pairs that follow from them and the seed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kgen.data import class_number
from kgen.errors import UsageError
from kgen.inference import interpolation
from kgen.studies.hybrids import measures as hybrid_measures

if TYPE_CHECKING:
    from kgen.data import Images

LEAST, MOST = 16, 1_000  # real images of each kind to compare with


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
        """`alpha` as `(low, high)`, NaN where it is not two numbers."""
        try:
            low, high = map(float, self.alpha.split(","))
        except ValueError:
            low = high = np.nan
        return low, high

    def random(self, *use: Any) -> np.random.Generator:
        """Returns a generator for one use of the seed, so that no choice shifts another."""
        return np.random.default_rng([self.seed, *use])


class Pairs(NamedTuple):
    """Who is mixed with whom."""

    bodies: np.ndarray  # Rows of images, integers (n,).
    wings: np.ndarray  # The same.
    alphas: np.ndarray  # Shares of the wings, float64 (n,).
    left: np.ndarray  # Rows of other bodies and as many other wings, to compare with; none if fewer than LEAST of each.
    labels: tuple  # Class numbers of bodies, and those of wings.


def paired(data: "Images", protocol: Protocol) -> Pairs:
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


def _labels(protocol: Protocol, kind: str, classes: tuple[str, ...]) -> tuple[int, ...]:
    """Returns the class numbers that a flag names."""
    names = [name.strip() for name in getattr(protocol, kind).split(",")]
    return tuple(dict.fromkeys(class_number(name, classes, f"--{kind}") for name in names))
