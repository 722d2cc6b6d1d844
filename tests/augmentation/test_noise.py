"""Noises against NumPy, their distributions, and how their texts are read."""

import itertools
import pickle

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import tensorflow as tf

from kgen.augmentation.noise import NOISES, Noise, add, parse, turned
from kgen.errors import UsageError
from kgen.rng import Rng

SHAPES = {"rgb": (8, 16, 12, 3), "grey": (8, 13, 9, 1), "tiny": (8, 3, 4, 2)}
TEXTS = ["uniform:0.7", "salt-and-pepper:0.3", "hole:2x3", "rotation:180"]
ALL = "+".join(TEXTS)
texts = pytest.mark.parametrize("text", TEXTS)


def batch(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(0.01, 0.99, shape), tf.float32)  # neither black nor white


def rolled(text, images, seed=5):
    with Rng(seed):
        return add(images, parse(text))


def uniform(x, rng, amount):
    numbers = amount * (np.float64(rng.uniform(x.shape)) - 0.5)
    return np.minimum(np.maximum(x + numbers, 0), 1)


def salt_and_pepper(x, rng, share):
    numbers, result = rng.uniform((*x.shape[:3], 1)).numpy(), x.copy()
    for place in np.ndindex(x.shape[:3]):
        if numbers[place] < share:
            result[place] = 0 if numbers[place] < share / 2 else 1
    return result


def hole(x, rng, height, width):
    result, places = x.copy(), (x.shape[1] - height + 1, x.shape[2] - width + 1)
    tops, lefts = (np.floor(np.float64(rng.uniform((len(x),))) * count).astype(int) for count in places)
    for n, i, j in itertools.product(range(len(x)), range(height), range(width)):
        result[n, tops[n] + i, lefts[n] + j] = 0
    return result


def rotation(x, rng, degrees):
    """SciPy's; "grid-constant": pixels outside of the image are 0 before, not after, the interpolation."""
    angles = degrees * (2 * np.float64(rng.uniform((len(x),))) - 1)
    how = {"reshape": False, "order": 1, "mode": "grid-constant"}
    return np.stack([scipy.ndimage.rotate(image, angle, **how) for image, angle in zip(np.float64(x), angles)])


REFERENCES = {"uniform": uniform, "salt-and-pepper": salt_and_pepper, "hole": hole, "rotation": rotation}


def reference(text, x, rng):
    for name, amounts in parse(text):
        x = REFERENCES[name](x, rng, *amounts)
    return x


@texts
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("seed", [1, 2])
def test_noise_equals_numpy(text, shape, seed):
    x = batch(shape)
    expected = reference(text, x.numpy(), Rng(seed))
    y = rolled(text, x, seed)
    np.testing.assert_allclose(y, expected, atol=1e-5 if "rotation" in text else 1e-6)
    assert np.abs(expected - x).max() > 0.1
    assert y.numpy().min() >= 0 and y.numpy().max() <= 1 + 1e-6


@pytest.mark.parametrize("text", ["uniform:2+salt-and-pepper:0.3", "hole:2x3+rotation:30+hole:4x1", ALL])
def test_noises_are_applied_from_left_to_right(text):
    x = batch(SHAPES["rgb"])
    np.testing.assert_allclose(rolled(text, x), reference(text, x.numpy(), Rng(5)), atol=1e-5)
    reverse = "+".join(reversed(text.split("+")))
    assert np.abs(rolled(reverse, x) - rolled(text, x)).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("text", [*TEXTS, ALL])
def test_compiled_equals_eager(text, jit_compile):
    x = batch(SHAPES["rgb"])
    signature = [tf.TensorSpec((None, *x.shape[1:]))]  # batches of any size
    compiled = tf.function(lambda x: rolled(text, x), input_signature=signature, jit_compile=jit_compile)(x)
    exact = {"salt-and-pepper:0.3": 0, "hole:2x3": 0, "uniform:0.7": 1e-6}
    # The last digit of a sine depends on the compiler, and counts for more the farther a pixel is from the centre.
    np.testing.assert_allclose(compiled, rolled(text, x), rtol=0, atol=exact.get(text, 5e-6))


@pytest.mark.parametrize("amount", [0.2, 0.9])
def test_uniform_noise_has_mean_0_its_variance_and_its_distribution(amount):
    noise = rolled(f"uniform:{amount}", tf.fill((20, 40, 40, 3), 0.5)).numpy().astype(float).ravel() - 0.5
    variance, fourth = amount**2 / 12, amount**4 / 80  # central moments
    assert abs(noise.mean()) < 4 * (variance / noise.size) ** 0.5
    assert abs(noise.var() - variance) < 4 * ((fourth - variance**2) / noise.size) ** 0.5
    assert scipy.stats.kstest(noise, "uniform", (-amount / 2, amount)).pvalue > 1e-3
    assert np.unique(noise).size > 0.9 * noise.size  # each channel of each pixel its own


@pytest.mark.parametrize("share", [0.01, 0.1, 0.7, 1.0])
def test_salt_and_pepper_changes_its_share_of_pixels_by_a_fair_coin(share):
    x = batch((20, 40, 40, 3)).numpy()
    y = rolled(f"salt-and-pepper:{share}", x).numpy()
    changed = (y != x).any(axis=-1)
    np.testing.assert_array_equal(changed, (y != x).all(axis=-1))  # all channels together
    assert abs(changed.mean() - share) <= 4 * (share * (1 - share) / changed.size) ** 0.5
    colors = y[changed]
    assert set(np.unique(colors)) == {0, 1} and (colors == colors[:, :1]).all()
    assert abs(colors[:, 0].mean() - 0.5) < 4 * 0.5 / len(colors) ** 0.5


@pytest.mark.parametrize("size", [(3, 2), (1, 1), (6, 2), (3, 5), (6, 5)])
def test_the_hole_is_whole_and_all_its_places_are_equally_likely(size):
    dark = rolled("hole:{}x{}".format(*size), tf.ones((4000, 6, 5, 2))).numpy() == 0
    tops, lefts = dark.any(axis=(2, 3)).argmax(axis=1), dark.any(axis=(1, 3)).argmax(axis=1)
    for image, top, left in zip(dark, tops, lefts, strict=True):
        assert image[top : top + size[0], left : left + size[1]].all() and image.sum() == 2 * size[0] * size[1]
    counts = np.zeros((6 - size[0] + 1, 5 - size[1] + 1), int)
    np.add.at(counts, (tops, lefts), 1)
    assert counts.sum() == 4000 and counts.min() > 0
    assert counts.size == 1 or scipy.stats.chisquare(counts.ravel()).pvalue > 1e-3


@pytest.mark.parametrize("degrees", [30, 180])
def test_rotation_angles_are_uniform(degrees):
    """A ramp from left to right, turned by a, rises by cos(a) to the right and by -sin(a) downwards."""
    ramp = tf.tile(tf.range(9.0)[None, None, :, None] / 8, (2000, 9, 1, 1))
    y = rolled(f"rotation:{degrees}", ramp).numpy()[..., 0] * 8
    right, down = y[:, 4, 5] - y[:, 4, 3], y[:, 5, 4] - y[:, 3, 4]  # about the centre, where all comes from inside
    np.testing.assert_allclose(right**2 + down**2, 4, rtol=1e-4)
    angles = np.degrees(np.arctan2(-down, right))
    assert scipy.stats.kstest(angles, "uniform", (-degrees, 2 * degrees)).pvalue > 1e-3
    assert -degrees < angles.min() < -0.99 * degrees and 0.99 * degrees < angles.max() < degrees


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("quarters", [-2, -1, 0, 1, 2, 3])
def test_quarter_turns_are_numpys(size, quarters):
    x = batch((3, size, size, 2))
    np.testing.assert_allclose(turned(x, [90 * quarters] * 3), np.rot90(x, quarters, axes=(1, 2)), atol=1e-5)


@texts
def test_images_do_not_depend_on_each_other_and_draw_their_own_numbers(text):
    one = batch((1, 16, 16, 3))
    same = tf.repeat(one, 6, axis=0)
    other = tf.concat([same[:3], batch((3, 16, 16, 3), 1)], axis=0)
    y = rolled(text, same)
    np.testing.assert_allclose(rolled(text, other)[:3], y[:3], atol=1e-6)
    assert len({image.numpy().tobytes() for image in y}) == 6
    np.testing.assert_array_equal(rolled(text, same), y)  # the same rng
    assert np.abs(rolled(text, same, seed=6) - y).max() > 0.1


@pytest.mark.parametrize("text", [*TEXTS, ALL])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_dtype_is_kept_and_the_arithmetic_is_float32(text, dtype):
    x = tf.cast(batch(SHAPES["rgb"]), dtype)
    y = rolled(text, x)
    np.testing.assert_array_equal(y, tf.cast(rolled(text, tf.cast(x, "float32")), dtype))
    with Rng(5):
        first = parse(text)[0](x)  # as a noise alone
    assert y.dtype == first.dtype == dtype and y.shape == x.shape
    np.testing.assert_array_equal(first, rolled(text.split("+")[0], x))


def test_a_nan_stays_in_its_image_and_what_is_set_is_0_or_1():
    x = tf.concat([tf.fill((2, 6, 6, 1), np.nan), tf.ones((2, 6, 6, 1))], axis=0)
    for text in TEXTS:
        assert np.isfinite(rolled(text, x).numpy()[2:]).all()
    assert np.isfinite(rolled("salt-and-pepper:1", x)).all() and (rolled("hole:6x6", x) == 0).numpy().all()
    np.testing.assert_array_equal(turned(x, [45.0] * 4).numpy()[:, ::5, ::5], 0)  # the corners


def test_no_noise_is_the_identity_without_dice():
    x = batch(SHAPES["rgb"])
    assert parse(None) == parse("") == [] and add(x, []) is x


def test_parsed():
    assert [noise.name for noise in parse(ALL)] == list(REFERENCES) == list(NOISES)
    assert parse("hole:8x6+rotation:180") == [Noise("hole", (8, 6)), Noise("rotation", (180.0,))]
    both = [Noise("uniform", (2.0,)), Noise("salt-and-pepper", (0.1,))]
    assert parse("uniform:2+salt-and-pepper:0.1") == parse(" uniform: 2 + salt-and-pepper:.1") == both
    assert pickle.loads(pickle.dumps(both)) == both
    for text in [*TEXTS, "uniform:2", "uniform:1e-07", "salt-and-pepper:0.123456789", "rotation:22.5"]:
        assert str(*parse(text)) == text


NAMES = {
    "unifrom:1": "'unifrom'. Did you mean uniform? There are: uniform, salt-and-pepper, hole, rotation.",
    "salt_and_pepper:0.1": "'salt_and_pepper'. Did you mean salt-and-pepper? There are",
    "uniform:1+zzz:1": "'zzz'. There are",
    "0.7": "'0.7'. There are",
    " ": "''. There are",
    "uniform:1+": "''. There are",
    "hole 8x6": "'hole 8x6'. ",
}
NUMBERS = ["much", "0", "-0.1", "nan", "inf", "1000.1", "1x1", "10%", "0.1,hole:2x2"]
SIDES = ["8", "8x", "x6", "0x6", "8x0", "-8x6", "8.5x6", "8x6x3", "8*6", "9" * 5000 + "x1"]  # int() reads 4300 digits
AMOUNTS = {
    "uniform takes a width above 0 and at most 1000, as in uniform:0.7": NUMBERS,
    "salt-and-pepper takes a share above 0 and at most 1, as in salt-and-pepper:0.1": [*NUMBERS, "1.01"],
    "hole takes height x width in pixels, whole numbers of at least 1, as in hole:8x6": SIDES,
    "rotation takes an angle in degrees, above 0 and at most 180, as in rotation:30": [*NUMBERS, "180.5"],
}


@pytest.mark.parametrize("text", NAMES)
def test_an_unknown_name_is_refused_with_the_nearest(text):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"--noise: there is no noise {NAMES[text]}")


@pytest.mark.parametrize("takes", AMOUNTS)
def test_wrong_amounts_are_refused_with_what_is_accepted(takes):
    name, example = takes.split()[0], takes.split()[-1]
    assert str(*parse(example)) == example and example.startswith(name)
    for before in ("", "hole:1x1+"):
        for amount in ["", *AMOUNTS[takes]]:
            with pytest.raises(UsageError) as caught:
                parse(f"{before}{name}:{amount}" if amount else before + name)
            assert str(caught.value) == f"--noise: {takes}, and got {repr(amount) if amount else 'nothing'}."


@pytest.mark.parametrize("size", ["17x1", "1x13", "12x16", "999999999x1"])
def test_a_hole_larger_than_the_images_is_refused_in_a_graph_too(size):
    expected = f"--noise hole:{size} (height x width) does not fit into images of 16x12 pixels: take at most hole:16x12"
    with pytest.raises(UsageError) as caught:
        tf.function(rolled, autograph=False)(f"hole:{size}", batch((2, 16, 12, 1)))
    assert str(caught.value) == f"{expected}."


@texts
def test_refusals(text):
    (noise,) = noises = parse(text)
    x = batch(SHAPES["rgb"])
    for function, argument in ((noise, ()), (add, (noises,))):
        with Rng(0), pytest.raises(ValueError, match="`images` must be floating point. Received: uint8"):
            function(tf.cast(x, "uint8"), *argument)
        with pytest.raises(RuntimeError, match="inside `with Rng"):
            function(x, *argument)
