"""An autoencoder of which everything is known, and images for it."""

import numpy as np

from kgen.data import Images


def spots(count, size=8, seed=0, labelled=True):
    """Returns `Images` of a bright spot in one of three places, of any brightness."""
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=count)
    pixels = random.integers(0, 40, (count, size, size, 1))
    for image, label in zip(pixels, labels, strict=True):
        image[2 * label : 2 * label + 3, 3:6] += random.integers(120, 200)
    return Images(np.uint8(pixels), labels if labelled else None, ("a", "b", "c") if labelled else ())


class Linear:
    """The linear autoencoder that is best on some images, by NumPy's SVD."""

    def __init__(self, pixels, size):
        self.shape, rows = pixels.shape[1:], pixels.reshape(len(pixels), -1) / 255.0
        self.mean = rows.mean(axis=0)
        self.directions = np.linalg.svd(rows - self.mean, full_matrices=False)[2][:size]

    def encode(self, pixels):
        assert pixels.dtype == np.uint8
        return np.float32((pixels.reshape(len(pixels), -1) / 255.0 - self.mean) @ self.directions.T)

    def decode(self, codes):
        assert codes.dtype == np.float32
        return np.float32(np.clip(codes @ self.directions + self.mean, 0, 1)).reshape(-1, *self.shape)
