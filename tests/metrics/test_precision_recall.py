"""Precision, recall, density and coverage against double loops over their definitions, and torch-fidelity."""

import numpy as np
import pytest

from kgen.metrics import precision_recall as module
from kgen.metrics.precision_recall import precision_recall
from tests.helpers import torch_fidelity


def normal(count, size, seed=0, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, size)) + shift


def looped(real, fake, k, density_k):
    def radius(rows, i, k):
        return sorted(np.linalg.norm(rows[i] - other) for j, other in enumerate(rows) if j != i)[k - 1]

    def inside(point, rows, k):
        return [np.linalg.norm(point - row) <= radius(rows, i, k) for i, row in enumerate(rows)]

    return (
        np.mean([any(inside(point, real, k)) for point in fake]),
        np.mean([any(inside(point, fake, k)) for point in real]),
        sum(sum(inside(point, real, density_k)) for point in fake) / density_k / len(fake),
        np.mean(np.any([inside(point, real, density_k) for point in fake], axis=0)),
    )


def test_against_loops():
    real, fake = normal(25, 3), normal(20, 3, 1, 0.7, 0.4)
    assert tuple(precision_recall(real, fake)) == pytest.approx(looped(real, fake, 3, 5))
    assert tuple(precision_recall(real, fake, 1, 2)) == pytest.approx(looped(real, fake, 1, 2))


def test_by_hand():
    """Balls of k 1 around 0 1 3 reach 1 1 2, around .5 10 reach 9.5 9.5: only 10 is in none of the real."""
    found = precision_recall(np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [10.0]]), 1, 1)
    assert tuple(found) == pytest.approx((1 / 2, 1, 2 / 2, 2 / 3))


def test_equals_torch_fidelity():
    x, y, _ = torch_fidelity.drawn()
    assert precision_recall(x, y)[:2] == pytest.approx((torch_fidelity.PRECISION, torch_fidelity.RECALL), rel=1e-6)


def test_blocks_change_nothing(monkeypatch):
    real, fake = normal(25, 3), normal(20, 3, 1, 0.7, 0.4)
    whole = precision_recall(real, fake)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert precision_recall(real, fake) == whole


def test_the_same_and_the_far_away():
    real = normal(30, 3)
    assert precision_recall(real, real)[:2] == (1, 1) and precision_recall(real, real).coverage == 1
    assert precision_recall(real, real + 100) == (0, 0, 0, 0)
    assert precision_recall(np.ones((9, 2)), np.ones((9, 2)))[:2] == (1, 1)


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="`real` must be 6 or more rows"):
        precision_recall(normal(5, 2), normal(9, 2))
    with pytest.raises(ValueError, match="Neighbours must be 1 or more"):
        precision_recall(normal(9, 2), normal(9, 2), 0)
    with pytest.raises(ValueError, match="same length. Received: 2 and 3"):
        precision_recall(normal(9, 2), normal(9, 3))
    with pytest.raises(ValueError, match="`fake` must be finite"):
        precision_recall(normal(9, 2), normal(9, 2) * np.inf)
