"""The Inception Score's formula against numbers by hand, torch-fidelity and TensorFlow-GAN."""

import types

import numpy as np
import pytest

from kgen.errors import UsageError
from kgen.metrics import inception_score
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


class Seen:
    """Evidence of logits, and of a network whose last layer has a bias or none."""

    def __init__(self, logits, bias):
        self.fake_seen, self.network = types.SimpleNamespace(logits=logits), types.SimpleNamespace(bias=bias)

    def named(self, inception, other):
        return inception

    def protocol_of_features(self, **more):
        return more


@pytest.mark.parametrize("count, scored", [(200, 64), (64, 64), (9, 9)])
@pytest.mark.parametrize("bias", [None, np.array([0.0, 3.0, -1.0, 0.5])])
def test_the_score_of_report_004_is_of_64_images_in_one_split(count, scored, bias):
    logits = 2 * np.random.default_rng(0).normal(size=(count, 4))
    (found,) = inception_score.score_report004(Seen(logits, bias))
    p = np.exp(logits[:scored] + (0 if bias is None else bias))
    p /= p.sum(axis=1, keepdims=True)
    assert found.value == pytest.approx(np.exp((p * np.log(p / p.mean(axis=0))).sum(axis=1).mean()), rel=1e-9)
    assert found.protocol == {"splits": 1, "scored": scored, "bias": bias is not None}
    assert f"of {scored} images it compares with the value of report 004 only" in found.warnings[0]


def test_the_score_of_report_004_needs_logits():
    with pytest.raises(UsageError, match="needs logits.weight and logits.bias in the file of --inception"):
        inception_score.score_report004(Seen(None, None))
