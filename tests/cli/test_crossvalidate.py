"""kgen crossvalidate trains each fold once, measures it, goes on, and refuses what holds nothing out."""

import json

import numpy as np
import pytest

from kgen import data
from kgen.runs import build, directory

FLAGS = (
    "--channels 2 --kernels 4 --strides 4 --paddings 0 --units 8 --latent-dim 3 --split train[:120] --batch-size 20 "
    "--steps 10 --log-every 5 --sample-every 10 --checkpoint-every 10 --prune-every 0 --patience 0"
).split()


@pytest.mark.slow
def test_cross_validation_trains_each_fold_once_and_measures_it_on_the_test_split(call, tmp_path):
    command = ["crossvalidate", *FLAGS, "--folds", "3", "--test-split", "test[:50]", "--out", "runs/folds"]
    code, out, err = call(*command)
    assert code == 0, err
    results = [json.loads((tmp_path / f"runs/folds/fold-{i}/result.json").read_text()) for i in range(3)]
    assert len({result["validation_binary_cross_entropy"] for result in results}) == 3
    trainer, _ = build.reopen(
        *reversed([tmp_path / "runs/folds/fold-1", directory.read_recipe(tmp_path / "runs/folds/fold-1")])
    )
    pixels = data.load("mnist5k", "test[:50]").images / np.float32(255)
    made = trainer.best_game().served[0].reconstruct(pixels)["images"].numpy()
    assert results[1]["test_squared_error"] == pytest.approx(np.mean((made - pixels) ** 2), rel=1e-5)
    assert (tmp_path / "runs/folds/folds.md").read_text() in out
    before = [path.stat().st_mtime_ns for path in sorted((tmp_path / "runs").rglob("*.safetensors"))]
    assert call(*command)[:2] == (0, out)
    assert [path.stat().st_mtime_ns for path in sorted((tmp_path / "runs").rglob("*.safetensors"))] == before


@pytest.mark.slow
def test_cross_validation_of_other_numbers_in_the_same_folder_is_refused(call):
    command = ["crossvalidate", *FLAGS, "--folds", "2", "--out", "folds"]
    assert call(*command)[0] == 0
    code, _, err = call(*command, "--l2", "0.5")
    assert code == 2 and "holds a run with other numbers: give another --out" in err


def test_a_game_that_holds_nothing_out_cannot_be_cross_validated(call):
    for flags in (["--model", "dcgan"], ["--folds", "0", "--patience", "0"]):
        code, _, err = call("crossvalidate", *flags)
        assert code == 2 and "holds out no images" in err


def test_a_test_split_that_is_trained_on_is_refused(call):
    code, _, err = call("crossvalidate", *FLAGS, "--split", "train+test", "--test-split", "test")
    assert code == 2 and "--test-split test has images of 'test'" in err, err
