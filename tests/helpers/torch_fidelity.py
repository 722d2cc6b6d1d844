"""Features that numpy draws, and what torch-fidelity 0.4.0 makes of them: FID, KID, precision and recall, IS."""

import numpy as np

FID = 10.784479327027622
KID = 0.22519654201136605, 0.010348347995335341  # 20 subsets of 500, seed 2020
PRECISION, RECALL = 0.1926666647195816, 0.10000000149011612  # k 3; x real, y generated
SCORE = 3.839393495226991, 0.16322722098037867  # 10 splits, shuffled with seed 2020


def drawn():
    """Returns features x `(1200, 24)` and y `(1500, 24)`, and logits `(1200, 10)`."""
    random = np.random.default_rng(7)
    x = random.normal(size=(1200, 24)) @ random.normal(size=(24, 24)) / 5
    y = 0.9 * random.normal(size=(1500, 24)) @ random.normal(size=(24, 24)) / 5 + 0.1
    return x, y, random.normal(size=(1200, 10)) * 3
