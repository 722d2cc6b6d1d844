"""kgen finetune prints a row for each depth, leaves frozen layers as they were, and says what is wrong."""

import json

import numpy as np
import pytest

from kgen.runs import build, directory


@pytest.mark.slow
def test_fine_tuning_prints_a_row_for_each_depth_and_goes_on(call, autoencoder, tmp_path):
    flags = ["--run", autoencoder, "--steps", "10", "--batch-size", "20", "--folds", "2", "--depths", "0", "2"]
    code, out, err = call("finetune", *flags, "--test-split", "test[:50]", "--out", "tuned")
    assert code == 0, err
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()[2:4]]
    assert [row[0] for row in rows] == ["head", "dense 8"]
    for row, depth in zip(rows, (0, 2), strict=True):
        results = [json.loads((tmp_path / f"tuned/depth-{depth}/fold-{i}/result.json").read_text()) for i in (0, 1)]
        accuracies = [result["test_accuracy"] for result in results]
        assert row[3:] == [f"{np.mean(accuracies):.4f}", f"{np.std(accuracies, ddof=1):.4f}"]
    again = call("finetune", *flags, "--test-split", "test[:50]", "--out", "tuned")
    assert again[:2] == (0, out)


@pytest.mark.slow
def test_frozen_layers_are_the_autoencoders(call, autoencoder, tmp_path):
    flags = ["--run", autoencoder, "--steps", "10", "--batch-size", "20", "--folds", "2", "--depths", "1"]
    assert call("finetune", *flags, "--out", "tuned")[0] == 0
    tuned = tmp_path / "tuned/depth-1/fold-0"
    one, other = (build.reopen(directory.read_recipe(run), run)[0].best_game().encoder for run in (autoencoder, tuned))
    same = [np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True)]
    assert same == [True] * 4 + [False] * 2  # the convolution and the hidden layer; the code's layer


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--depths", "4"], "--depths must be from 0 to 3 (from the code: dense 3, dense 8, convolution 2), not 4."),
        (["--run", "nowhere"], "nowhere is not a run directory"),
        (["--run"], "finetune.py: --run: expected one argument."),
        (["--split", "train+test"], "--test-split test has images of 'test', which the model trains on"),
        (["--test-split", "tset"], "There is no split 'tset'"),
    ],
)
def test_mistakes_in_fine_tuning(flags, sentence, call, autoencoder):
    code, _, err = call("finetune", "--run", autoencoder, *flags)
    assert code == 2 and sentence in err, err
