"""scripts/evaluate.py on a run, its export and pictures drawn from it: one table, the same numbers, records kept."""

import dataclasses
import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kgen import images
from kgen.core import recipe as recipes
from kgen.inference import loading
from kgen.training import train as training
from tests.helpers import commands
from tests.helpers.recipes import shrink

GAN, CLASSIFIER = "runs/gan-mnist5k-0001", "runs/classifier-mnist5k-0001"
FEW = ["--reference", "test[:30]", "--count", "24"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    shared = {"steps": 4, "split": "train[:60]"}
    for model, more in (
        ("gan", {}),
        ("classifier", {"folds": 0, "patience": 0}),
        ("autoencoder", {"folds": 0, "patience": 0}),
    ):
        small = dataclasses.replace(shrink(recipes.find(model)), **{**shared, **more})
        training.train(small, root / "runs", root / "saved_models")
    (root / "pictures").mkdir()
    drawn = images.to_bytes(loading.load(root / GAN).generator.draw(0, 24))
    for number, picture in enumerate(drawn):
        images.save_png(root / f"pictures/{number:02d}.png", picture)
    return root


@pytest.fixture
def call(trained, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(trained)
    return lambda *arguments: commands.call(
        monkeypatch, capsys, "evaluate", *arguments, "--cache-dir", tmp_path / "cache"
    )


def cells(out, label):
    row = next(line for line in out.splitlines() if line.startswith(f"| {label}"))
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


@pytest.mark.slow
def test_a_run_its_export_and_its_pictures_measure_the_same(call, trained):
    places = ["--run", GAN, "--saved-model", "saved_models/gan-mnist5k/1", "--images", "pictures"]
    before = sorted(path.name for path in (trained / "pictures").iterdir())
    code, out, _ = call(*places, "--metrics", "fid,kid,mmd", "--classifier", CLASSIFIER, *FEW)
    assert code == 0
    assert cells(out, "") == [GAN, "saved_models/gan-mnist5k/1", "pictures"]
    for label in ("FID on mnist5k-classifier features", "MMD^2 of pixels, all pairs"):
        values = [float(cell.split(" ")[0]) for cell in cells(out, label)]
        assert values[0] == values[1] == pytest.approx(values[2], rel=0.02)  # pictures are bytes
    assert "WARNING FID" in out and "DIFFER" not in out
    for place in (GAN, "saved_models/gan-mnist5k/1"):
        lines = [json.loads(line) for line in (trained / place / "metrics.jsonl").read_text().splitlines()]
        assert [line["name"] for line in lines] == ["fid", "kid", "mmd", "mmd_block", "mmd_linear"]
        assert ("step" in lines[0]) == (place == GAN)
        (trained / place / "metrics.jsonl").unlink()
    events = EventAccumulator(str(trained / GAN / "evaluation"), size_guidance={"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("metrics/fid")] == [4]
    assert sorted(path.name for path in (trained / "pictures").iterdir()) == before


def test_a_folder_of_pictures_alone_needs_a_dataset(call):
    code, out, errors = call("--images", "pictures", "--metrics", "mmd", *FEW)
    assert (code, out) == (2, "") and "--images needs --dataset" in errors
    code, out, _ = call("--images", "pictures", "--dataset", "mnist5k", "--metrics", "mmd", *FEW)
    assert code == 0 and len(cells(out, "MMD^2 of pixels, all pairs")) == 1


def test_several_seeds(call, trained):
    code, out, _ = call("--run", GAN, "--metrics", "mmd", "--seeds", 3, *FEW)
    assert code == 0 and "± is the standard deviation over 3 seeds" in out
    line = json.loads((trained / GAN / "metrics.jsonl").read_text().splitlines()[-3])
    assert line["name"] == "mmd" and len(line["found"]["values"]) == 3
    assert line["found"]["variance"] == pytest.approx(np.var(line["found"]["values"], ddof=1))


def test_parzen_has_its_calibration_beside_it(call, monkeypatch):
    from kgen.metrics import reference

    monkeypatch.setattr(reference, "CALIBRATION", 60)
    code, out, errors = call("--run", GAN, "--metrics", "parzen", *FEW)
    assert code == 0 and "Calibration of the Parzen log-likelihood" in errors
    assert "| 60 training images | 6 training images | k-means, 60 centres |" in out
    code, out, _ = call("--run", GAN, "--metrics", "parzen", "--no-calibration", *FEW)
    assert code == 0 and "training images" not in out


@pytest.mark.parametrize(
    "line, words",
    [
        ("", "Give --run, --saved-model or --images."),
        (
            f"--run {GAN} --metrics fit",
            "--metrics must be among classes, fid, is, is-biased, is-report004, kid, lines, log-likelihood, mig",
        ),
        (f"--run {GAN} --metrics ,", "at least one"),
        (f"--run {GAN} --metrics fid", "fid needs a network that looks at images: --inception FILE.npz"),
        (f"--run {GAN} --classifier {CLASSIFIER} --inception x.npz", "Give either --classifier or --inception."),
        (f"--run {GAN} --count 0", "--count and --seeds must be at least 1."),
        (f"--run {GAN} --seed -1", "--seed must be from 0 to 2147483647, not -1."),
        (f"--run {GAN} --reference validation", "There is no split 'validation'"),
        (f"--run {GAN} --metrics fid --inception pictures/00.png", "pictures/00.png is not a .npz of arrays"),
        (
            f"--run {GAN} --metrics fid --classifier {GAN}",
            f"--classifier {GAN} is a run of gan: give one of classifier",
        ),
        ("--run runs/none", "runs/none is not a run directory"),
        ("--run runs/autoencoder-mnist5k-0001 --metrics mmd", "autoencoder-mnist5k-0001: This model draws no images"),
        (f"--run {GAN} --metrics lines", "This metric is of models with an encoder and a decoder"),
        ("--images pictures --dataset lines --metrics mmd", "28x28x1, where 32x32x1 is compared with"),
        (f"--run {GAN} --images runs --metrics mmd --count 2 --reference test[:2]", "mmd cannot be measured"),
    ],
)
def test_a_mistake_is_a_sentence(line, words, call):
    code, out, errors = call(*line.split())
    assert (code, out) == (2, "")
    assert words in " ".join(errors.split()) and "Traceback" not in errors
