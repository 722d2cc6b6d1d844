"""kgen robustness prints the loss under each noise, computed here from the noisy images, and says what is wrong."""

import json

import numpy as np
import pytest

from kgen import data
from kgen.augmentation import noise
from kgen.rng import Rng
from kgen.runs import build, directory
from tests.helpers import tiny_runs


@pytest.mark.slow
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
    (written,) = json.loads((tmp_path / "robustness.json").read_text())
    assert written["losses"] == pytest.approx({"clean": clean, "uniform:0.7": noisy}, abs=6e-5)
    assert (tmp_path / "robustness.md").exists() and (tmp_path / "robustness.png").stat().st_size > 500


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


@pytest.mark.slow
def test_robustness_on_images_that_were_trained_on_says_so(call, tmp_path):
    run = tiny_runs.autoencoder(tmp_path, split="train[:100]+test[:20]")
    code, _, err = call("robustness", "--runs", run, "--split", "test[:40]", "--noise", "clean")
    assert code == 0 and "trained on the split 'train[:100]+test[:20]', with the images of 'test'" in err, err
