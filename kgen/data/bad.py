"""Images of a dataset that cannot be used. They stop the reader, or are left out and named where that was asked for."""

import warnings

from kgen.errors import UsageError
from kgen.images.files import TRANSPARENT

_NAMED = 20  # how many a message names; the others are counted


class BadImages(UsageError):
    """Some images of a dataset cannot be used.

    found: `[(file, reason), ...]`, all of them.
    total: how many images were tried.
    """

    def __init__(self, found: list[tuple[str, str]], total: int) -> None:
        super().__init__(
            f"{listed(found, total, 'cannot be used')}\nRemove or replace them, or leave them out with --skip-bad."
            + glass(found)
        )
        self.found, self.total = found, total


def told(found: list[tuple[str, str]], total: int, skip: bool) -> None:
    """Warns of images that are left out; raises `BadImages` where they may not be.

    Args:
        found: `[(file, reason), ...]`.
        total: how many images were tried.
        skip: whether to leave them out.
    """
    if found and not skip:
        raise BadImages(found, total)
    if found:
        warnings.warn(listed(found, total, "are left out") + glass(found), stacklevel=3)


def glass(found: list[tuple[str, str]]) -> str:
    """Returns what can be done about transparent pictures; nothing if none of `found` is transparent."""
    if all(reason != TRANSPARENT for _, reason in found):
        return ""
    return "\nTransparent ones can be used with a colour behind them, such as --background white."


def listed(found: list[tuple[str, str]], total: int, fate: str) -> str:
    """Returns a line that counts, a line for each of the first 20, and one that counts the others."""
    lines = [f"  {name}: {reason}" for name, reason in found[:_NAMED]]
    rest = [f"  and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
    return "\n".join([f"{len(found)} of {total} pictures {fate}:", *lines, *rest])
