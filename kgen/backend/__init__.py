"""Keras and TensorFlow, imported when first used.

Importing TensorFlow takes two seconds. `--help`, a misspelt flag and `--dry-run` need none of it, and yet they need the
recipes, which live in the papers' files. So those files write `from kgen.backend import keras` and stay light.
"""

import contextlib
import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Tensor = Any  # of TensorFlow or Keras, symbolic ones too: neither has a common type that says so


class _Lazy:
    """Stands for a module until one of its names is asked for.

    Not lazy_loader.load, which puts a half-made module into sys.modules: TensorFlow, imported first, then breaks Keras.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        load()
        return getattr(importlib.import_module(self._name), attribute)


def load() -> None:
    """Imports TensorFlow without its notices. Call it before importing another package that imports TensorFlow."""
    if "tensorflow" not in sys.modules and "TF_CPP_MIN_LOG_LEVEL" not in os.environ and sys.stderr:
        with _quiet():
            importlib.import_module("tensorflow").config.list_physical_devices()
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # warns of every fold that is traced anew


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TensorFlow's start-up notices, which no log level silences, from the terminal; shows them if it fails.

    With TF_CPP_MIN_LOG_LEVEL=0 they are shown: they say why a GPU was not found.
    """
    sys.stderr.flush()
    kept, aside = os.dup(2), tempfile.TemporaryFile()
    # What comes later: only what ends the process. What fails raises in Python; the lines at error level are of the
    # graph optimizer giving up one of its passes ("remapper failed", on a bias before a LeakyReLU) and the like.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.dup2(aside.fileno(), 2)
    try:
        yield
    except BaseException:
        aside.seek(0)
        os.write(kept, aside.read())
        raise
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        aside.close()


if TYPE_CHECKING:
    import keras
    import tensorflow as tf
else:
    keras = _Lazy("keras")
    tf = _Lazy("tensorflow")
