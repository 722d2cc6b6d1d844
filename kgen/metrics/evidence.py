"""What metrics are computed from: real and generated images, their features, an autoencoder. Each is made only once."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kgen.errors import UsageError
from kgen.images import to_bytes
from kgen.images.order import order_by_content
from kgen.metrics import fid
from kgen.metrics.features import Seen, digest, see

if TYPE_CHECKING:
    from kgen.metrics.features import Cache, Network
    from kgen.metrics.fid import Statistics


class DrawsImages(Protocol):
    """The method of a generator that metrics call; a `TrainedGenerator` has it."""

    def draw(self, seed: int, count: int) -> np.ndarray:
        """Returns images float32 `(count, height, width, channels)` in [0, 1]."""


class Encodes(Protocol):
    """The methods of an autoencoder that metrics call; a `TrainedAutoencoder` has them."""

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes `(n, size)` of uint8 images `(n, height, width, channels)`."""

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """Returns the images of codes, float32 `(n, height, width, channels)` in [0, 1]."""


@dataclass(frozen=True)
class Real:
    """Real images to compare with.

    Args:
        images: uint8, `(n, height, width, channels)`.
        validation: other real images that are neither in `images` nor trained on; None if no metric needs them.
        about: what a measurement's protocol says about the images, JSON: dataset, splits, size.
        training: images to choose sigma by as student report 003 did, `parzen-report003`; None without that metric.
    """

    images: np.ndarray
    validation: np.ndarray | None
    about: dict
    training: np.ndarray | None = None


class Evidence:
    """What metrics are computed from. Each part is made when it is first asked for, and only once.

    Args:
        real: `Real`.
        generator: has `draw(seed, count)`, float32 images in [0, 1], such as a `TrainedGenerator`; None if the model
            has none.
        autoencoder: such as a `TrainedAutoencoder`; None if the model has no encoder and decoder.
        network: `kgen.metrics.features.Network`, or None.
        count, seed: number and seed of the images to draw.
        cache: `kgen.metrics.features.Cache`.
        progress: whether progress bars are shown.
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
    ) -> None:
        self.real, self.count, self.seed, self.cache = real, count, seed, cache
        self._generator, self._autoencoder = generator, autoencoder
        self.network, self._progress = network, progress

    @functools.cached_property
    def fake(self) -> np.ndarray:
        """Generated images, float32 `(n, ...)` in [0, 1], shuffled by `order_by_content`."""
        if self._generator is None:
            raise UsageError("This model draws no images of noise: of the metrics only lines can be asked of it.")
        images = np.asarray(self._generator.draw(self.seed, self.count), np.float32)
        if images.shape[1:] != self.real.images.shape[1:]:
            its, ours = ("x".join(map(str, shape[1:])) for shape in (images.shape, self.real.images.shape))
            raise UsageError(f"The images are {its}, those to compare with {ours}: both must be of one size.")
        if not np.isfinite(images).all():
            raise UsageError("The generated images are not finite numbers: the model has diverged.")
        if not 0 <= images.min() <= images.max() <= 1:
            raise UsageError(f"Images must be in [0, 1], these are from {images.min():g} to {images.max():g}.")
        return images[order_by_content(images, "generated")]

    @functools.cached_property
    def real_images(self) -> np.ndarray:
        """The real images, uint8 `(n, ...)`, shuffled by `order_by_content`."""
        return self.real.images[order_by_content(self.real.images, "real")]

    @functools.cached_property
    def real_unit(self) -> np.ndarray:
        """The images `real_images` as float32 `(n, ...)` in [0, 1]."""
        return self.real_images / np.float32(255)

    @property
    def autoencoder(self) -> Encodes:
        """The trained autoencoder; raises UsageError if there is none."""
        if self._autoencoder is None:
            raise UsageError("This metric is of models with an encoder and a decoder, such as vae or acai.")
        return self._autoencoder

    @functools.cached_property
    def fake_seen(self) -> Seen:
        """Features and logits of the generated images."""
        return see(self.network, to_bytes(self.fake), "generated images" if self._progress else "")

    @functools.cached_property
    def real_seen(self) -> Seen:
        """Features and logits of the real images."""

        def look() -> dict[str, np.ndarray]:
            seen = see(self.network, self.real_images, "real images" if self._progress else "")
            return {name: array for name, array in seen._asdict().items() if array is not None}

        return Seen(**{"logits": None, **self.cache.of(["seen", *self._key], look)})

    @functools.cached_property
    def real_statistics(self) -> "Statistics":
        """Mean and covariance of the features of the real images."""

        def compute() -> dict[str, np.ndarray]:
            found = fid.statistics(self.real_seen.features)
            return {"mean": found.mean, "covariance": found.covariance}

        arrays = self.cache.of(["statistics", *self._key], compute)
        return fid.Statistics(arrays["mean"], arrays["covariance"], len(self.real.images))

    @functools.cached_property
    def _key(self) -> list[str]:
        about = self.network.about
        return [digest(self.real_images), *(str(about.get(name)) for name in ("network", "weights_sha256", "resize"))]

    def protocol(self, **more: Any) -> dict[str, int | str]:
        """Returns the protocol of a measurement on pixels."""
        return {
            **self.real.about,
            "real": len(self.real.images),
            "generated": len(self.fake),
            "seed": self.seed,
            **more,
        }

    def protocol_of_features(self, **more: Any) -> dict[str, int | str]:
        """Returns the protocol of a measurement on features."""
        return self.protocol(**self.network.about, **more)

    def named(self, inception: str, other: str) -> str:
        """Returns the label of a metric: `inception` for Inception's features, `other` and the network for others."""
        return f"{other} on {self.network.name} features" if self.network.name else inception
