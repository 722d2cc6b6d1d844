"""Fine-tuning: the report's numbers, names of layers, its table by hand."""

import pytest

from kgen.errors import UsageError
from kgen.studies import finetuning


def test_the_reports_numbers_and_the_runs_images_are_the_defaults(autoencoder):
    made = finetuning.recipe_for(autoencoder)
    assert (made.learning_rate, made.l2, made.batch_size, made.patience) == (2.8927e-3, 6.5057e-7, 383, 13)
    assert (made.split, made.start_from) == ("train[:120]", autoencoder)


def test_layers_are_named_from_the_code_to_the_image(autoencoder):
    assert finetuning.layers_of(finetuning.recipe_for(autoencoder)) == ["dense 3", "dense 8", "convolution 2"]


@pytest.mark.parametrize("depths, wrong", [((0, 4), 4), ((-1, 9), -1)])
def test_depths_beyond_the_encoder_are_refused(depths, wrong):
    finetuning.check((0, 3), ["a", "b", "c"])
    with pytest.raises(UsageError) as refused:
        finetuning.check(depths, ["a", "b", "c"])
    assert str(refused.value) == f"--depths must be from 0 to 3 (from the code: a, b, c), not {wrong}."


def test_a_row_has_means_over_folds_and_the_deviation_of_the_accuracy():
    def result(loss, validation, accuracy):
        return {"loss": loss, "validation_cross_entropy": validation, "test_accuracy": accuracy}

    found = {0: [result(1.0, 2.0, 0.5), result(2.0, 4.0, 0.7)], 2: [result(0.5, 0.25, 0.9)]}
    lines = finetuning.table(found, ["dense 3", "convolution 2"]).splitlines()
    assert lines[2] == "| head | 1.5000 | 3.0000 | 0.6000 | 0.1414 |"  # sqrt(2 x .1^2)
    assert lines[3] == "| convolution 2 | 0.5000 | 0.2500 | 0.9000 | 0.0000 |"
