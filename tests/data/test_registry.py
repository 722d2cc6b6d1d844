"""The functions of kgen.data, which is no file but the folder itself: names, splits and classes of datasets."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kgen import data
from kgen.errors import UsageError


def test_the_folder_is_the_registry():
    files = {path.stem for path in (Path(data.__file__).parent / "datasets").glob("*.py")} - {"__init__"}
    assert set(data.names()) == files
    assert files >= {"mnist", "mnist5k", "cifar10", "celeba", "lines", "ring", "folder"}


def test_loading_does_not_import_tensorflow():
    code = (
        "import sys; from kgen import data; data.load('mnist5k'); data.load('ring'); print('tensorflow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_a_slice_is_a_part_of_the_split():
    whole = data.load("ring", "test")
    part = data.load("ring", "test[500:700]")
    np.testing.assert_array_equal(part.images, whole.images[500:700])
    np.testing.assert_array_equal(part.labels, whole.labels[500:700])
    np.testing.assert_array_equal(data.load("ring", "test[-3:]").images, whole.images[-3:])
    np.testing.assert_array_equal(data.load("ring", "test[:3]").images, whole.images[:3])


def test_classes_are_renumbered_in_the_order_asked():
    whole = data.load("mnist5k")
    chosen = data.load("mnist5k", classes=("7", "2"))
    assert chosen.classes == ("7", "2")
    np.testing.assert_array_equal(chosen.images[chosen.labels == 0], whole.images[whole.labels == 7])
    np.testing.assert_array_equal(chosen.images[chosen.labels == 1], whole.images[whole.labels == 2])
    assert len(chosen.images) == 900


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "mnits"}, "Did you mean 'mnist'"),
        ({"dataset": "../ring"}, "There is no dataset"),
        ({"dataset": "ring:x"}, "takes nothing after a colon"),
        ({"dataset": "ring", "split": "valid"}, "has: train, test"),
        ({"dataset": "ring", "split": "train["}, "cannot be read"),
        ({"dataset": "ring", "split": "train[:20000]"}, "reaches beyond the 10000 images"),
        ({"dataset": "ring", "split": f"train[:{'9' * 5000}]"}, "cannot be read"),
        ({"dataset": "ring", "classes": ("9" * 5000,)}, "There is no class '999"),
        ({"dataset": "ring", "split": "train[5:5]"}, "No image is left"),
        ({"dataset": "ring", "classes": ("8",)}, "There is no class '8'"),
        ({"dataset": "ring", "classes": ("1", "1")}, "chosen once"),
        ({"dataset": "lines", "split": "test", "classes": ("1",)}, "no classes to choose"),
        ({"dataset": "ring", "crop": "middle"}, "'center' or 'squash'"),
        ({"dataset": "ring", "size": 0}, "1 to 4096"),
        ({"dataset": "ring", "data_dir": __file__}, "is a file"),
    ],
)
def test_a_mistake_is_named(arguments, message):
    with pytest.raises(UsageError, match=message.replace("[", r"\[")):
        data.load(**arguments)
