"""Images held out: each in one fold, none seen in training, and mistakes in one sentence."""

import dataclasses

import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.core.held_out import HeldOutRecipe
from kgen.data import Images
from kgen.data.pipeline import order
from kgen.data.splits import split
from kgen.errors import UsageError
from tests.helpers.recipes import pictures


def rows(data):
    """Returns the images as bytes, to be found again."""
    return [image.tobytes() for image in data.images]


def test_every_image_is_held_out_in_one_fold_and_seen_in_the_others():
    data = pictures(23, size=4)
    everything, held_out = rows(data), []
    for fold in range(5):
        seen, held = HeldOutRecipe(fold=fold, seed=9).divide(data)
        assert len(set(rows(seen))) == len(rows(seen)) and set(rows(seen)) | set(rows(held)) == set(everything)
        assert not set(rows(seen)) & set(rows(held))
        held_out += rows(held)
        for part in (seen, held):
            assert part.classes == data.classes
            places = [everything.index(row) for row in rows(part)]
            assert places == sorted(places)
            np.testing.assert_array_equal(part.labels, data.labels[places])
    assert sorted(held_out) == sorted(everything)


def test_images_without_labels_are_divided_alike():
    data = pictures(12, size=4)
    seen, held = HeldOutRecipe(folds=3).divide(Images(data.images, None, ()))
    labelled_seen, labelled_held = HeldOutRecipe(folds=3).divide(data)
    assert seen.labels is None and held.labels is None
    np.testing.assert_array_equal(seen.images, labelled_seen.images)
    np.testing.assert_array_equal(held.images, labelled_held.images)


def test_no_folds_hold_out_nothing():
    data = pictures(12, size=4)
    whole = HeldOutRecipe(folds=0)
    assert whole.divide(data) == (data, None) and not whole.holds_out
    assert HeldOutRecipe().holds_out


@pytest.mark.parametrize(
    "flags, said",
    [
        ({"folds": 1}, "--folds must be 0, or 2 or more, not 1."),
        ({"folds": -5}, "--folds must be 0, or 2 or more, not -5."),
        ({"fold": 5}, "--fold must be from 0 to 4, not 5."),
        ({"fold": -1}, "--fold must be from 0 to 4, not -1."),
        ({"folds": 0, "fold": 1}, "--fold must be from 0 to 0, not 1."),
        ({"patience": -1}, "--patience must be 0 or more, not -1."),
        ({"folds": 0, "patience": 3}, "--patience must be 0 when no images are held out (--folds 0), not 3."),
    ],
)
def test_mistakes_are_one_sentence(flags, said):
    with pytest.raises(UsageError) as refused:
        HeldOutRecipe(**flags)
    assert str(refused.value) == said


def test_other_recipes_hold_nothing_out():
    dcgan, data = recipes.find("dcgan"), pictures(12, size=4)
    assert dcgan.divide(data) == (data, None)
    assert (dcgan.holds_out, dcgan.patience) == (False, 0)
    assert not {"folds", "fold", "patience"} & {field.name for field in dataclasses.fields(dcgan)}


def test_the_parts_are_no_order_of_an_epoch():
    """The seed of a split must not be that of the batches too."""
    parts = split(100, 5, 0)
    first_twenty = [np.sort(order(0, epoch, 100)[:20]) for epoch in range(10)]
    assert not any(np.array_equal(parts[0], other) for other in first_twenty)
