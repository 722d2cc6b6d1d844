"""KID against torch-fidelity and TensorFlow-GAN, and its lack of bias."""

import importlib

import numpy as np
import pytest
import tensorflow as tf

from kgen.metrics import mmd
from kgen.metrics.kid import kernel_distance
from tests.helpers import torch_fidelity
from tests.helpers.tfgan import tensorflow_gan


def normal(count, size, seed=0, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, size)) + shift


def test_equals_torch_fidelity():
    x, y, _ = torch_fidelity.drawn()
    assert kernel_distance(x, y, 20, 500) == pytest.approx(torch_fidelity.KID, rel=1e-9)


def test_equals_tensorflow_gan():
    x, y = np.float32(normal(400, 6)), np.float32(normal(400, 6, 1, 1.5, 0.5))
    tensorflow_gan()
    module = importlib.import_module("tensorflow_gan.python.eval.classifier_metrics")
    reference = module.kernel_classifier_distance_from_activations
    assert mmd.unbiased(x, y, mmd.polynomial) == pytest.approx(
        float(reference(tf.constant(x), tf.constant(y), max_block_size=400)), rel=1e-3
    )
    blocks = mmd.block(x, y, mmd.polynomial, 100).value
    assert blocks == pytest.approx(float(reference(tf.constant(x), tf.constant(y), max_block_size=100)), rel=1e-3)


def test_has_no_bias_and_sees_other_means_and_variances():
    same = [kernel_distance(normal(40, 4, 2 * i), normal(50, 4, 2 * i + 1), 5, 20).mean for i in range(200)]
    error = np.std(same) / np.sqrt(200)
    assert abs(np.mean(same)) < 2 * error and min(same) < 0 < max(same)
    for scale, shift in ((1, 0.5), (2, 0)):
        other = kernel_distance(normal(40, 4, 1), normal(50, 4, 2, scale, shift), 5, 20).mean
        assert other > 20 * error


def test_subsets_follow_the_seed():
    x, y = normal(60, 3), normal(60, 3, 1)
    assert kernel_distance(x, y, 5, 20, 1) == kernel_distance(x, y, 5, 20, 1) != kernel_distance(x, y, 5, 20, 2)


@pytest.mark.parametrize("subsets, size", [(0, 5), (3, 1), (3, 11)])
def test_mistakes_are_told(subsets, size):
    with pytest.raises(ValueError, match="`subsets` must be 1 or more, `size` from 2 to 10"):
        kernel_distance(normal(10, 2), normal(12, 2), subsets, size)


def test_rows_that_cannot_be_compared_are_told():
    with pytest.raises(ValueError, match="same length. Received: 2 and 3"):
        kernel_distance(normal(10, 2), normal(10, 3), 3, 5)
    with pytest.raises(ValueError, match="`y` must be finite"):
        kernel_distance(normal(10, 2), normal(10, 2) * np.nan, 3, 5)
    with pytest.raises(ValueError, match="`x` must be 2 or more rows"):
        kernel_distance(normal(1, 2), normal(10, 2), 3, 2)
