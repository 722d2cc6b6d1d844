"""TensorFlow-GAN as a reference. Its last release (2.1.0, 2021) cannot be imported since TensorFlow 2.16 as it is."""

import importlib
import os
import sys
import types

import pytest
import tensorflow as tf

NEEDS = "tensorflow-gan==2.1.0 tensorflow-probability tf-keras tensorflow-hub 'setuptools<82'"


def tensorflow_gan():
    """Returns the module, or skips the test that asks for it where it is not installed."""
    if not hasattr(tf, "estimator"):  # train.py and the estimator package name it; the losses never use it
        tf.estimator = types.SimpleNamespace(SessionRunHook=object)
    name = "tensorflow_gan.python.estimator"
    sys.modules.setdefault(name, types.ModuleType(name))
    if os.environ.get("CI"):  # there a comparison that cannot be made is a failure
        return importlib.import_module("tensorflow_gan")
    return pytest.importorskip("tensorflow_gan", reason=f"the comparison needs: pip install {NEEDS}")
