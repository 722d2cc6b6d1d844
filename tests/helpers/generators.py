"""A generator of which everything is known, with the methods of `kgen.inference.generator.TrainedGenerator`."""

import numpy as np

from kgen.errors import UsageError


class Pixels:
    """Makes 2x2 grey images whose pixels are the latent, clipped; remembers what it was asked for.

    Args:
        z0: the first latent of every seed, 4 numbers.
        z1: the second.
        classes: names.
    """

    def __init__(self, z0=(2.0, 0.0, 0.5, 0.25), z1=(0.0, 1.0, 0.5, 0.75), classes=()):
        self.ends, self.classes, self.asked = np.float32([z0, z1]), classes, []

    def latents(self, seed, count, label=None):
        assert count == 2
        self.asked.append(("latents", seed, label))
        return self.ends

    def decode(self, latent, label=None):
        assert latent.dtype == np.float32
        self.asked.append(("decode", len(latent), label))
        return np.clip(latent, 0, 1).reshape(-1, 2, 2, 1)

    def index(self, name):
        if name not in self.classes:
            raise UsageError(f"no {name}")
        return self.classes.index(name)


class Sums:
    """Makes one grey pixel, the sum of a latent of 3 numbers; with classes, of the latent and the class.

    Args:
        classes: names.
    """

    def __init__(self, classes=()):
        self.classes = classes

    def latents(self, seed, count, label=None):
        return np.random.default_rng(seed).standard_normal((count, 3), np.float32)

    def decode(self, codes, label=None):
        labels = np.arange(len(codes)) * len(self.classes) // len(codes) if label is None else label
        return np.clip(codes.sum(axis=1) + labels / 10, 0, 1)[:, None, None, None]
