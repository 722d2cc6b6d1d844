"""Random numbers are functions of a seed and of what is folded in, alike in eager mode, graphs and XLA."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kgen import rng
from kgen.core import priors
from kgen.rng import Rng


def test_equal_dice_draw_equal_numbers_and_every_draw_is_new():
    one, other = Rng(3), Rng(3)
    first, second = one.normal((5,)).numpy(), one.normal((5,)).numpy()
    np.testing.assert_array_equal(first, other.normal((5,)).numpy())
    assert (first != second).all()


def test_folding_is_a_function_of_the_numbers_and_their_order():
    draws = [Rng(0).fold_in(*numbers).uniform((4,)).numpy() for numbers in [(1, 2), (2, 1), (1,), (1, 3)]]
    assert len({tuple(draw) for draw in draws}) == 4
    np.testing.assert_array_equal(draws[0], Rng(0).fold_in(1).fold_in(2).uniform((4,)).numpy())


@pytest.mark.parametrize("draw, rtol", [(lambda d: d.uniform((1000,)), 0), (lambda d: d.normal((1000,)), 1e-4)])
def test_eager_graph_and_xla_draw_the_same(draw, rtol):
    round_ = tf.Variable(5, dtype=tf.int64)  # a variable: constants would be folded before XLA sees them

    def drawn():
        return draw(Rng(7).fold_in(round_, 0))

    eager = drawn().numpy()
    np.testing.assert_array_equal(eager, tf.function(drawn)().numpy())
    np.testing.assert_allclose(eager, tf.function(drawn, jit_compile=True)().numpy(), rtol=rtol, atol=rtol * 1e-2)


def test_distributions():
    normal, uniform = Rng(1).normal((100_000,)).numpy(), Rng(2).uniform((100_000,), -2.0, 3.0).numpy()
    assert scipy.stats.kstest(normal, "norm").pvalue > 0.01
    assert scipy.stats.kstest(uniform, "uniform", (-2, 5)).pvalue > 0.01
    assert np.isfinite(normal).all() and -2 < uniform.min() and uniform.max() < 3


def test_a_shorter_draw_is_the_start_of_a_longer_one():
    np.testing.assert_array_equal(Rng(4).uniform((3, 10)).numpy(), Rng(4).uniform((8, 10)).numpy()[:3])
    # Equal bits; the quantile's last digit depends on where a vector register ends.
    np.testing.assert_allclose(Rng(4).normal((3, 10)).numpy(), Rng(4).normal((8, 10)).numpy()[:3], rtol=1e-6)


def test_current_dice():
    with pytest.raises(RuntimeError, match="with Rng"):
        rng.current()
    with Rng(1) as outer:
        with Rng(2) as inner:
            assert rng.current() is inner
        assert rng.current() is outer


def test_priors_draw_from_the_current_dice():
    with Rng(5):
        normal = priors.Normal(3).draw(2)
    np.testing.assert_array_equal(normal.numpy(), Rng(5).normal((2, 3)).numpy())
    with Rng(5):
        uniform = priors.Uniform(3, 2.0).draw(4000).numpy()
    assert scipy.stats.kstest(uniform.ravel(), "uniform", (-2, 4)).pvalue > 0.01
