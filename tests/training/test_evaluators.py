"""What a recipe asks to be measured is refused where there is no such thing, and doubted where it was trained on."""

import pytest

from kgen.errors import UsageError
from tests.helpers.measured_runs import MEASURED, small, train


@pytest.mark.slow
def test_training_images_to_compare_with_are_told(tmp_path):
    with pytest.warns(UserWarning, match="real images to compare with are training images"):
        train(tmp_path, **{**MEASURED, "evaluate": "mmd", "evaluate_on": small().split})


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {"evaluate": "fit"},
            "--evaluate must be among ais-log-likelihood, classes, classification-accuracy-score, fid, fid-per-class",
        ),
        ({"evaluate": "fid"}, "--classifier RUN"),
        ({"evaluate": "fid", "classifier": "nowhere"}, "nowhere is not a run directory"),
        ({"evaluate": "mmd", "evaluate_on": "validation"}, "There is no split 'validation'"),
        ({"evaluate": "mmd", "best_by": "fid"}, "--best-by must be one of --evaluate, mmd, not fid"),
        ({"best_by": "fid"}, "--best-by must be one of --evaluate, which is empty, not fid"),
        ({"evaluate_every": 0}, "--evaluate-every must be at least 1, not 0"),
        ({"classifier": "a", "inception": "b"}, "--classifier must be left out where there is --inception"),
    ],
)
def test_mistakes_are_told_before_there_is_a_run(changes, words, tmp_path):
    with pytest.raises(UsageError, match=words.replace("[", r"\[")):
        train(tmp_path, **changes)
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
