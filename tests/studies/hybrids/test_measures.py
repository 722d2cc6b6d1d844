"""Measures of hybrids against numbers by hand, double loops and closed forms."""

import numpy as np
import pytest

from kgen.data import Images
from kgen.metrics import mmd
from kgen.metrics.features import Network
from kgen.metrics.fid import frechet_distance, statistics
from kgen.studies.hybrids import measures as hybrid_measures
from kgen.studies.hybrids import study as hybrids


def normal(count, size, seed=0, scale=1.0, shift=0.0):
    return scale * np.random.default_rng(seed).normal(size=(count, size)) + shift


def test_probabilities_of_several_classes():
    softmax = np.float32([[0.5, 0.25, 0.125, 0.125], [0, 1, 0, 0]])
    np.testing.assert_array_equal(hybrid_measures.probability(softmax, (0, 3)), [0.625, 0])
    np.testing.assert_array_equal(hybrid_measures.probability(softmax, (1,)), [0.25, 1])


def test_both_reaches_from_0_to_1():
    body, wing = np.array([0.5, 1.0, 0.0, 0.3, 0.99]), np.array([0.5, 0.0, 0.0, 0.1, 0.01])
    np.testing.assert_allclose(hybrid_measures.both(body, wing), [1, 0, 0, 0.2, 0.02])


def test_mean_and_standard_error():
    assert hybrid_measures.mean_and_error([1, 3]) == pytest.approx((2, 1))
    assert hybrid_measures.mean_and_error([1, 2, 3, 6]) == pytest.approx((3, np.sqrt(14 / 3) / 2))


def test_pairwise_distance():
    assert hybrid_measures.mean_pairwise_distance([[0, 0], [3, 0], [0, 4]]) == pytest.approx((3 + 4 + 5) / 3)
    assert hybrid_measures.mean_pairwise_distance(np.ones((4, 2))) == 0
    x = normal(9, 3)
    loops = np.mean([np.sqrt(((x[i] - x[j]) ** 2).sum()) for i in range(9) for j in range(9) if i < j])
    assert hybrid_measures.mean_pairwise_distance(x) == pytest.approx(loops)


def test_nearest():
    x, y = normal(6, 3), normal(11, 3, 1)
    indices, distances = hybrid_measures.nearest(x, y)
    for row, index, distance in zip(x, indices, distances, strict=True):
        every = [np.sqrt(((row - other) ** 2).sum()) for other in y]
        assert (index, distance) == (np.argmin(every), pytest.approx(min(every)))
    assert list(hybrid_measures.nearest(y, y)[0]) == list(range(11)) and not hybrid_measures.nearest(y, y)[1].any()


def test_nearest_of_bytes_does_not_wrap_and_takes_the_first():
    indices, distances = hybrid_measures.nearest(np.uint8([[250], [10]]), np.uint8([[4], [254], [246], [254]]))
    assert list(indices) == [1, 0] and list(distances) == [4, 6]


@pytest.mark.parametrize(
    "function",
    [
        hybrid_measures.mean_and_error,
        hybrid_measures.mean_pairwise_distance,
    ],
)
def test_one_image_is_too_few(function):
    with pytest.raises(ValueError, match="at least 2 .* Received: 1"):
        function(np.zeros((1, 2)))


def looked(pixels):
    """Stands for a classifier: a probability for each corner's brightness, and all pixels for features."""
    rows = pixels.reshape(len(pixels), -1) / 255.0
    corners = np.stack([rows[:, 0], rows[:, -1], 2 - rows[:, 0] - rows[:, -1]], axis=1)
    return corners / 2, rows


def test_a_judge_of_sets():
    random = np.random.default_rng(0)
    sets = {name: random.integers(0, 256, (5, 2, 2, 1), np.uint8) for name in ("first", "second")}
    real, train = (random.integers(0, 256, (6, 2, 2, 1), np.uint8) for _ in range(2))
    found, each = hybrid_measures.judged(looked, sets, real, train, ((0,), (1,)))
    assert list(found) == ["first", "second"]
    for name, pixels in sets.items():
        row, rows = found[name], pixels.reshape(5, -1) / 255
        assert row["body"] == pytest.approx(rows[:, 0].mean() / 2)
        assert row["wing_error"] == pytest.approx(rows[:, -1].std(ddof=1) / 2 / np.sqrt(5))
        assert row["both"] == pytest.approx(np.minimum(rows[:, 0], rows[:, -1]).mean())
        reals = real.reshape(6, -1) / 255
        assert row["polynomial_mmd"] == pytest.approx(mmd.unbiased(rows, reals, mmd.polynomial))
        assert row["frechet_distance"] == pytest.approx(frechet_distance(statistics(rows), statistics(reals)))
        ratio = hybrid_measures.mean_pairwise_distance(rows) / hybrid_measures.mean_pairwise_distance(reals)
        assert row["pairwise_distance"] == pytest.approx(ratio)
        assert row["nearest"] == pytest.approx(hybrid_measures.nearest(rows, train.reshape(6, -1) / 255)[1].mean())
    np.testing.assert_allclose(each["body_probability"], sets["first"][:, 0, 0, 0] / 510)
    np.testing.assert_allclose(each["both"], 2 * np.minimum(each["body_probability"], each["wing_probability"]))


def measured(train, left, count=4):
    """Returns what `hybrids.measure` finds of images of three classes, what the classifier saw, and what was said."""
    random = np.random.default_rng(0)
    data = Images(random.integers(0, 256, (60, 2, 2, 1), np.uint8), np.arange(60) % 3, ("a", "b", "c"))
    rows = np.arange(0, 3 * count, 3)
    pairs = hybrids.Pairs(rows, rows + 1, np.full(count, 0.5), np.array(left, int), ((0,), (1,)))
    seen, said = [], []

    def look(pixels):
        seen.append(pixels)
        probabilities, features = looked(pixels)
        return features, np.log(np.maximum(probabilities, 1e-300))

    sets = {"hybrids": data.images[pairs.bodies], "real": data.images[pairs.wings]}
    found, _ = hybrids.measure(
        Network("toy", look, {"run": "x", "network": "toy"}), sets, data, pairs, train, hybrids.Protocol(), said.append
    )
    return found, seen, said


@pytest.mark.parametrize("most, others", [(10, 0), (20, 0), (25, 5), (30, 10), (1000, 10)])
def test_the_nearest_is_looked_for_among_the_same_classes_first(most, others, monkeypatch):
    monkeypatch.setattr(hybrids, "MOST_TRAIN", most)
    pixels = np.uint8(np.arange(30)).repeat(4).reshape(30, 2, 2, 1)
    train = Images(pixels, np.arange(30) % 3, ("b", "c", "a"))
    found, seen, said = measured(train, left=range(40, 60))
    numbers = seen[-1][:, 0, 0, 0]
    assert len(set(numbers)) == len(numbers) == min(most, 30) and (numbers % 3 == 1).sum() == others
    assert found["images"] == {"reference": 20, "train": min(most, 30)} and said == []
    assert found["classifier"] == {"run": "x", "network": "toy"} and list(found["measures"]) == ["hybrids", "real"]


def test_with_nothing_left_to_compare_with():
    train = Images(np.zeros((3, 2, 2, 1), np.uint8), np.arange(3), ("a", "b", "c"))
    found, _, said = measured(train, left=[])
    assert said == ["Fewer than 16 other bodies or wings are left to compare with: some measures need a lower --count."]
    row = found["measures"]["hybrids"]
    assert row["polynomial_mmd"] is row["frechet_distance"] is row["pairwise_distance"] is None
    assert row["nearest"] > 0 and found["images"]["reference"] == 0


def test_the_table():
    assert hybrid_measures.table({"classifier": None}) == ""
    row = {"body": 0.5, "wing": 0.25, "both": 0.125, "nearest": 3.0}
    row |= {f"{name}_error": 0.0625 for name in row}
    rest = {"polynomial_mmd": 0.000123456, "frechet_distance": 12.3456, "pairwise_distance": None}
    found = {
        "protocol": {"bodies": "horse,deer", "wings": "bird", "count": 9, "split": "test"},
        "classifier": {"run": "runs/classifier-cifar10-0001"},
        "images": {"reference": 30, "train": 40},
        "measures": {"hybrids": row | rest},
    }
    lines = hybrid_measures.table(found).splitlines()
    assert lines[0].startswith("| images | P(horse,deer) | P(bird) | both | polynomial MMD on classifier-cifar10-0001 ")
    assert "| Frechet distance on classifier-cifar10-0001 features |" in lines[0] and "FID" not in lines[0]
    figures = "| hybrids | 0.500 ± 0.062 | 0.250 ± 0.062 | 0.125 ± 0.062 | 0.0001235 | 12.35 | - | 3.000 ± 0.062 |"
    assert lines[2] == figures
    assert lines[4].startswith(
        "9 images a row, of the split test; compared with 30 others of it, half of them bodies, "
    )
