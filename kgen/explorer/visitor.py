"""Where a visitor of the page is: a code, a class, three remembered codes; and the address that says all of it."""

import base64
import binascii
from urllib.parse import urlencode

import numpy as np

from kgen.errors import UsageError
from kgen.explorer.subject import Subject

TERMS, FARTHEST = ("a", "b", "c"), 20.0  # names of the remembered codes; the most that a number field takes


class Visitor:
    """The state of one visitor.

    Args:
        subject: what is explored.
        given: parameters of the page's address, see `address`; those that are missing are as at the start.

    Attributes:
        code: the code that is shown, float32 `(size,)`.
        label: the class that is shown; 0 without classes.
        truncation: what the distance of random codes from the centre is multiplied by.
        steps: where the code is, `(sliders,)`: standard deviations from the centre along each direction.
        terms: the remembered codes, `{name: code}` with names of `TERMS`.
        problem: what was wrong with the parameters, in which case the visitor is at the start; otherwise empty.
    """

    def __init__(self, subject: Subject, given: dict[str, str]) -> None:
        self.subject = subject
        try:
            self._read(given)
            self.problem = ""
        except UsageError as error:
            self._read({})
            self.problem = f"{error} The page shows the centre instead."

    def _read(self, given: dict[str, str]) -> None:
        """Takes the state from the parameters of an address; raises UsageError if one is wrong."""
        size = self.subject.size
        self.label = self.subject.checked(int(_number(given.get("label", "0"), "label", -1e6, 1e6)))
        truncation = _number(given.get("truncation", "1"), "truncation", 0.05, 1)
        self.terms = {name: from_text(given[name], size) for name in TERMS if given.get(name)}
        self.settle(from_text(given["code"], size) if given.get("code") else self.subject.centre, truncation)

    def settle(self, code: np.ndarray, truncation: float = 1.0) -> None:
        """Goes to a code `(size,)`; `truncation` is what its distance from the centre has been multiplied by."""
        self.code = self._base = np.asarray(code, np.float32)
        self.steps = self._start = self.subject.coordinates(self.code)
        self.truncation = truncation

    def move(self, moves: dict[int, float]) -> None:
        """Goes along directions; `moves` are `{direction: standard deviations from the centre}`.

        Raises:
            UsageError: a number is not finite, or larger than `FARTHEST`.
        """
        self.steps = self.steps.copy()
        for direction, value in moves.items():
            name = self.subject.names[direction]
            self.steps[direction] = _number(value, name, -FARTHEST, FARTHEST)
        self.code = self.subject.moved(self._base, self.steps - self._start)

    def draw(self, seed: int) -> None:
        """Goes to the random code of a seed, as near to the centre as `truncation` says."""
        code = self.subject.scaled(self.subject.random(seed, self.label), self.truncation)
        self.settle(code, self.truncation)

    def truncate(self, truncation: float) -> None:
        """Goes towards the centre or back, as far as another truncation says."""
        self.settle(self.subject.scaled(self.code, truncation / self.truncation), truncation)

    def add(self) -> None:
        """Goes to a - b + c of the remembered codes; there must be all three."""
        self.settle(self.terms["a"] - self.terms["b"] + self.terms["c"])

    def mix(self, share: float) -> None:
        """Goes to the code between a and b; `share` is the part of b, from 0 to 1."""
        share = np.float32(share)
        self.settle((1 - share) * self.terms["a"] + share * self.terms["b"])

    @property
    def share(self) -> float:
        """The part of b, from 0 to 1, at the point between a and b that is nearest to the code; 0 without a and b."""
        if not {"a", "b"} <= self.terms.keys():
            return 0.0
        way = self.terms["b"] - self.terms["a"]
        return float(np.clip((self.code - self.terms["a"]) @ way / max(way @ way, 1e-12), 0, 1))

    @property
    def distance(self) -> float:
        """How far the code is from the centre."""
        return float(np.linalg.norm(self.code - self.subject.centre))

    @property
    def address(self) -> str:
        """The parameters of an address that leads to this state: `code=...&label=...`, `truncation`, `a`, `b`, `c`."""
        given = {"code": to_text(self.code), "label": self.label}
        if self.truncation != 1:
            given["truncation"] = f"{self.truncation:g}"
        return urlencode({**given, **{name: to_text(code) for name, code in sorted(self.terms.items())}})


def _number(value: str | float, name: str, least: float, most: float) -> float:
    """Returns a number of a visitor; raises UsageError unless it is one from `least` to `most`."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not least <= number <= most:
        raise UsageError(f"{name} must be a number from {least:g} to {most:g}.")
    return number


def to_text(code: np.ndarray) -> str:
    """Returns a code `(size,)` as text for a URL: base64 of its float32 numbers."""
    return base64.urlsafe_b64encode(np.asarray(code, "<f4").tobytes()).decode().rstrip("=")


def from_text(text: str, size: int) -> np.ndarray:
    """Returns the code `(size,)` of a text from `to_text`; raises UsageError if it is not such a text."""
    try:
        code = np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "<f4")
    except (binascii.Error, ValueError):
        code = np.empty(0)
    if code.shape != (size,) or not np.isfinite(code).all():
        raise UsageError(f"The code of this address is not one of {size} numbers.")
    return code.astype(np.float32)
