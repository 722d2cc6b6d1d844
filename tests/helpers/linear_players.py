"""Players so small that their game can be played by hand: images are 1x2x1, networks are linear."""

import keras
import numpy as np

from kgen.core.game import Player

REAL = np.float32([[0.5, -1], [1, 0.25], [-0.5, 0.75], [0, 1], [-1, 1]]).reshape(5, 1, 2, 1)


def player(network, rate=0.5):
    return Player(network, keras.optimizers.SGD(rate))


def rows(images):
    """Returns images, or tensors of them, as float64 rows of two numbers."""
    return np.float64(images).reshape(-1, 2)


def generator(classes=0):
    """Returns z, and the class beside it where there are any -> images; `painted` does the same by hand."""
    z, label = keras.Input((2,)), keras.Input((), dtype="int32")
    x = keras.layers.Dense(2)(z)
    if classes:
        x = keras.layers.Add()([x, keras.layers.Embedding(classes, 2)(label)])
    made = keras.Model([z, label] if classes else z, keras.layers.Reshape((1, 2, 1))(x))
    return filled(made)


def judge(*outputs):
    """Returns images -> a number for each output, 1 by default; `judged` does the same by hand."""
    image = keras.Input((1, 2, 1))
    x = keras.layers.Flatten()(image)
    heads = [keras.layers.Dense(count)(x) for count in outputs or (1,)]
    return filled(keras.Model(image, heads if len(heads) > 1 else heads[0]))


def filled(network):
    """Returns a network with weights that a seed gives."""
    random = np.random.default_rng(len(network.weights))
    network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    return network


def painted(network, z, labels=None):
    """Returns the images of `generator`, by NumPy, as rows."""
    weights = dict(zip([weight.path.split("/")[0].rstrip("_0123456789") + weight.name for weight in network.weights],
                       map(np.float64, network.get_weights()), strict=True))  # fmt: skip
    made = np.float64(z) @ weights["densekernel"] + weights["densebias"]
    return made if labels is None else made + weights["embeddingembeddings"][np.asarray(labels)]


def judged(network, images, head=0):
    """Returns what a head of `judge` says of images, by NumPy, `(n, outputs)`."""
    kernel, bias = map(np.float64, network.get_weights()[2 * head : 2 * head + 2])
    return rows(images) @ kernel + bias
