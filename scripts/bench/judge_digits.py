#!/usr/bin/env python
"""Judges generated digits by a classifier of its own: python scripts/bench/judge_digits.py --data-dir D E...

E is an export of a model trained on MNIST. The judge is a plain Keras network that shares nothing with kgen, trained
here on the 60,000 training images (its test accuracy is printed; it is kept in --classifier). For each export, 10,000
samples:

- the share of each class, as judged;
- for a class-conditional export the agreement with the requested class, of each class;
- within-class mean pairwise Euclidean distance of pixels in [0, 1], over the same of MNIST's test images: of images
  that were requested of a class, or that the judge gives to it.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from kgen import data
from kgen.inference import loading

COUNT = 10_000


def judge(path, folder):
    """Returns the classifier, trained unless `path` holds it, and its test accuracy."""
    train, test = (data.load("mnist", split, folder) for split in ("train", "test"))
    if path.exists():
        network = keras.models.load_model(path)
    else:
        keras.utils.set_random_seed(0)
        layers = keras.layers
        network = keras.Sequential([keras.Input((28, 28, 1))])
        for width in (32, 64):
            network.add(layers.Conv2D(width, 3, activation="relu"))
            network.add(layers.Conv2D(width, 3, activation="relu"))
            network.add(layers.MaxPooling2D())
        for layer in (layers.Flatten(), layers.Dropout(0.3), layers.Dense(128, "relu"), layers.Dropout(0.3)):
            network.add(layer)
        network.add(layers.Dense(10, "softmax"))
        network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        network.fit(np.float32(train.images / 255), train.labels, batch_size=128, epochs=4, verbose=2)
        network.save(path)
    right = network.predict(np.float32(test.images / 255), batch_size=500, verbose=0).argmax(1) == test.labels
    return network, right.mean(), test


def spread(images):
    """Returns the mean Euclidean distance over pairs of `images`, float `(n, ...)` in [0, 1]."""
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    squares = (flat**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * flat @ flat.T, 0))
    return distances.sum() / (len(flat) * (len(flat) - 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exports", nargs="+", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--classifier", type=Path, default=Path("judge.keras"))
    options = parser.parse_args()
    network, accuracy, test = judge(options.classifier, options.data_dir)
    print(f"judge: test accuracy {accuracy:.4f}")
    real = [spread(test.images[test.labels == c][:1000] / 255) for c in range(10)]
    for path in options.exports:
        source = loading.load(path).generator
        images = source.draw(0, COUNT)
        found = network.predict(images, batch_size=500, verbose=0).argmax(1)
        wanted = np.arange(COUNT) * 10 // COUNT if source.classes else found
        print(f"\n{path}\nclass histogram of {COUNT} samples: {np.bincount(found, minlength=10).tolist()}")
        if source.classes:
            print("agreement     ", *(f"{(found[wanted == c] == c).mean():.4f}" for c in range(10)))
        ratios = [spread(images[wanted == c][:1000]) / real[c] for c in range(10) if (wanted == c).sum() > 1]
        print("within / real ", *(f"{ratio:.3f}" for ratio in ratios))


if __name__ == "__main__":
    main()
