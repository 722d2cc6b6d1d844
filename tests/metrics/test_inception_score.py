"""The Inception Score's formula against numbers by hand, torch-fidelity and TensorFlow-GAN."""

import numpy as np
import pytest

from kgen.metrics.inception_score import classifier_score
from tests.helpers import torch_fidelity
from tests.helpers.tfgan import tensorflow_gan


def test_nothing_known_is_one_and_sure_and_varied_is_the_number_of_classes():
    assert classifier_score(np.zeros((20, 7)), 2) == pytest.approx((1, 0))
    assert classifier_score(1e3 * np.eye(5), 1) == pytest.approx((5, 0))
    assert classifier_score(1e3 * np.eye(5)[[0, 0, 0, 0]], 1) == pytest.approx((1, 0))


def test_by_hand():
    p = np.array([[0.5, 0.5], [0.25, 0.75]])
    m = p.mean(axis=0)
    expected = np.exp((p * np.log(p / m)).sum(axis=1).mean())
    assert classifier_score(np.log(p) + 3, 1).mean == pytest.approx(expected, rel=1e-12)


def test_equals_torch_fidelity():
    assert classifier_score(torch_fidelity.drawn()[2]) == pytest.approx(torch_fidelity.SCORE, rel=1e-9)


def test_equals_tensorflow_gan():
    logits = np.float32(torch_fidelity.drawn()[2])
    reference = float(tensorflow_gan().eval.classifier_score_from_logits(logits))
    assert classifier_score(logits, 1, None).mean == pytest.approx(reference, rel=1e-3)


def test_splits_have_equal_parts_in_the_order_of_the_seed():
    logits = np.random.default_rng(0).normal(size=(10, 4))
    parts = [classifier_score(part, 1, None).mean for part in (logits[:3], logits[3:6], logits[6:])]
    found = classifier_score(logits, 3, None)
    assert found == pytest.approx((np.mean(parts), np.std(parts)))
    assert classifier_score(logits, 3).mean != found.mean


@pytest.mark.parametrize("logits", [np.zeros((4, 3)), np.full((12, 3), np.nan)])
def test_mistakes_are_told(logits):
    with pytest.raises(ValueError, match="`logits` must be"):
        classifier_score(logits)


def test_no_splits_are_told():
    with pytest.raises(ValueError, match="`splits` must be 1 or more. Received: 0"):
        classifier_score(np.zeros((4, 3)), 0)
