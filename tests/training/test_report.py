"""The page of a run: all that the directory has, nothing from elsewhere, whole at any moment."""

import base64
import dataclasses
import html
import json
import os
import re
import shutil

import pytest
from PIL import Image

from kgen.core import recipe as recipes
from kgen.training import report

LOG = [
    {"step": step, "generator_loss": 2.0, "discriminator_loss": 0.5, "reconstruction": 7.0, "images_per_second": speed}
    for step, speed in ((50, 11.0), (100, 12.0))
]
EPOCHS = [{"step": 70, "epoch": 1.0, "validation_squared_error": 0.25, "best": True}]
DIAGNOSIS = [
    {"step": step, "generator_loss": 2.0, "sample_distance": 0.3, "real_distance": 0.31, "warnings": []}
    for step in (0, 50, 100)
]
METRICS = [{"step": 100, "name": "fid", "value": 33.0}, {"step": 100, "name": "kid", "value": None}, {"name": "fid"}]


@pytest.fixture
def run(tmp_path):
    """A run directory with files of every kind, and two pictures."""
    made = tmp_path / "runs/gan <1>"
    (made / "samples").mkdir(parents=True)
    recipe = dataclasses.replace(recipes.find("gan"), steps=100, dataset="folder:/a/<b>")
    (made / "recipe.json").write_text(recipe.to_json())
    for name, lines in {"log": LOG, "epochs": EPOCHS, "diagnosis": DIAGNOSIS, "metrics": METRICS}.items():
        (made / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for step in (0, 100):
        Image.new("L", (8, 8), step).save(made / f"samples/{step:06d}.png")
    Image.new("L", (8, 8), 255).save(made / "real.png")
    return made


def embedded(page):
    """Returns `[(words, bytes)]` of the pictures that a page holds itself."""
    found = re.findall(r'<img alt="([^"]+)" title="[^"]*" src="data:image/png;base64,([^"]*)">', page)
    return [(words, base64.b64decode(data)) for words, data in found]


def test_the_page_holds_the_pictures_themselves(run):
    samples = [(f"step {step}", (run / f"samples/{step:06d}.png").read_bytes()) for step in (0, 100)]
    assert embedded(report.page(run)) == [("real images", (run / "real.png").read_bytes()), *samples]


def test_the_page_asks_for_nothing_else(run):
    page = report.page(run)
    assert not re.search(r'(?:src|href)="(?!data:)|url\(|https?://|@import|fetch\(', page)


def test_all_that_was_logged_is_drawn_losses_first(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert report.charts(run, lines) == {
        "loss": {"generator": [(50, 2.0), (100, 2.0)], "discriminator": [(50, 0.5), (100, 0.5)]},
        "fid": {"fid": [(100, 33.0)]},
        "reconstruction": {"reconstruction": [(50, 7.0), (100, 7.0)]},
        "validation squared error": {"squared error": [(70, 0.25)]},
        "picture distance": {"sample": [(0, 0.3), (50, 0.3), (100, 0.3)], "real": [(0, 0.31), (50, 0.31), (100, 0.31)]},
    }
    assert next(iter(report.charts(run, lines))) == "loss"
    titles = re.findall("<h3>([^<]*)</h3><svg", report.page(run))
    assert titles == ["loss", "fid", "reconstruction", "validation squared error", "picture distance"]


def test_a_line_that_was_cut_does_not_stop_the_training(run):
    before = report.page(run)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 100, "name": "f')
    assert report.page(run) == before


def test_speeds_do_not_change_the_page(run):
    before = report.page(run)
    log = [{**line, "images_per_second": 99.0} for line in LOG]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    assert report.page(run) == before


def test_the_page_is_the_same_wherever_the_runs_lie(run, tmp_path):
    elsewhere = shutil.copytree(run.parent, tmp_path / "other/runs") / run.name
    assert report.page(elsewhere) == report.page(run)


@pytest.mark.parametrize(
    "steps, command",
    [(100, "kgen train --resume 'runs/gan <1>' --steps 200"), (400, "kgen train --resume 'runs/gan <1>'")],
)
def test_commands_are_those_that_fit(steps, command, run):
    recipe = dataclasses.replace(recipes.find("gan"), steps=steps)
    (run / "recipe.json").write_text(recipe.to_json())
    found = [html.unescape(each) for each in re.findall("<code>(.*?)</code>", report.page(run))]
    assert found[0] == command
    assert [each.split()[1] for each in found] == ["train", "sample", "evaluate", "--logdir"]
    (run / "diagnosis.jsonl").unlink()  # an autoencoder draws nothing from noise
    assert [each.split()[1] for each in re.findall("<code>(.*?)</code>", report.page(run))] == ["train", "--logdir"]


def test_problems_are_told(run):
    assert '<ul class="good"><li>None was found.</li></ul>' in report.page(run)
    log = [{"step": 50, "a_loss": 1.0}, {"step": 100, "a_loss": 1e9}]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    assert '<ul class="bad"><li>a_loss ended at 1e+09' in report.page(run)


def test_a_run_that_has_only_begun_has_a_page(run):
    for path in [*run.glob("*.jsonl"), *(run / "samples").iterdir(), run / "real.png"]:
        path.unlink()
    page = report.page(run)
    assert "step 0 of 100" in page and not embedded(page) and "<svg" not in page


@pytest.mark.parametrize("count", [1, report.MOST, report.MOST + 1, 100])
def test_many_pictures_are_thinned_and_both_ends_kept(count, run):
    for step in range(1, count):
        shutil.copy(run / "samples/000000.png", run / f"samples/{step:06d}.png")
    if count <= 100:
        (run / "samples/000100.png").unlink()
    steps = [int(words.split()[1]) for words, _ in embedded(report.pictures(run))]
    assert len(steps) == min(count, report.MOST) == len(set(steps))
    assert (steps[0], steps[-1]) == (0, count - 1)
    assert max((b - a for a, b in zip(steps, steps[1:], strict=False)), default=1) <= count // report.MOST + 1


def test_words_of_the_recipe_are_escaped(run):
    page = report.page(run)
    assert "<h1>gan on folder:/a/&lt;b&gt;</h1>" in page and "<b>/" not in page and "gan <1>" not in page


def test_the_page_is_written_aside_and_renamed(run, monkeypatch):
    moved = []
    monkeypatch.setattr(os, "replace", lambda source, target: moved.append((source.read_text(), target)))
    report.write(run)
    assert moved == [(report.page(run), run / "report.html")] and not (run / "report.html").exists()
