"""Who is mixed with whom: nearest colours, orders, alphas, what is left to compare with, mistakes."""

import numpy as np
import pytest

from kgen.data import Images
from kgen.errors import UsageError
from kgen.studies.hybrids import pairs as hybrid_pairs
from kgen.studies.hybrids.pairs import Protocol

CLASSES = ("plane", "bird", "deer", "horse")


def coloured(count=80, seed=0):
    """Returns `Images` of noise in three colours, of four classes by turns."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 6, 7, 3), np.uint8)
    return Images(pixels, np.arange(count) % 4, CLASSES)


@pytest.mark.parametrize("channels", [3, 1])
def test_the_wing_has_the_nearest_colour_at_the_centre(channels):
    data = coloured()._replace(images=coloured().images[..., :channels])
    pairs = hybrid_pairs.paired(data, Protocol(bodies="horse,deer", wings="bird", count=40))
    assert sorted(pairs.bodies) == [row for row in range(80) if row % 4 >= 2]
    for body, wing in zip(pairs.bodies, pairs.wings, strict=True):
        nearest, least = None, np.inf
        for row in range(1, 80, 4):
            ends = data.images[row, 3, 3].tolist(), data.images[body, 3, 3].tolist()
            distance = sum((p - q) ** 2 for p, q in zip(*ends, strict=True))
            nearest, least = (row, distance) if distance < least else (nearest, least)
        assert wing == nearest


def test_random_pairs_take_any_wing():
    data = coloured()
    pairs = hybrid_pairs.paired(data, Protocol(pairing="random", count=15))
    assert set(data.labels[pairs.bodies]) == {3} and set(data.labels[pairs.wings]) == {1}
    assert len(set(pairs.bodies)) == len(set(pairs.wings)) == 15
    assert list(pairs.bodies) != sorted(pairs.bodies) and list(pairs.wings) != sorted(pairs.wings)
    assert list(pairs.bodies - 2) != list(pairs.wings)


def test_the_order_of_report_000():
    pairs = hybrid_pairs.paired(
        coloured(), Protocol(bodies="horse, deer", wings="bird,plane", pairing="order", count=6)
    )
    assert list(pairs.bodies) == [2, 3, 6, 7, 10, 11] and list(pairs.wings) == [0, 1, 4, 5, 8, 9]
    assert pairs.labels == ((3, 2), (1, 0))


def test_classes_by_number_which_a_name_precedes():
    assert hybrid_pairs.paired(coloured(), Protocol(bodies="3,2,horse", wings="0", count=9)).labels == ((3, 2), (0,))
    backwards = coloured()._replace(classes=("3", "2", "1", "0"))
    assert hybrid_pairs.paired(backwards, Protocol(bodies="3", wings="0", count=2)).labels == ((0,), (3,))


def test_alphas_are_uniform_and_depend_on_the_seed_alone():
    data = coloured(8000)
    pairs = hybrid_pairs.paired(data, Protocol(count=2000))
    assert pairs.alphas.dtype == np.float64
    assert 0.4 <= pairs.alphas.min() < 0.401 and 0.599 < pairs.alphas.max() <= 0.6
    assert pairs.alphas.mean() == pytest.approx(0.5, abs=0.01)
    other = hybrid_pairs.paired(data, Protocol(count=2000, pairing="order", bodies="deer"))
    np.testing.assert_array_equal(pairs.alphas, other.alphas)
    assert (hybrid_pairs.paired(data, Protocol(count=2000, seed=1)).alphas != pairs.alphas).all()
    assert set(hybrid_pairs.paired(data, Protocol(count=20, alpha="0.25,0.25")).alphas) == {0.25}


def test_what_is_left_to_compare_with(monkeypatch):
    data = coloured(400)
    pairs = hybrid_pairs.paired(data, Protocol(bodies="horse,deer", count=20))
    assert not set(pairs.left) & {*pairs.bodies, *pairs.wings} and len(set(pairs.left)) == len(pairs.left)
    bodies, wings = np.isin(data.labels[pairs.left], (2, 3)).sum(), (data.labels[pairs.left] == 1).sum()
    assert bodies == wings == 100 - len(set(pairs.wings))
    monkeypatch.setattr(hybrid_pairs, "MOST", 30)
    sizes = [len(hybrid_pairs.paired(data, Protocol(count=count, pairing="order")).left) for count in (20, 84, 85)]
    assert sizes == [60, 32, 0]


@pytest.mark.parametrize(
    "line, words",
    [
        (
            "cow bird 5 centre",
            "--bodies: there is no class 'cow'; there are, numbered from 0: plane, bird, deer, horse.",
        ),
        ("horse bird,,4 5 order", "--wings: there is no class ''"),
        ("horse 4 5 order", "--wings: there is no class '4'"),
        ("horse -1 5 order", "--wings: there is no class '-1'"),
        ("bird,deer bird 5 centre", "--bodies bird,deer and --wings bird must have no class in common."),
        ("horse bird 21 centre", "--bodies horse: the split 'test' has 20 such images, but --count 21 takes 21."),
        ("horse,deer bird 21 random", "--wings bird: the split 'test' has 20 such images, but --count 21 takes 21."),
        ("horse,deer bird 21 order", "--wings bird: the split 'test' has 20 such images, but --count 21 takes 21."),
    ],
)
def test_mistakes_in_pairs(line, words):
    bodies, wings, count, pairing = line.split()
    with pytest.raises(UsageError) as error:
        hybrid_pairs.paired(coloured(), Protocol(bodies=bodies, wings=wings, count=int(count), pairing=pairing))
    assert words in str(error.value)


def test_no_wings_and_no_classes():
    with pytest.raises(UsageError, match="the split 'test' has 0 such images, but --count 5 takes 1"):
        hybrid_pairs.paired(coloured()._replace(labels=np.full(80, 3)), Protocol(count=5))
    with pytest.raises(UsageError, match="have no classes"):
        hybrid_pairs.paired(coloured()._replace(labels=None, classes=()), Protocol(count=5))
