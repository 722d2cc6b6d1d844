"""DiffAugment's policies against NumPy: images, gradients, distributions of what is drawn."""

import numpy as np
import pytest
import tensorflow as tf

from kgen.augmentation.diffaugment import POLICIES, augment
from kgen.images import UNIT, Range
from kgen.rng import Rng

SHAPES = {"rgb": (8, 16, 12, 3), "grey": (8, 13, 9, 1), "tiny": (8, 4, 3, 2)}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
names = pytest.mark.parametrize("name", POLICIES)
jit = pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])


def batch(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, shape), tf.float32)


def rolled(policies, images, seed=5):
    with Rng(seed):
        return augment(images, policies)


def color(x, rng):
    numbers = [rng.uniform((len(x), 1, 1, 1), low, high).numpy() for low, high in ((-0.5, 0.5), (0, 2), (0.5, 1.5))]
    result = np.empty_like(x, np.float64)
    for i, (image, brightness, saturation, contrast) in enumerate(zip(np.float64(x), *numbers, strict=True)):
        image = image + brightness
        for pixel in image.reshape(-1, x.shape[-1]):
            pixel[:] = pixel.mean() + saturation.item() * (pixel - pixel.mean())
        result[i] = contrast * image + (1 - contrast) * image.mean()
    return result


def integers(rng, batch, count):
    return np.floor(np.float64(rng.uniform((batch,))) * count).astype(int)


def reach(size):
    return int(np.floor(size / 8 + 0.5))


def moves(shape, rng):
    """The moves, `(batch, 2)`, down and to the right."""
    return np.stack([integers(rng, shape[0], 2 * reach(n) + 1) - reach(n) for n in shape[1:3]], axis=-1)


def translation(x, rng):
    result = np.zeros_like(x)
    for n, (down, right) in enumerate(moves(x.shape, rng)):
        for i, j in np.ndindex(x.shape[1:3]):
            if 0 <= i + down < x.shape[1] and 0 <= j + right < x.shape[2]:
                result[n, i + down, j + right] = x[n, i, j]
    return result


def cutout(x, rng):
    result = x.copy()
    sizes = [int(np.floor(n / 2 + 0.5)) for n in x.shape[1:3]]
    centres = [integers(rng, len(x), n + (size + 1) % 2) for n, size in zip(x.shape[1:3], sizes, strict=True)]
    for image, *starts in zip(result, *[c - size // 2 for c, size in zip(centres, sizes, strict=True)], strict=True):
        rows, columns = (slice(max(0, first), first + size) for first, size in zip(starts, sizes, strict=True))
        image[rows, columns] = 0
    return result


REFERENCES = {"color": color, "translation": translation, "cutout": cutout}


def test_references_cover_the_policies():
    assert REFERENCES.keys() == POLICIES.keys()


@names
@shapes
@pytest.mark.parametrize("seed", [1, 2])
def test_policy_equals_numpy(name, shape, seed):
    x = batch(shape)
    expected = REFERENCES[name](x.numpy(), Rng(seed))
    np.testing.assert_allclose(rolled([name], x, seed), expected, atol=1e-6)
    assert np.abs(expected - x).max() > 0.1


@pytest.mark.parametrize("policies", [["color", "translation", "cutout"], ["cutout", "color"], ["color", "color"]])
def test_policies_are_applied_in_the_order_given(policies):
    x, rng = batch(SHAPES["rgb"]), Rng(5)
    expected = x.numpy()
    for name in policies:
        expected = REFERENCES[name](expected, rng)
    np.testing.assert_allclose(rolled(policies, x), expected, atol=2e-6)


@pytest.mark.slow
@jit
@names
def test_compiled_equals_eager(name, jit_compile):
    """Values and gradients of first and second order."""

    def values(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = rolled([name], x)
                loss = tf.reduce_sum(y**3)
            slope = inner.gradient(loss, x)
            penalty = tf.reduce_sum(slope**2)
        return y, slope, outer.gradient(penalty, x)

    x = batch(SHAPES["rgb"])
    for compiled, eager in zip(tf.function(values, jit_compile=jit_compile)(x), values(x), strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-5, atol=1e-5 * np.abs(eager).max())


@names
@shapes
def test_gradient_is_that_of_the_numpy_reference(name, shape):
    """With the draws fixed a policy is linear but for a constant: `<w, T(x + d) - T(x)> = <gradient, d>` exactly."""
    x, weights, direction = batch(shape), batch(shape, 1), batch(shape, 2).numpy()
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(weights * rolled([name], x))
    gradient = tape.gradient(loss, x).numpy()
    moved = REFERENCES[name](np.float64(x) + direction, Rng(5)) - REFERENCES[name](np.float64(x), Rng(5))
    for i in range(len(x)):
        np.testing.assert_allclose((gradient * direction)[i].sum(), (weights * moved)[i].numpy().sum(), atol=1e-4)


def test_gradient_of_the_sum_counts_the_pixels_shown():
    x = 1 + tf.abs(batch(SHAPES["rgb"]))
    for name in ("translation", "cutout"):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rolled([name], x)
        gradient = tape.gradient(y, x).numpy()
        shown = [[pixel in image for pixel in original.ravel()] for original, image in zip(x.numpy(), y.numpy())]
        np.testing.assert_array_equal(gradient, np.reshape(shown, x.shape).astype(float))
        assert 0 < gradient.mean() < 1
    np.testing.assert_array_equal(gradient, y != 0)  # cutout: the mask


def test_second_gradient_of_a_translation():
    """`sum y^4` has the slope `4 x^3` and its squared norm the slope `96 x^5`, where a pixel is shown, else 0."""
    x = batch(SHAPES["rgb"])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = rolled(["translation"], x)
            loss = tf.reduce_sum(y**4)
        slope = inner.gradient(loss, x)
        penalty = tf.reduce_sum(slope**2)
    shown = slope.numpy() != 0
    assert 0.5 < shown.mean() < 1
    np.testing.assert_allclose(outer.gradient(penalty, x), np.where(shown, 96 * x.numpy() ** 5, 0), rtol=1e-4)


def test_moves_are_uniform_and_independent():
    images = np.zeros((4000, 16, 24, 1), np.float32)
    images[:, 8, 12] = 1  # one lit pixel
    moved = rolled(["translation"], tf.constant(images)).numpy()[..., 0]
    assert (moved.sum(axis=(1, 2)) == 1).all()
    _, rows, columns = np.nonzero(moved)
    counts = np.zeros((5, 7), int)
    np.add.at(counts, (rows - 8 + 2, columns - 12 + 3), 1)  # moves beyond 2 or 3 would raise, or land in cells twice
    assert counts.sum() == 4000 and rows.min() == 6 and columns.min() == 9
    np.testing.assert_allclose(counts, 4000 / 35, atol=5 * (4000 / 35) ** 0.5)


@pytest.mark.parametrize("size, most", [(28, 4), (32, 4), (64, 8), (20, 3), (3, 0)])
def test_greatest_move(size, most):
    row = tf.reshape(tf.range(1.0, size + 1), (1, 1, size, 1)) * tf.ones((500, 1, 1, 1))
    first = rolled(["translation"], row)[:, 0, :, 0].numpy()
    # The row counts from 1: zeros in front are the move, and the number in front minus 1 the move to the left.
    seen = np.where(first[:, 0] == 0, (first == 0).sum(axis=1), 1 - first[:, 0])
    assert set(seen) == set(range(-most, most + 1))


@pytest.mark.parametrize("extent, size", [(16, 8), (14, 7)])
def test_the_square_lies_anywhere_with_equal_odds(extent, size):
    cut = rolled(["cutout"], tf.ones((6000, extent, 4, 1)))[..., 0].numpy() == 0
    rows, columns = cut.any(axis=2), cut.any(axis=1)
    np.testing.assert_array_equal(cut, rows[:, :, None] & columns[:, None, :])  # a rectangle, the same in all rows
    assert (np.abs(np.diff(rows.astype(int), axis=1)).sum(axis=1) <= 2).all()  # in one piece
    assert rows.sum(axis=1).max() == size and rows.sum(axis=1).min() == (size + 1) // 2
    first_and_last = np.stack([rows.argmax(axis=1), extent - 1 - rows[:, ::-1].argmax(axis=1)], axis=1)
    places, counts = np.unique(first_and_last, axis=0, return_counts=True)
    centres = extent + (size + 1) % 2
    assert len(places) == centres
    np.testing.assert_allclose(counts, 6000 / centres, atol=5 * (6000 / centres) ** 0.5)
    np.testing.assert_allclose(cut.mean(axis=(0, 2)), cut.mean(axis=(0, 2))[::-1], atol=0.04)  # both borders alike


def test_color_of_grey_images_keeps_them_grey_and_does_not_clip():
    grey = tf.repeat(batch((50, 4, 4, 1)), 3, axis=-1)
    y = rolled(["color"], grey).numpy()
    np.testing.assert_allclose(y, np.repeat(y[..., :1], 3, axis=-1), atol=1e-6)
    assert y.max() > 1.1 and y.min() < -1.1


@names
def test_images_do_not_depend_on_each_other_and_draw_their_own_numbers(name):
    one = batch((1, 16, 16, 3))
    same = tf.repeat(one, 6, axis=0)
    other = tf.concat([same[:3], batch((3, 16, 16, 3), 1)], axis=0)
    y = rolled([name], same)
    np.testing.assert_allclose(rolled([name], other)[:3], y[:3], atol=1e-6)
    assert len({image.numpy().tobytes() for image in y}) == 6
    assert np.abs(rolled([name], same, seed=6) - y).max() > 0.1


@names
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_dtype_is_kept_and_the_arithmetic_is_float32(name, dtype):
    x = tf.cast(batch(SHAPES["rgb"]), dtype)
    y = rolled([name], x)
    assert y.dtype == dtype and y.shape == x.shape
    np.testing.assert_array_equal(y, tf.cast(rolled([name], tf.cast(x, "float32")), dtype))


@names
def test_a_nan_stays_in_its_image(name):
    x = batch(SHAPES["rgb"]).numpy()
    x[0] = np.nan
    y = rolled([name], tf.constant(x)).numpy()
    assert np.isfinite(y[1:]).all() and np.isnan(y[0]).any()
    assert name == "color" or np.isfinite(y[0]).any()  # 0 is 0, not 0 * NaN


def test_a_batch_of_unknown_size():
    x = batch(SHAPES["rgb"])
    graph = tf.function(lambda x: rolled(list(POLICIES), x), input_signature=[tf.TensorSpec((None, *x.shape[1:]))])
    np.testing.assert_allclose(graph(x), rolled(list(POLICIES), x), atol=1e-6)


def test_no_policy_is_the_identity_without_dice():
    x = batch(SHAPES["rgb"])
    assert augment(x, []) is x and augment(x, ()) is x


def test_refusals():
    x = batch(SHAPES["rgb"])
    with pytest.raises(ValueError, match="among color, translation, cutout. Received: 'colour'"):
        rolled(["cutout", "colour"], x)
    with pytest.raises(ValueError, match="`images` must be floating point. Received: uint8"):
        rolled(["cutout"], tf.cast(x, "uint8"))
    with pytest.raises(RuntimeError, match="inside `with Rng"):
        augment(x, ["color"])


@pytest.mark.parametrize("range", [UNIT, Range(0.0, 255.0)])
@pytest.mark.parametrize("policies", [["color"], ["translation"], ["cutout"], ["color", "translation", "cutout"]])
def test_augment_of_another_range_is_that_of_the_same_images_between_minus_1_and_1(policies, range):
    x = batch(SHAPES["rgb"])
    scale, centre = (range.high - range.low) / 2, (range.high + range.low) / 2
    with Rng(5):
        other = augment(x * scale + centre, policies, range)
    np.testing.assert_allclose(other, rolled(policies, x) * scale + centre, atol=1e-5 * scale)


def test_what_is_cut_out_of_images_between_0_and_1_is_grey():
    with Rng(5):
        found = augment(tf.ones((8, 16, 16, 1)), ["cutout"], UNIT).numpy()
    assert set(np.unique(found)) == {0.5, 1.0}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_each_image_undergoes_each_policy_with_its_probability(share):
    """Cutout makes squares of 0 on white; colour changes white everywhere; each of the four outcomes has its share."""
    count = 4000
    images = tf.ones((count, 4, 4, 1))
    with Rng(1):
        found = augment(images, ["color", "cutout"], probability=tf.constant(share)).numpy().reshape(count, -1)
    cut, coloured = (found == 0).any(axis=1), (np.where(found == 0, 1, found) != 1).any(axis=1)
    assert not share or share == 1 or abs(np.corrcoef(cut, coloured)[0, 1]) < 5 / np.sqrt(count)
    for happened in (cut, coloured):
        assert abs(happened.mean() - share) <= 5 * np.sqrt(share * (1 - share) / count)
    np.testing.assert_array_equal(found[~cut & ~coloured], 1.0)


def test_certain_policies_and_none_at_all_are_the_extremes():
    images = batch(SHAPES["rgb"])
    with Rng(2):
        np.testing.assert_array_equal(augment(images, ["cutout", "translation"], probability=0.0), images)
    with Rng(2):
        certain = augment(images, ["cutout"], probability=1.0)
    np.testing.assert_array_equal(certain, rolled(["cutout"], images, seed=2))
