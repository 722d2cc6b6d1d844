"""Measures generated images: kgen evaluate --run latest --metrics parzen,mmd"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from kgen.cli import parsing
from kgen.core.recipe import Recipe
from kgen.runs import directory


@dataclass(frozen=True)
class Options:
    """Measures runs, exports and folders of images against real images, and prints one table."""

    run: tuple[str, ...] = ()  # Run directories, or latest; their newest checkpoints, averaged weights if kept.
    saved_model: tuple[Path, ...] = ()  # Exports, saved_models/<name>/<version>.
    images: tuple[Path, ...] = ()  # Folders of generated pictures, of the real images' size.
    # Separated by commas: parzen, mmd, fid, fid-per-class, kid, pr, is, is-biased, classes, path-length, memorization,
    # classification-accuracy-score, lines, log-likelihood, ais-log-likelihood, mig, swd, and those of student reports,
    # parzen-report003, mmd-report004, is-report004.
    metrics: str = "parzen,mmd"
    count: int = 10_000  # Images to draw from each model.
    seed: int = 0  # Seed of the generated images.
    seeds: int = 1  # How many seeds; 2 or more give means over them, with deviation and variance.
    classifier: Path | None = None  # Run directory of a classifier whose features fid, kid, pr and is use.
    inception: Path | None = None  # Weights of the 2015 Inception, .npz, whose features they use: standard FID, KID.
    devices: int = 1  # GPUs that draw images and look at them, each at others; without a GPU, parts of the CPU.
    reference: str = "test"  # Split of real images to compare with, such as test, train, train[:10000].
    dataset: str | None = None  # Dataset of the real images; that of the first run or export if not given.
    data_dir: Path | None = None  # Folder of the official archives; that of the run if not given.
    image_size: int | str | None = None  # Pixels, 64 or 64x96 (height x width); that of the run if not given.
    calibration: bool = True  # Whether to print the Parzen scores of real training images and of k-means too.
    cache_dir: Path | None = None  # Keeps features of real images; KGEN_CACHE_DIR or ~/.cache/kgen if not given.
    runs_dir: Path = Path("runs")  # Where to look for the latest run.
    trust: bool = False  # Load exports even if they may touch files or the network: a SavedModel is a program.


def main(arguments: list[str]) -> int:
    """Runs the command with the arguments behind its name, and returns the exit code, 0."""
    options = parsing.parse(Options, arguments)
    names = [name.strip() for name in options.metrics.split(",") if name.strip()]
    found = [directory.find(name, options.runs_dir) for name in options.run]
    first = [*found, *options.saved_model]
    parsing.demand(first or options.images, "Give --run, --saved-model or --images.")
    parsing.demand(first or options.dataset, "--images needs --dataset, whose real images to compare with.")
    parsing.demand(options.count >= 1 and options.seeds >= 1, "--count and --seeds must be at least 1.")
    parsing.demand(options.devices >= 1, f"--devices must be at least 1, not {options.devices}.")
    parsing.demand(0 <= options.seed < 2**31, f"--seed must be from 0 to 2147483647, not {options.seed}.")
    parsing.demand(not (options.classifier and options.inception), "Give either --classifier or --inception.")
    recipe = directory.read_recipe(first[0]) if first else Recipe()
    given = {name: getattr(options, name) for name in ("dataset", "data_dir", "image_size")}
    recipe = dataclasses.replace(recipe, **{name: value for name, value in given.items() if value is not None})
    from kgen.metrics import measurement
    from kgen.studies import evaluation

    rows, calibration = evaluation.compared(options, names, found, recipe, lambda words: print(words, file=sys.stderr))
    print(measurement.table(rows))
    if calibration:
        print("Real images and k-means under the same window: above these the log-likelihood says nothing.\n")
        print(measurement.table(calibration))
    return 0
