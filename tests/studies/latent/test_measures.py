"""What a code holds, in numbers: against NumPy's SVD, every naming of clusters, and errors by hand."""

import itertools
import math

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from kgen.studies.latent import measures
from tests.helpers.linear_autoencoder import spots


@pytest.fixture(autouse=True)
def one_thread():
    """Threads of small t-SNEs wait for each other, longest where tests share the cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def random():
    return np.random.default_rng(0)


def blobs(random, count, classes=3, size=5, spread=0.3):
    """Returns codes in groups far apart, and which group each is of."""
    labels = np.arange(count) % classes
    centres = 10 * np.eye(classes, size)
    return np.float32(centres[labels] + random.normal(0, spread, (count, size))), labels


# Directions.


def test_principal_components_are_those_of_the_singular_value_decomposition(random):
    codes = np.float32(random.normal(size=(200, 6)) @ random.normal(size=(6, 6)) + 7)
    coordinates, shares = measures.principal_components(codes, 4)
    u, s, _ = np.linalg.svd(np.float64(codes) - codes.mean(axis=0, dtype=np.float64), full_matrices=False)
    np.testing.assert_allclose(np.abs(coordinates), np.abs(u * s)[:, :4], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(shares, (s**2 / (s**2).sum())[:4], rtol=1e-6)
    assert coordinates.dtype == np.float32


@pytest.mark.parametrize("count", [0, 4])
def test_as_many_components_as_a_code_has(count):
    with pytest.raises(ValueError, match=f"`count` must be from 1 to 3. Received: {count}"):
        measures.principal_components(np.ones((9, 3)), count)


@pytest.mark.parametrize("size", [5, 1])
def test_tsne_keeps_groups_together(size, random):
    codes, labels = blobs(random, 90, size=5)
    points = measures.tsne(codes @ np.arange(5.0)[:, None] if size == 1 else codes, 0)
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert points.shape == (90, 2)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95


def test_tsne_of_too_many_codes():
    with pytest.raises(ValueError, match="`codes` must be at most 5000. Received: 5001"):
        measures.tsne(np.ones((5001, 2)), 0)


# Classes.


def test_white_codes_have_no_correlations(random):
    mix = random.normal(size=(6, 6))
    train, test = (random.normal(size=(n, 6)) @ mix + 3 for n in (400, 50_000))
    white, other = measures.whiten(train, test)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(white.T, bias=True) * 400, np.eye(6), atol=1e-5)
    np.testing.assert_allclose(np.cov(other.T, bias=True) * 400, np.eye(6), atol=0.5)
    np.testing.assert_allclose(measures.whiten(train, train[:7])[1], white[:7])


def test_a_flat_direction_stays_flat(random):
    codes = np.concatenate([random.normal(size=(50, 2)), np.full((50, 1), 5.0)], axis=1)
    white, _ = measures.whiten(codes, codes)
    np.testing.assert_allclose(np.sort(white.std(axis=0) * math.sqrt(50)), [0, 1, 1], atol=1e-5)


def test_clusters_are_named_as_the_best_of_all_namings_does(random):
    for _ in range(20):
        clusters, labels = random.integers(3, size=(2, 40))
        namings = [np.array(naming)[clusters] for naming in itertools.permutations(range(3))]
        best = max((named == labels).mean() for named in namings)
        assert measures.matched_accuracy(clusters, labels, 3) == pytest.approx(best)


def test_two_clusters_cannot_have_one_name():
    assert measures.matched_accuracy(np.array([0, 1, 2, 2]), np.array([1, 1, 1, 1]), 3) == 0.5


def test_a_permuted_perfect_clustering_is_perfect(random):
    labels = random.integers(10, size=500)
    assert measures.matched_accuracy(random.permutation(10)[labels], labels, 10) == 1.0


def test_clusters_are_found_in_training_and_named_on_the_test_set(random):
    train, _ = blobs(random, 300)
    test, labels = blobs(random, 60)
    assert measures.clustering_accuracy(train, test, (labels + 1) % 3, 3, 0) == 1.0
    wrong = np.where(np.arange(60) < 15, (labels + 1) % 3, labels)
    assert measures.clustering_accuracy(train, test, wrong, 3, 0) == 0.75
    two = train[np.arange(300) % 3 < 2]  # no cluster can be at the third place
    assert measures.clustering_accuracy(two, test, labels, 3, 0) < 1.0


def test_a_large_direction_without_classes_does_not_matter(random):
    (train, _), (test, labels) = blobs(random, 300), blobs(random, 60)
    loud = [np.concatenate([c, random.uniform(-1e3, 1e3, (len(c), 1))], axis=1) for c in (train[:, :2], test[:, :2])]
    assert measures.clustering_accuracy(*loud, labels, 3, 0) > 0.8


def test_a_probe_sees_what_a_plane_can_part(random):
    (train, labels), (test, test_labels) = blobs(random, 300), blobs(random, 60)
    assert measures.probe_accuracy(train, labels, test, test_labels) == 1.0
    assert measures.probe_accuracy(train * [1e-4, 1, 1e4, 1, 1], labels, test, (test_labels + 1) % 3) < 0.5
    square = random.uniform(-1, 1, (2000, 2))
    crossed = (square[:, 0] * square[:, 1] > 0).astype(int)  # XOR: no plane parts it
    assert 0.3 < measures.probe_accuracy(square[:1000], crossed[:1000], square[1000:], crossed[1000:]) < 0.7


def test_a_probe_does_not_mind_the_scale_of_a_number(random):
    (train, labels), (test, test_labels) = blobs(random, 300, spread=5), blobs(random, 300, spread=5)
    scales = np.array([1e-5, 1, 1e4, 1, 1])
    accuracy = measures.probe_accuracy(train, labels, test, test_labels)
    assert 0.7 < accuracy < 0.95
    assert measures.probe_accuracy(train * scales, labels, test * scales, test_labels) == accuracy


# Errors.


def test_errors_by_hand():
    pixels = np.uint8([[255, 0], [51, 102]])[..., None, None]
    made = np.float32([[0.5, 0.25], [0.2, 0.0]])[..., None, None]
    squared, entropy = measures.errors(pixels, made)
    assert squared == pytest.approx((0.25 + 0.0625 + 0 + 0.16) / 4, rel=1e-6)
    last = -(0.4 * math.log(1e-6) + 0.6 * math.log(1 - 1e-6))
    third = -(0.2 * math.log(0.2) + 0.8 * math.log(0.8))
    assert entropy == pytest.approx((-math.log(0.5) - math.log(0.75) + third + last) / 4, rel=1e-6)


@pytest.mark.parametrize("count, used", [(1, 1), (3, 3), (500, 64)])
def test_errors_of_principal_components_are_those_of_the_svd(count, used):
    train, test = spots(80).images, spots(30, seed=1).images
    rows, others = (pixels.reshape(len(pixels), -1) / 255.0 for pixels in (train, test))
    directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:used]
    made = (others - rows.mean(axis=0)) @ directions.T @ directions + rows.mean(axis=0)
    squared, entropy = measures.principal_errors(train, test, count, 0)
    assert squared == pytest.approx(((made - others) ** 2).mean(), rel=1e-4, abs=1e-10)
    made = np.clip(made, 1e-6, 1 - 1e-6)
    assert entropy == pytest.approx(-(others * np.log(made) + (1 - others) * np.log(1 - made)).mean(), rel=1e-4)
