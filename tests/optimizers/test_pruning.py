"""Pruning zeroes exactly the smallest weights, group by group."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.networks.conv_autoencoder import Plan, decoder, encoder
from kgen.optimizers import pruning


def variable(values):
    return keras.Variable(np.float32(values))


@pytest.mark.parametrize("shape", [(7, 9), (3, 3, 2, 5), (1,)])
@pytest.mark.parametrize("amount", [0.0, 0.1001, 0.3984, 0.5, 0.999, 1.0])
def test_exactly_the_smallest_become_zero_and_the_others_stay(shape, amount):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    kernel = variable(values)
    pruning.prune(kernel, amount)
    count, found = round(amount * values.size), kernel.numpy()
    assert np.sum(found == 0) == count
    gone, left = np.abs(values[found == 0]), np.abs(values[found != 0])
    assert not len(gone) or not len(left) or gone.max() < left.min()
    np.testing.assert_array_equal(found[found != 0], values[found != 0])


def test_sign_does_not_count():
    kernel = variable([[-3, 1, -2], [2.5, -0.5, 4]])
    pruning.prune(kernel, 0.5)
    np.testing.assert_array_equal(kernel.numpy(), [[-3, 0, 0], [2.5, 0, 4]])


def test_of_equal_weights_as_many_as_asked_for_become_zero():
    kernel = variable([1, -1, 1, -1, 1, 2])
    pruning.prune(kernel, 0.5)
    assert sorted(np.abs(kernel.numpy())) == [0, 0, 0, 1, 1, 2]


def test_pruning_again_changes_nothing_and_zeros_count():
    kernel = variable(np.random.default_rng(0).normal(size=(6, 7)))
    pruning.prune(kernel, 0.4)
    once = kernel.numpy()
    pruning.prune(kernel, 0.4)
    np.testing.assert_array_equal(kernel.numpy(), once)
    pruning.prune(kernel, 0.2)
    np.testing.assert_array_equal(kernel.numpy(), once)
    pruning.prune(kernel, 0.6)
    assert np.sum(kernel.numpy() == 0) == round(0.6 * 42)


def test_groups_are_the_kernels_of_all_layers_but_the_last():
    plan = Plan((2, 3), (3, 2), (1, 2), (1, 0), (5, 4))
    ahead, back = encoder((8, 8, 1), plan, 6), decoder((8, 8, 1), plan, 6)
    found = pruning.groups(encoder=ahead, decoder=back)
    shapes = {name: [tuple(kernel.shape) for kernel in kernels] for name, kernels in found.items()}
    assert shapes == {
        "encoder_dense": [(48, 5), (5, 4)],  # not (4, 6), the code
        "encoder_convolution": [(3, 3, 1, 2), (2, 2, 2, 3)],
        "decoder_dense": [(6, 4), (4, 5), (5, 48)],
        "decoder_convolution": [(2, 2, 2, 3)],  # not (3, 3, 1, 2), the pixels
    }
    own = [weight for network in (ahead, back) for weight in network.weights]
    assert all(any(kernel is weight for weight in own) for kernels in found.values() for kernel in kernels)


def test_groups_of_dense_networks_have_no_convolutions():
    plan = Plan((), (), (), (), (5, 4))
    found = pruning.groups(encoder=encoder((2, 2, 1), plan, 3), decoder=decoder((2, 2, 1), plan, 3))
    assert [len(kernels) for kernels in found.values()] == [2, 0, 2, 0]


def test_sparsity_is_the_share_of_zeros_over_all_kernels():
    assert pruning.sparsity([variable([[0, 1], [2, 0]]), variable([0, 0, 0, 1, 1, 1])]) == 5 / 10
    assert pruning.sparsity([]) == 0
    assert pruning.sparsity([variable(np.ones(3))]) == 0


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: tf.function(f, autograph=False)], ids=["eager", "graph"])
def test_zeros_are_held_and_only_they(wrap):
    held, free = variable([[0, 1.5, -2], [3, 0, 0]]), variable([0, 1])

    @wrap
    def step():
        pruning.holding_zeros({"some": [held]}, lambda: (held.assign(held - 1.5), free.assign(free + 1)))

    for number in (1, 2, 3):  # a weight that a step brings to zero is held from then on
        step()
        expected = {1: [[0, 0, -3.5], [1.5, 0, 0]], 2: [[0, 0, -5], [0, 0, 0]], 3: [[0, 0, -6.5], [0, 0, 0]]}[number]
        np.testing.assert_array_equal(held.numpy(), expected)
    np.testing.assert_array_equal(free.numpy(), [3, 4])
