"""Whether a logged value is better when it is lower or higher, for Keras's callbacks that monitor one."""

from typing import TYPE_CHECKING

from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.backend import keras

LOWER = ("loss", "norm", "error", "nats", "bound", "entropy", "kl", "penalty", "fid", "kid", "mmd", "reconstruction")
HIGHER = ("accuracy", "parzen", "precision", "recall", "density", "coverage")


def with_modes(callbacks: "keras.callbacks.Callback | list | None") -> "list[keras.callbacks.Callback]":
    """Returns callbacks as a list. Those that monitor a value in mode `auto` get the mode of that value's kind."""
    found = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
    for callback in [getattr(each, "callback", each) for each in found]:  # a ForPlayer holds one
        if getattr(callback, "mode", None) == "auto" and getattr(callback, "monitor_op", True) is None:
            callback.mode = mode(callback.monitor)
    return found


def mode(name: str) -> str:
    """Returns `min` or `max` for a logged value; raises UsageError if its name does not tell."""
    words = name.removeprefix("val_").split("_")
    for kind, known in (("min", LOWER), ("max", HIGHER)):
        if any(word in known for word in words):
            return kind
    raise UsageError(f"Whether {name} is better when lower or higher is not known: give mode='min' or mode='max'.")
