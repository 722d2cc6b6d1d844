"""Cross-validation, fine-tuning to depths, and robustness: what is computed from runs, and the scripts."""

import dataclasses
import json
import statistics

import numpy as np
import pytest

from kgen import data
from kgen.augmentation import noise
from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.rng import Rng
from kgen.runs import build, directory
from kgen.studies import cross_validation, finetuning, robustness
from kgen.training import train as training
from tests.helpers import commands

TINY = {
    "channels": (2,), "kernels": (4,), "strides": (4,), "paddings": (0,), "units": (8,), "latent_dim": 3,
    "split": "train[:120]", "batch_size": 20, "steps": 10, "log_every": 5, "sample_every": 10, "checkpoint_every": 10,
    "prune_every": 0, "encoder_dropout": 0.0, "patience": 0,
}  # fmt: skip
FLAGS = (
    "--channels 2 --kernels 4 --strides 4 --paddings 0 --units 8 --latent-dim 3 --split train[:120] --batch-size 20 "
    "--steps 10 --log-every 5 --sample-every 10 --checkpoint-every 10 --prune-every 0 --patience 0"
).split()


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    """A tiny run of an autoencoder."""
    tiny = dataclasses.replace(recipes.find("autoencoder"), **TINY)
    return training.train(tiny, tmp_path_factory.mktemp("runs"), None).run


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs a script in this process and an empty folder; returns exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        return commands.call(monkeypatch, capsys, name, *arguments)

    return run


def planted(tmp_path, epochs, log):
    (tmp_path / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in epochs))
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    return tmp_path


def test_the_best_epoch_is_the_last_one_marked_best(tmp_path):
    epochs = [
        {"step": 6, "epoch": 1.0, "validation_x": 0.5, "validation_y": 9.0, "best": True},
        {"step": 12, "epoch": 2.0, "validation_x": 0.3, "validation_y": 8.0, "best": True},
        {"step": 18, "epoch": 3.0, "validation_x": 0.4, "validation_y": 1.0, "best": False},
    ]
    log = [{"step": 5, "a_loss": 0.9}, {"step": 10, "a_loss": 0.7}, {"step": 15, "a_loss": 0.1}]
    expected = {"step": 12, "loss": 0.7, "validation_x": 0.3, "validation_y": 8.0}
    assert cross_validation.best_epoch(planted(tmp_path, epochs, log)) == expected


def test_a_table_of_folds_has_means_and_deviations():
    results = [{"fold": i, "step": 10, "validation_x": x} for i, x in enumerate((0.1, 0.2, 0.6))]
    lines = cross_validation.table_of_folds(results).splitlines()
    assert lines[0] == "| fold | step | validation_x |"
    assert lines[4] == "| 2 | 10 | 0.6000 |"
    assert lines[5] == "| mean | 10.0000 | 0.3000 |"
    assert lines[6] == f"| deviation | 0.0000 | {statistics.stdev((0.1, 0.2, 0.6)):.4f} |"
    assert cross_validation.best(results) == 0


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


def test_the_reports_numbers_and_the_runs_images_are_the_defaults(autoencoder):
    made = finetuning.recipe_for(autoencoder)
    assert (made.learning_rate, made.l2, made.batch_size, made.patience) == (2.8927e-3, 6.5057e-7, 383, 13)
    assert (made.split, made.start_from) == ("train[:120]", autoencoder)


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--depths", "4"], "--depths must be from 0 to 3 (from the code: dense 3, dense 8, convolution 2), not 4."),
        (["--run", "nowhere"], "nowhere is not a run directory"),
        (["--run"], "finetune.py: --run: expected one argument."),
        (["--test-split", "tset"], "There is no split 'tset'"),
    ],
)
def test_mistakes_in_fine_tuning(flags, sentence, call, autoencoder):
    code, _, err = call("finetune", "--run", autoencoder, *flags)
    assert code == 2 and sentence in err, err


def test_robustness_is_the_loss_under_each_noise(call, autoencoder, tmp_path):
    code, out, err = call(
        "robustness", "--runs", autoencoder, "--split", "test[:40]", "--noise", "clean", "uniform:0.7"
    )
    assert code == 0, err
    clean, noisy = (float(cell) for cell in out.splitlines()[2].split("|")[3:5])
    trainer, _ = build.reopen(directory.read_recipe(autoencoder), autoencoder)
    pixels = data.load("mnist5k", "test[:40]").images / np.float32(255)
    with Rng(Rng(0).fold_in(0).seed):
        seen = noise.add(pixels, noise.parse("uniform:0.7")).numpy()
    for given, found in ((pixels, clean), (seen, noisy)):
        made = trainer.best_game().served[0].reconstruct(given)["images"].numpy().astype(np.float64)
        assert found == pytest.approx(-np.mean(pixels * np.log(made) + (1 - pixels) * np.log(1 - made)), abs=6e-5)
    assert (tmp_path / "robustness.md").exists() and (tmp_path / "robustness.png").stat().st_size > 500


def test_the_picture_of_robustness_has_a_row_that_is_seen_above_each_runs(autoencoder):
    game, own = robustness.opened(autoencoder)
    test = robustness.test_images(own, "test[:40]")
    shown = robustness.picture([game, game], ["clean", "uniform:2"], test)
    rows = shown.reshape(6, 28, 12, 28, 1).swapaxes(1, 2)
    np.testing.assert_array_equal(rows[0], test.images[:12])
    np.testing.assert_array_equal(rows[1], rows[2])
    assert not np.array_equal(rows[3], rows[0]) and not np.array_equal(rows[4], rows[1])


@pytest.mark.parametrize(
    "flags, sentence",
    [
        (["--noise", "uniform"], "--noise: uniform takes"),
        (["--runs", "nowhere"], "nowhere is neither a run directory"),
        (["--out", "no/where"], "there is no folder no"),
        (["--seed", "-1"], "--seed must be from 0"),
    ],
)
def test_mistakes_in_robustness(flags, sentence, call, autoencoder):
    code, _, err = call("robustness", "--runs", autoencoder, *flags)
    assert code == 2 and sentence in err, err


def test_another_model_sees_no_noise(tmp_path):
    small = {"width": 4, "latent_dim": 8, "batch_size": 8, "steps": 2, "split": "train[:50]"}
    run = training.train(dataclasses.replace(recipes.find("dcgan"), **small), tmp_path, None).run
    with pytest.raises(UsageError, match="is no autoencoder that can see noise"):
        robustness.opened(run)
