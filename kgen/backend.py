"""Keras and TensorFlow, imported when first used.

Importing TensorFlow takes two seconds. `--help`, a misspelt flag and `--dry-run` need none of it, and yet they need the
recipes, which live in the papers' files. So those files write `from kgen.backend import keras` and stay light.
"""

import importlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # hides start-up notices, keeps errors
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


class _Lazy:
    """Stands for a module until one of its names is asked for.

    Not lazy_loader.load, which puts a half-made module into sys.modules: TensorFlow, imported first, then breaks Keras.
    """

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self._name), attribute)


keras = _Lazy("keras")
tf = _Lazy("tensorflow")
