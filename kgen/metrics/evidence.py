"""What metrics are computed from: real and generated images, their features, an autoencoder. Each is made only once."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kgen.errors import UsageError
from kgen.images import to_bytes
from kgen.images.order import content, order_by_content, order_of_contents
from kgen.metrics import fid
from kgen.metrics.features import Seen, digest, in_order, joined, looks
from kgen.metrics.protocols import DrawsImages, DrawsLatents, Encodes

if TYPE_CHECKING:
    from kgen.data import Images
    from kgen.images.stored import StoredImages
    from kgen.metrics.features import Cache, Network
    from kgen.metrics.fid import Statistics
    from kgen.metrics.measurement import Metric


@dataclass(frozen=True)
class Real:
    """Real images to compare with.

    Args:
        images: uint8, `(n, height, width, channels)`, in memory or in a file.
        validation: other real images that are neither in `images` nor trained on; None if no metric needs them.
        about: what a measurement's protocol says about the images, JSON: dataset, splits, size.
        training: the `kgen.data.Images` that the model was trained on; None if no metric needs them.
        labels: of `images`, integers `(n,)`; None if they have no classes.
        classes: names of the classes, in the order of the labels.
    """

    images: "np.ndarray | StoredImages"
    validation: np.ndarray | None
    about: dict
    training: "Images | None" = None
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()

    @functools.cached_property
    def order(self) -> np.ndarray:
        """The order in which `images` are looked at, that of `order_by_content`: int64 `(n,)`."""
        return order_by_content(self.images, "real")

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of `images` in that order."""
        return digest(self.images, self.order)


class Evidence:
    """What metrics are computed from. Each part is made when it is first asked for, and only once.

    Generated images come as a stream. They, and their features, are kept only if a metric needs them.

    Args:
        real: `Real`.
        generator: `DrawsImages`, such as a `TrainedGenerator`; None if the model has none.
        autoencoder: such as a `TrainedAutoencoder`; None if the model has no encoder and decoder.
        network: `kgen.metrics.features.Network`, or None.
        count, seed: number and seed of the images to draw.
        cache: `kgen.metrics.features.Cache`.
        progress: whether progress bars are shown.
        metrics: the metrics that will ask; without them all is kept.
    """

    def __init__(
        self,
        real: Real,
        generator: DrawsImages | None,
        autoencoder: Encodes | None,
        network: "Network | None",
        count: int,
        seed: int,
        cache: "Cache",
        progress: bool = False,
        metrics: "tuple[Metric, ...]" = (),
    ) -> None:
        self.real, self.count, self.seed, self.cache = real, count, seed, cache
        self._generator, self._autoencoder = generator, autoencoder
        self.network, self._progress = network, progress
        self._keeps_images = not all(each.of_features for each in metrics) or not metrics
        self._keeps_features = not all(each.of_moments for each in metrics if each.of_features) or not metrics

    @functools.cached_property
    def fake(self) -> np.ndarray:
        """Generated images, float32 `(n, ...)` in [0, 1], shuffled by `order_by_content`."""
        images = np.concatenate(list(self._drawn()))
        self._order = order_by_content(images, "generated")
        return images[self._order]

    @functools.cached_property
    def generated(self) -> int:
        """The number of generated images."""
        if self._keeps_images:
            return len(self.fake)
        return len(self.fake_seen.features) if self._keeps_features else self.fake_statistics.count

    def _drawn(self) -> Iterator[np.ndarray]:
        """Yields generated images in parts, float32 `(n, ...)`, in the order in which they are drawn."""
        if self._generator is None:
            raise UsageError("This model draws no images of noise: of the metrics only lines can be asked of it.")
        drawn = self._generator.stream(self.seed, self.count)
        return (self._checked(np.asarray(part, np.float32)) for part, _ in drawn)

    def _checked(self, images: np.ndarray) -> np.ndarray:
        """Returns generated images `(n, ...)`; raises UsageError if they cannot be compared."""
        if images.shape[1:] != self.real.images.shape[1:]:
            its, ours = ("x".join(map(str, shape[1:])) for shape in (images.shape, self.real.images.shape))
            raise UsageError(f"The images are {its}, those to compare with {ours}: both must be of one size.")
        if not np.isfinite(images).all():
            raise UsageError("The generated images are not finite numbers: the model has diverged.")
        if not 0 <= images.min() <= images.max() <= 1:
            raise UsageError(f"Images must be in [0, 1], these are from {images.min():g} to {images.max():g}.")
        return images

    @functools.cached_property
    def real_images(self) -> np.ndarray:
        """The real images, uint8 `(n, ...)`, shuffled by `order_by_content`."""
        return self.real.images[self.real.order]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of a class-conditional generator's classes; raises UsageError unless they are the real images' too."""
        found = getattr(self._generator, "classes", ())
        if not found:
            raise UsageError("This metric is of generators that are told the class of an image, such as acgan.")
        if set(found) != set(self.real.classes):
            theirs = ", ".join(self.real.classes) or "none"
            raise UsageError(f"The generator's classes are {', '.join(found)}, those of the real images {theirs}.")
        return found

    def numbered(self, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
        """Returns labels `(n,)` of the classes `names` as indices of `classes`, which may be in another order."""
        return np.array([self.classes.index(name) for name in names])[labels]

    @property
    def fake_labels(self) -> np.ndarray:
        """Indices in `classes` of the images of `fake_seen`, integers `(n,)`; ask for `classes` first."""
        return self._generator.labels(len(self.fake_seen.features))[self._order]

    @property
    def real_labels(self) -> np.ndarray:
        """Indices in `classes` of the images `real_images`, integers `(n,)`."""
        return self.numbered(self.real.labels, self.real.classes)[self.real.order]

    @functools.cached_property
    def real_unit(self) -> np.ndarray:
        """The images `real_images` as float32 `(n, ...)` in [0, 1]."""
        return self.real_images / np.float32(255)

    @property
    def generator(self) -> DrawsLatents:
        """The trained generator; raises UsageError if there is none, or only its images."""
        if not hasattr(self._generator, "latents"):
            raise UsageError("This metric is of models that draw images of noise: give a run or an export of one.")
        return self._generator

    @property
    def training(self) -> "Images":
        """The training images; raises UsageError if they are not known."""
        if self.real.training is None:
            raise UsageError("This metric needs the training images: ask kgen evaluate, or --evaluate in training.")
        return self.real.training

    @property
    def autoencoder(self) -> Encodes:
        """The trained autoencoder; raises UsageError if there is none."""
        if self._autoencoder is None:
            raise UsageError("This metric is of models with an encoder and a decoder, such as vae or acai.")
        return self._autoencoder

    @functools.cached_property
    def fake_seen(self) -> Seen:
        """Features and logits of the generated images."""
        if self._keeps_images:
            return joined(self._looked([self.fake]))
        found: list[bytes] = []

        def noted(images: np.ndarray) -> np.ndarray:
            found.extend(map(content, images))
            return images

        seen = joined(self._looked(map(noted, self._drawn())))
        self._order = order_of_contents(found, "generated")
        return Seen(*(None if array is None else array[self._order] for array in seen))

    @functools.cached_property
    def fake_statistics(self) -> "Statistics":
        """Mean and covariance of the features of the generated images."""
        if self._keeps_features:
            return fid.statistics(self.fake_seen.features)
        images = [self.fake] if self._keeps_images else self._drawn()
        return fid.statistics_of_parts(seen.features for seen in self._looked(images))

    def _looked(self, parts: Iterable[np.ndarray]) -> Iterator[Seen]:
        """Yields features and logits of generated images, which come in parts `(n, ...)`."""
        small = (piece for part in parts for piece in in_order(part, np.arange(len(part))))
        return looks(self.network, map(to_bytes, small), self.count, "generated images" if self._progress else "")

    @functools.cached_property
    def real_seen(self) -> Seen:
        """Features and logits of the real images."""

        def look() -> dict[str, np.ndarray]:
            seen = joined(self._real_looked())
            return {name: array for name, array in seen._asdict().items() if array is not None}

        return Seen(**{"logits": None, **self.cache.of(["seen", *self._key], look)})

    @functools.cached_property
    def real_statistics(self) -> "Statistics":
        """Mean and covariance of the features of the real images."""

        def compute() -> dict[str, np.ndarray]:
            parts = (seen.features for seen in self._real_looked())
            found = fid.statistics(self.real_seen.features) if self._keeps_features else fid.statistics_of_parts(parts)
            return {"mean": found.mean, "covariance": found.covariance}

        arrays = self.cache.of(["statistics", *self._key], compute)
        return fid.Statistics(arrays["mean"], arrays["covariance"], len(self.real.images))

    def _real_looked(self) -> Iterator[Seen]:
        """Yields features and logits of the real images, in the order of `real_images`."""
        images, order = self.real.images, self.real.order
        return looks(self.network, in_order(images, order), len(order), "real images" if self._progress else "")

    @functools.cached_property
    def _key(self) -> list[str]:
        about = [self.network.about.get(name) for name in ("network", "weights_sha256", "resize")]
        return [self.real.digest, *map(str, about), str(self.network.depends)]

    def protocol(self, **more: Any) -> dict[str, int | str]:
        """Returns the protocol of a measurement on pixels."""
        counts = {"real": len(self.real.images), "generated": self.generated}
        return {**self.real.about, **counts, "seed": self.seed, **more}

    def protocol_of_features(self, **more: Any) -> dict[str, int | str]:
        """Returns the protocol of a measurement on features."""
        return self.protocol(**self.network.about, **more)

    def named(self, inception: str, other: str) -> str:
        """Returns the label of a metric: `inception` for Inception's features, `other` and the network for others."""
        return f"{other} on {self.network.name} features" if self.network.name else inception
