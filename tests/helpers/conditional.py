"""A class-conditional generator of coloured images, real ones, and a network that looks at them."""

import numpy as np

from kgen.metrics.features import Network

CLASSES = ("red", "green", "blue")


def coloured(each, seed, classes=(0, 1, 2)):
    """Returns `(images, labels)`, class after class: uint8 `(3 each, 4, 4, 3)`, bright in the channel of the class."""
    random = np.random.default_rng(seed)
    labels = np.repeat(classes, each)
    pixels = random.integers(0, 120, (len(labels), 4, 4, 3))
    pixels[np.arange(len(labels)), :, :, labels] += 120
    return np.uint8(pixels), labels


class Conditional:
    """A generator that draws class after class.

    Args:
        turn: what is added to the class that is asked for, so that 1 confuses all classes.
        reverse: whether its classes are in the other order.
    """

    def __init__(self, turn, reverse=False):
        self.turn, self.classes, self.blank = turn, CLASSES[::-1] if reverse else CLASSES, None

    def labels(self, count):
        return np.arange(count) * 3 // count

    def stream(self, seed, count):
        yield self.draw(seed, count), self.labels(count)

    def draw(self, seed, count):
        asked = np.array([CLASSES.index(name) for name in self.classes])
        shown = (asked + self.turn) % 3
        images = np.concatenate([coloured(count // 3, 100 + seed + label, [label])[0] for label in shown])
        if self.blank is not None:
            images[self.labels(count) == self.blank] = 60
        return images / np.float32(255)


def _look(pixels):
    """Returns the mean and the deviation of each channel, `(n, 6)`, and the means as logits."""
    unit = pixels / np.float32(255)
    means, deviations = unit.mean(axis=(1, 2)), unit.std(axis=(1, 2))
    return np.concatenate([means, deviations], axis=1), means


NETWORK = Network("toy", _look, {"network": "toy", "weights_sha256": ""})
