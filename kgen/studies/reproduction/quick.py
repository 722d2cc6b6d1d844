"""A quick budget: each command for seconds, on data that needs no download.

MNIST becomes `mnist5k`. CIFAR-10 and CelebA become small pictures of patterns, in folders with CIFAR-10's classes. What
the 2015 Inception would measure is left out: mmd is measured in its place.
"""

import shlex
from pathlib import Path

import numpy as np

from kgen import images
from kgen.data.datasets.cifar10 import CLASSES
from kgen.studies.reproduction.table import Command

PICTURES = "quick/pictures"  # below the folder of all runs
SIZE = 32
COUNTS = {"train": 24, "test": 24}  # of each class
SHORT = {
    "train": "--steps 4 --batch-size 8 --log-every 2 --sample-every 4 --checkpoint-every 4 --steps-per-execution 1 "
    "--precision float32 --split train[:200]",
    "evaluate": "--count 40 --cache-dir {folder}/cache --no-calibration",
    "latent": "--count 60",
    "finetune": "--steps 4 --batch-size 8 --folds 2 --depths 0 --log-every 2 --sample-every 4 --checkpoint-every 4",
    "hybrids": "--count 4 --sequences 1 --frames 3",
    "robustness": "--split test[:40]",
}  # what is not given twice below


def shortened(command: Command, runs_dir: Path) -> Command:
    """Returns a command with the flags of a quick budget behind its own, the last of a flag being what counts."""
    words = _without_inception(command.words)
    folder = Path(runs_dir) / PICTURES
    sets = {"mnist": "mnist5k", "cifar10": f"folder:{folder}", "celeba": f"folder:{folder}"}
    words = [
        sets.get(word, word) if before == "--dataset" else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    return Command(shlex.join([*words, *shlex.split(SHORT.get(command.name, "")), *shlex.split(command.quick)]))


def _without_inception(words: list[str]) -> list[str]:
    """Returns the words of a command; one that asks for the 2015 Inception measures mmd without it."""
    if "--inception" not in words:
        return words
    start = words.index("--inception")
    return [*words[:start], *words[start + 2 :], "--metrics", "mmd"]


def write_pictures(runs_dir: Path) -> None:
    """Writes the pictures that stand for CIFAR-10 and CelebA, unless they are there: a grating for each class."""
    root = Path(runs_dir) / PICTURES
    random = np.random.default_rng(0)
    across, down = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    for split, count in COUNTS.items():
        for number, name in enumerate(CLASSES):
            folder = root / split / name
            if folder.is_dir():
                continue
            aside = root / split / f".{name}"
            aside.mkdir(parents=True, exist_ok=True)
            angle = np.pi * number / len(CLASSES)
            wave = np.sin((across * np.cos(angle) + down * np.sin(angle)) / 3)
            for index in range(count):
                colours = random.uniform(20, 60, 3)
                noisy = 128 + wave[..., None] * colours + random.normal(0, 10, (SIZE, SIZE, 3))
                images.save_png(aside / f"{index:02d}.png", np.uint8(np.clip(noisy, 0, 255)))
            aside.rename(folder)
