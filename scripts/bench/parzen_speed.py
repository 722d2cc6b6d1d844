#!/usr/bin/env python
"""kgen's Parzen log-likelihood beside scikit-learn's, on MNIST: python docs/bench/parzen_speed.py --data-dir DIR

10,000 training images as samples and 10,000 test images. kgen chooses sigma among ten on 1,000 validation images, then
scores the test images; scikit-learn's `KernelDensity` scores them under that one sigma, with each of its algorithms.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.neighbors import KernelDensity

from kgen import data
from kgen.metrics import parzen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    def load(split):
        pictures = data.load("mnist", split, data_dir=arguments.data_dir).images
        return pictures.reshape(len(pictures), -1) / np.float64(255)

    samples, test = load(f"train[:{arguments.count}]"), load(f"test[:{arguments.count}]")
    validation = load("train[50000:51000]")
    seconds = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        found = parzen.parzen(samples, validation, test)
        seconds.append(time.perf_counter() - start)
    ours = np.median(seconds)
    print(f"kgen, ten sigmas, test: {ours:.1f} s ({min(seconds):.1f} to {max(seconds):.1f}), {found.mean:.3f}")
    for algorithm in ("kd_tree", "ball_tree"):
        start = time.perf_counter()
        model = KernelDensity(bandwidth=found.sigma, algorithm=algorithm).fit(samples)
        mean = model.score_samples(test).mean()
        theirs = time.perf_counter() - start
        print(
            f"scikit-learn, {algorithm}, one sigma: {theirs:.1f} s, {mean:.3f}: {theirs / ours:.1f} times kgen's time"
        )


if __name__ == "__main__":
    main()
