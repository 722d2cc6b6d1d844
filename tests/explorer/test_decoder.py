"""Pictures of codes, in each class and by models beside each other; what cannot be explored or compared."""

import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.explorer import decoder, subject
from kgen.export.saved_model import export
from tests.helpers.generators import Sums
from tests.helpers.recipes import new_trainer, shrink


def test_a_picture_is_the_decoders_in_bytes():
    found = decoder.Decoder("x", Sums(), None)
    assert (found.size, found.classes) == (3, ())
    assert found.picture(np.float32([0.25, 0.25, 0])).tolist() == [[[128]]]


def test_a_picture_is_of_its_class():
    found = decoder.Decoder("x", Sums(("no", "yes", "perhaps")), None)
    code = np.float32([0.25, 0.25, 0.125])
    expected = [round(255 * level) for level in (0.625, 0.725, 0.825)]
    assert found.in_each_class(code).ravel().tolist() == expected
    assert [found.picture(code, label).item() for label in range(3)] == expected


def test_classes_that_are_not_there_are_refused():
    found = decoder.Decoder("x", Sums(("no", "yes")), None)
    assert [found.checked(label) for label in (0, 1)] == [0, 1]
    for label in (-1, 2):
        with pytest.raises(UsageError, match="label must be from 0 to 1"):
            found.checked(label)
    with pytest.raises(UsageError, match="label must be 0, since this model has no classes"):
        decoder.Decoder("x", Sums(), None).checked(1)


def test_without_a_generator_and_an_encoder_there_is_nothing_to_explore(tmp_path):
    folder = export(new_trainer("classifier").best_game(), shrink(recipes.find("classifier")), 2, tmp_path, "c")
    with pytest.raises(UsageError, match="neither a generator nor an encoder"):
        subject.of(folder)


def test_a_checkpoint_is_shown_beside_its_run(autoencoder):
    first = subject.of(autoencoder)
    other = decoder.beside(autoencoder / "checkpoints/000010", first)  # its only one
    np.testing.assert_array_equal(other.pictures(first.encoded[:3]), first.pictures(first.encoded[:3]))


def test_codes_of_another_length_and_other_classes_are_refused(autoencoder, class_conditional):
    first = decoder.Decoder("x", Sums(), None)
    assert decoder.beside(autoencoder, first).size == 3
    with pytest.raises(UsageError, match="has codes of .* numbers and x of 3"):
        decoder.beside(class_conditional[1], first)
    first.size = decoder.Decoder("y", *decoder.loading.load(class_conditional[1]).parts()).size
    with pytest.raises(UsageError, match="have different classes"):
        decoder.beside(class_conditional[1], first)
