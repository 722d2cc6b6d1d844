"""How many weights the rivals' networks have, beside kgen's, and whether their steps train."""

import numpy as np

from kgen.core import recipe as recipes
from kgen.data import Images


def game(model, shape, **changes):
    """Returns the game of a recipe for black images of `shape`."""
    return recipes.changed(recipes.find(model), changes).game(Images(np.zeros((4, *shape), np.uint8), None, ()))


def size(network):
    """Returns how many weights a network trains, of Keras or PyTorch."""
    weights = network.parameters() if hasattr(network, "parameters") else network.trainable_variables
    return sum(int(np.prod(weight.shape)) for weight in weights)


DCGANS = {
    28: (dict(size=28, channels=1, width=32, kernel=5), ("dcgan", (28, 28, 1), {})),
    64: (dict(size=64, channels=3, width=64, kernel=4), ("dcgan", (64, 64, 3), {"width": 64, "kernel_size": 4})),
}
