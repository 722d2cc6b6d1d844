"""Real images to compare with, generated images in a folder, and Parzen scores of real images for calibration."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgen import data
from kgen.data import Images
from kgen.data.datasets import folder as folders
from kgen.errors import UsageError
from kgen.images.files import decode, parallel
from kgen.images.order import order_by_content
from kgen.metrics.evaluator import all_metrics
from kgen.metrics.evidence import Evidence, Real
from kgen.metrics.features import digest, in_order
from kgen.metrics.parzen import MOST_VALIDATION
from kgen.metrics.parzen import measure as parzen_log_likelihood

if TYPE_CHECKING:
    from kgen.metrics.features import Cache
    from kgen.metrics.measurement import Measurement

CALIBRATION, ITERATIONS = 10_000, 10  # images or centres; iterations of k-means


def real(load: Callable, dataset: str, split: str, metrics: list[str], trained_on: Callable) -> Real:
    """Returns the `Real` images of a split.

    Args:
        load: function from a split to `kgen.data.Images`.
        dataset: name of the dataset.
        split: of the images to compare with.
        metrics: names of the metrics. Only parzen needs validation images, see `validation_images`.
        trained_on: function to the training images, `kgen.data.Images`; called if a metric needs them.
    """
    found, about = load(split), {"dataset": dataset.partition(":")[0], "reference": split}
    validation = validation_images(load, dataset) if "parzen" in metrics else None
    training = trained_on() if wants_training(metrics) else None
    return Real(found.images, validation, about, training, found.labels, found.classes)


def wants_training(metrics: list[str]) -> bool:
    """Returns whether one of the metrics needs the training images."""
    return any(all_metrics()[name].of_training for name in metrics)


def of_held_out(held: Images, dataset: str, split: str, metrics: list[str], seen: Images | None = None) -> Real:
    """Returns the `Real` images among a run's held-out images. Parzen uses half of these to choose sigma.

    Args: as in `real`; `split` is the split that they were held out of, `seen` the training images if known.
    """
    images = np.asarray(held.images)
    about = {"dataset": dataset.partition(":")[0], "reference": f"{len(images)} held out of {split}"}
    if "parzen" not in metrics:
        return Real(images, None, about, seen, held.labels, held.classes)
    order, half = order_by_content(images, "parzen"), len(images) // 2
    labels = None if held.labels is None else np.asarray(held.labels)[order[half:]]
    return Real(images[order[half:]], images[order[:half]], about, seen, labels, held.classes)


def validation_images(load: Callable, dataset: str) -> np.ndarray:
    """Returns the images `(n, ...)` to choose sigma by: those of the dataset's protocol, or a tenth of `train`."""
    named = data.parzen_splits(dataset)
    return load(named[1]).images if named else _divided(load("train").images)[1]


def calibration_images(load: Callable, dataset: str) -> np.ndarray:
    """Returns training images `(n, ...)` that are not among `validation_images`."""
    named = data.parzen_splits(dataset)
    return load(named[0]).images if named else _divided(load("train").images)[0]


def _divided(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns most images, and a tenth of them, at most `MOST_VALIDATION`. The choice depends on their contents."""
    images, count = images[order_by_content(images, "parzen")], min(MOST_VALIDATION, len(images) // 10)
    return images[count:], images[:count]


class Drawn:
    """Images that were drawn before. It stands for a generator that gives them for any seed and count.

    Args:
        images: `(n, height, width, channels)`, uint8, or float32 in [0, 1].
    """

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def stream(self, seed: int, count: int) -> Iterator[tuple[np.ndarray, None]]:
        """Yields all images in parts, float32 `(n, ...)` in [0, 1], and None; `seed` and `count` change nothing."""
        for part in in_order(self.images, np.arange(len(self.images))):
            yield (unit(part) if part.dtype == np.uint8 else part), None


def folder(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the pictures below a folder in the order of their names, uint8 `(n, *shape)`.

    Raises:
        UsageError: there is no picture, or one cannot be read or has another size. Nothing is resized, since a resize
            changes FID and similar metrics.
    """
    root = Path(os.path.expanduser(path))
    if not root.is_dir():
        raise UsageError(f"--images {path}: there is no such folder.")
    paths = folders.pictures(root)
    if not paths:
        raise UsageError(f"--images {path}: there is no picture in it.")
    found = parallel(lambda path: _exact(path, shape), paths, len(paths), "reading images")
    wrong = [(path, reason) for path, reason in zip(paths, found, strict=True) if isinstance(reason, str)]
    if wrong:
        raise UsageError(f"{len(wrong)} of {len(paths)} pictures cannot be measured. {wrong[0][0]}: {wrong[0][1]}.")
    return np.stack(found)


def _exact(path: Path, shape: tuple[int, ...]) -> np.ndarray | str:
    """Returns a picture as uint8 of `shape`, or the reason why it is not possible."""
    try:
        return decode(path, then=lambda image: _of_shape(np.atleast_3d(np.asarray(image)), shape))
    except (OSError, ValueError, RuntimeError) as error:
        return str(error)


def _of_shape(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | str:
    """Returns pixels, uint8 `(height, width, 1 or 3)`, as `shape`, or the words that they have another size."""
    if shape[2] == 1 and pixels.shape[2] == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    if shape[2] == 3 and pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    wanted, its = ("x".join(map(str, size)) for size in (shape, pixels.shape))
    return pixels if pixels.shape == tuple(shape) else f"{its}, where {wanted} is compared with"


def calibration(real: Real, train: np.ndarray, cache: "Cache") -> "dict[str, list[Measurement]]":
    """Returns Parzen scores of real training images and of their k-means centres, as if a model had drawn them.

    A model's score above these rows says nothing: k-means centres score above real images, but are no new images.

    Args:
        real: `Real` with validation images.
        train: uint8 images that are neither test nor validation images of `real`.
        cache: `kgen.metrics.features.Cache`, since computing centres takes minutes.

    Returns:
        `{name of the row: [Measurement]}`.

    Source: Theis et al. 2016, arXiv:1511.01844, section 3.3 and table 1.
    """
    shuffled = train[np.random.default_rng(0).permutation(len(train))]
    count = min(len(train), CALIBRATION)
    sets = {f"{part:,} training images": lambda part=part: unit(shuffled[:part]) for part in (count, count // 10)}
    clusters = max(2, count // 5 if count < CALIBRATION else CALIBRATION)
    sets[f"k-means, {clusters:,} centres"] = lambda: centres(train, clusters, cache)
    rows = {}
    for name, make in sets.items():
        images = make()
        found = parzen_log_likelihood(Evidence(real, Drawn(images), None, None, len(images), 0, cache))
        rows[name] = [_without_count(measurement) for measurement in found]
    return rows


def _without_count(measurement: "Measurement") -> "Measurement":
    protocol = {name: value for name, value in measurement.protocol.items() if name not in ("generated", "seed")}
    return dataclasses.replace(measurement, protocol=protocol)


def centres(train: np.ndarray, count: int, cache: "Cache") -> np.ndarray:
    """Returns k-means centres of uint8 images, float32 `(count, height, width, channels)` in [0, 1]."""

    def compute() -> dict[str, np.ndarray]:
        from sklearn.cluster import KMeans  # installed with mlxtend

        rows = unit(train).reshape(len(train), -1)
        found = KMeans(count, init="random", n_init=1, max_iter=ITERATIONS, random_state=0).fit(rows)
        return {"centres": np.clip(found.cluster_centers_, 0, 1)}

    found = cache.of(["k-means", ITERATIONS, count, digest(train)], compute)["centres"]
    return found.reshape(-1, *train.shape[1:])


def unit(images: np.ndarray) -> np.ndarray:
    """Returns uint8 images `(n, ...)` as float32 in [0, 1]."""
    return np.asarray(images) / np.float32(255)
