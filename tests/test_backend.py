"""Keras and TensorFlow are imported when first used, without their notices, which are shown if the import fails."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from kgen import backend

ROOT = Path(__file__).parents[1]


def run(code, **environment):
    """Runs code in a new interpreter; returns its stdout and stderr."""
    given = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    given |= {"PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=given)
    return done.stdout, done.stderr


def test_names_are_those_of_the_modules():
    assert backend.keras.Model is keras.Model and backend.tf.constant is tf.constant
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        backend.tf.nothing_of_the_kind  # noqa: B018


def test_nothing_is_loaded_before_a_name_is_asked_for():
    code = "import sys; from kgen.backend import keras, tf; print({'keras', 'tensorflow'} & set(sys.modules) or None)"
    assert run(code)[0] == "None\n"


def test_what_is_written_to_stderr_is_kept_back_unless_something_fails():
    code = "import os; from kgen.backend import _quiet\nwith _quiet():\n    os.write(2, b'a notice\\n')\n    {}"
    assert run(code.format("pass"))[1] == ""
    errors = run(code.format("1 / 0"))[1]
    assert errors.startswith("a notice\n") and errors.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("module", ["kgen.serving.launch", pytest.param("kgen.export.warmup", marks=pytest.mark.slow)])
def test_what_needs_another_package_of_tensorflow_is_imported_in_silence(module):
    assert run(f"import sys, {module}; print('tensorflow' in sys.modules)") == ("True\n", "")


def test_a_command_says_nothing_of_tensorflow(tmp_path):
    """The first line of a training is its own, also where another package imports TensorFlow."""
    small = "--model gan --generator-width 4 --discriminator-units 4 --latent-dim 4 --batch-size 4 --steps 1".split()
    given = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, ROOT / "scripts/train.py", *small]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=given | {"PYTHONPATH": str(ROOT)})
    assert done.stderr.startswith("runs/gan-mnist5k-0001: 4500 images") and "0000 00:00" not in done.stderr
