"""A trained autoencoder, from a run or an export. It encodes and decodes images."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kgen.backend import Tensor, tf
from kgen.inference.generator import parts


class TrainedAutoencoder:
    """An encoder and its decoder for arrays of any number of images or codes.

    Args:
        found: `{name: signature}` with `encode`, `decode` and `reconstruct`, see `kgen.core.signatures.autoencoder`.
        keep: an object that must live as long as the signatures.
    """

    def __init__(self, found: dict[str, Callable], keep: Any = None) -> None:
        self._found, self._keep = found, keep

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(height, width, channels)` of an image."""
        return tuple(self._input("encode", "images").shape[1:])

    @property
    def size(self) -> int:
        """The number of elements of a code."""
        return self._input("decode", "latent").shape[1]

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Returns the codes of images, uint8 `(n, height, width, channels)`, as float32 `(n, size)`."""
        return self._each("encode", "images", "latent", unit(images))

    @property
    def variational(self) -> bool:
        """Whether an image's code is a distribution. `encode` then returns its mean."""
        return "log_variance" in self._found["encode"].structured_outputs

    def distributions(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and log-variances of the images' codes, float32 `(n, size)` each; it must be `variational`."""
        return self.encode(images), self._each("encode", "images", "log_variance", unit(images))

    def sampled(self, images: np.ndarray, seed: int) -> np.ndarray:
        """Returns codes drawn from the images' distributions, `mean + exp(log_variance / 2) e`.

        Without distributions it returns the codes of `encode`.

        Args:
            images: as for `encode`.
            seed: of e ~ N(0, 1), an integer from 0.
        """
        if not self.variational:
            return self.encode(images)
        means, log_variances = self.distributions(images)
        return means + np.exp(log_variances / 2) * np.random.default_rng(seed).standard_normal(means.shape, np.float32)

    def decode(self, latent: np.ndarray) -> np.ndarray:
        """Returns the decoded images of codes `(n, size)`, float32 `(n, height, width, channels)` in [0, 1]."""
        return self._each("decode", "latent", "images", latent)

    def decoded(self, latent: Tensor) -> Tensor:
        """Returns what `decode` does as a tensor that gradients pass through; of at most `requests.LIMIT` codes."""
        return self._found["decode"](latent=latent)["images"]

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Returns `decode(encode(images))`, float32 `(n, height, width, channels)` in [0, 1]."""
        return self._each("reconstruct", "images", "images", unit(images))

    def _input(self, name: str, given: str) -> "tf.TensorSpec":
        """Returns what the signature `name` takes as `given`. An export takes it by name, a run by position too."""
        by_position, by_name = self._found[name].structured_input_signature
        return {spec.name: spec for spec in (*by_position, *by_name.values())}[given]

    def _each(self, name: str, given: str, asked: str, values: np.ndarray) -> np.ndarray:
        function = self._found[name]
        values = [tf.constant(values[part], tf.float32) for part in parts(len(values))]
        return np.concatenate([function(**{given: value})[asked].numpy() for value in values])


def unit(images: np.ndarray) -> np.ndarray:
    """Returns uint8 images `(n, height, width, channels)` as float32 in [0, 1]."""
    return np.asarray(images, np.float32) / 255
