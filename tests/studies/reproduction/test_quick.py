"""Commands of a quick budget, and the pictures that stand for data that would be downloaded."""

from pathlib import Path

import numpy as np

from kgen import data
from kgen.studies.reproduction import quick
from kgen.studies.reproduction.table import Command


def test_a_command_gets_other_data_and_the_flags_of_a_quick_budget_last():
    words = quick.shortened(Command("train --model gan --dataset mnist --steps 9", "--steps 2"), Path("r")).words
    assert words[:5] == ["train", "--model", "gan", "--dataset", "mnist5k"]
    steps = [words[i + 1] for i, word in enumerate(words) if word == "--steps"]
    assert steps == ["9", "4", "2"]  # the last one counts
    for name in ("cifar10", "celeba"):
        assert f"folder:r/{quick.PICTURES}" in quick.shortened(Command(f"train --dataset {name}"), Path("r")).words


def test_what_inception_would_measure_is_left_out():
    words = quick.shortened(Command("evaluate --metrics fid --inception {inception} --count 9"), Path("r")).words
    assert "--inception" not in words and words[-6:] != words[:6]
    metrics = [words[i + 1] for i, word in enumerate(words) if word == "--metrics"]
    assert metrics == ["fid", "mmd"] and "9" in words


def test_the_pictures_are_of_ten_classes_that_differ(tmp_path):
    quick.write_pictures(tmp_path)
    folder = f"folder:{tmp_path / quick.PICTURES}"
    train, test = (data.load(folder, split) for split in ("train", "test"))
    assert train.classes == quick.CLASSES and train.images.shape[3] == 3
    assert np.bincount(train.labels).tolist() == [quick.COUNTS["train"]] * 10
    assert np.bincount(test.labels).tolist() == [quick.COUNTS["test"]] * 10
    means = np.stack([train.images[train.labels == label].mean(axis=(0, 3)) for label in range(10)])
    assert min(np.abs(means[i] - means[j]).mean() for i in range(10) for j in range(i)) > 10
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    quick.write_pictures(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.png")} == before
