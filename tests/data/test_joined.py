"""Parts of a dataset joined by +, and models that are measured on what they were trained on."""

import numpy as np
import pytest

from kgen import data
from kgen.data import Images
from kgen.data.joined import demand_unseen, joined, parts, trained_on, warning
from kgen.errors import UsageError


def piece(first, count, classes=("a", "b"), size=2):
    images = np.full((count, size, size, 1), first, np.uint8)
    return Images(images, np.full(count, first % 2) if classes else None, classes)


def test_parts_keep_their_slices():
    assert parts("train") == ["train"] and parts("train[:100]+test[-5:]") == ["train[:100]", "test[-5:]"]


def test_a_part_is_named_once():
    with pytest.raises(
        UsageError, match=r"^The split 'train\[:9\]\+train' names 'train' twice: name each part once\.$"
    ):
        parts("train[:9]+train")


def test_joined_images_follow_each_other():
    both = joined([piece(4, 2), piece(7, 3)])
    assert both.images[:, 0, 0, 0].tolist() == [4, 4, 7, 7, 7] and both.labels.tolist() == [0, 0, 1, 1, 1]
    assert both.classes == ("a", "b") and both.images.dtype == np.uint8


def test_one_part_stays_what_it_is_and_unlabelled_parts_have_no_labels():
    one = piece(3, 2)
    assert joined([one]) is one
    assert joined([piece(1, 2, ()), piece(2, 1, ())]).labels is None


@pytest.mark.parametrize("other", [piece(1, 2, ("a", "c")), piece(1, 2, size=3)])
def test_parts_of_other_classes_or_sizes_are_refused(other):
    with pytest.raises(UsageError, match="differ in the size of their images or in their classes"):
        joined([piece(0, 2), other])


def test_train_and_test_of_a_dataset_are_both_loaded():
    train, test = (data.load("mnist5k", split) for split in ("train[:30]", "test[5:]"))
    both = data.load("mnist5k", "train[:30]+test[5:]", in_memory=False)
    np.testing.assert_array_equal(both.images, np.concatenate([train.images, test.images]))
    np.testing.assert_array_equal(both.labels, np.concatenate([train.labels, test.labels]))


def test_classes_are_chosen_of_both():
    both = data.load("mnist5k", "train+test", classes=("7",))
    assert len(both.images) == 500 and both.classes == ("7",)


@pytest.mark.parametrize(
    "trained, other, shared",
    [
        ("train", "test", []),
        ("train", "train", []),
        ("train[:10]", "train+test", []),
        ("train+test", "test", ["test"]),
        ("test[:10]+train", "test[10:]", ["test"]),
        ("test", "test", ["test"]),
        ("train+valid", "valid+test", ["valid"]),
        ("train+test", "train[:10000]", []),
    ],
)
def test_what_was_trained_on_and_is_measured(trained, other, shared):
    assert trained_on(trained, other) == shared
    assert bool(warning(trained, other)) == bool(shared)


def test_a_warning_names_both_splits():
    words = "the model was trained on the split 'train+test', with the images of 'test': this says nothing of"
    assert warning("train+test", "test[:100]").startswith(words)


def test_what_must_be_unseen_is_refused_if_it_was_seen():
    demand_unseen("train", "test", "test-split")
    with pytest.raises(
        UsageError, match=r"^--test-split test has images of 'test', which the model trains on \(--split"
    ):
        demand_unseen("train+test", "test", "test-split")
