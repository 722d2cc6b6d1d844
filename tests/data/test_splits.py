"""Parts of a dataset: disjoint, of equal size, in the order of the seed."""

import numpy as np
import pytest

from kgen.data import Images
from kgen.data.splits import split, without
from kgen.errors import UsageError


@pytest.mark.parametrize("count", [5, 13, 500, 4_500])
@pytest.mark.parametrize("folds", [2, 3, 5])
@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1])
def test_parts_are_disjoint_cover_everything_and_are_equal_to_within_one(count, folds, seed):
    parts = split(count, folds, seed)
    assert len(parts) == folds
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(count))  # each once
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert all((np.diff(part) > 0).all() for part in parts)


def test_the_seed_decides_and_nothing_else():
    for one, other in zip(split(100, 5, 3), split(100, 5, 3), strict=True):
        np.testing.assert_array_equal(one, other)
    apart = [split(100, folds, seed)[0][:10] for folds, seed in ((5, 3), (5, 4), (4, 3))]
    assert len({tuple(part) for part in apart}) == 3


def test_parts_are_no_slices():
    """Datasets may be sorted: each part then must have all classes, in about equal numbers."""
    classes = [np.bincount(part // 100, minlength=10) for part in split(1_000, 5, 0)]
    assert (np.min(classes) > 5) and (np.max(classes) < 40)


def test_as_many_parts_as_images():
    assert sorted(int(part[0]) for part in split(4, 4, 0)) == [0, 1, 2, 3]
    with pytest.raises(UsageError, match=r"^4 images cannot be split into 5 parts: give --folds 4 or fewer\.$"):
        split(4, 5, 0)


def test_an_only_image_cannot_be_split_at_all():
    with pytest.raises(UsageError, match="--folds 0") as refused:
        split(1, 2, 0)
    assert "--folds 2" not in str(refused.value)


@pytest.mark.parametrize("labelled", [True, False])
def test_the_rest_and_the_part_are_the_rows_that_the_parts_name(labelled):
    images = np.arange(20, dtype=np.uint8).reshape(5, 2, 2, 1)
    labels = np.array([3, 0, 1, 3, 2]) if labelled else None
    rest, part = without(Images(images, labels, ("a", "b", "c", "d")), [np.array([1, 4]), np.array([0, 2, 3])], 0)
    assert part.images[:, 0, 0, 0].tolist() == [4, 16] and rest.images[:, 0, 0, 0].tolist() == [0, 8, 12]
    assert part.classes == rest.classes == ("a", "b", "c", "d")
    if labelled:
        assert (part.labels.tolist(), rest.labels.tolist()) == ([0, 2], [3, 1, 3])
    else:
        assert part.labels is None and rest.labels is None
