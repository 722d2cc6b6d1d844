"""Importing kgen.layers, which is no file but the folder itself, loads Keras only when a layer is named."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(code):
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_light_modules_leaves_tensorflow_alone():
    code = (
        "import sys, kgen.layers, kgen.losses.adversarial, kgen.losses.penalties, kgen.images, kgen.layers.upsample\n"
    )
    assert run(code + "print('tensorflow.python' in sys.modules)") == ["False"]


@pytest.mark.slow
def test_a_layer_loads_keras_when_named():
    code = "import sys\nfrom kgen import layers\nlayers.Maxout\n"
    code += "print('tensorflow.python' in sys.modules, 'Maxout' in layers.__all__, 'Maxout' in dir(layers))"
    assert run(code) == ["True", "True", "True"]
