"""kgen train: the dry run, and what it says when a run ends or is stopped."""

import json
import types
from pathlib import Path

import pytest

from kgen.core import recipe as recipes
from kgen.training import train as training


@pytest.mark.parametrize("name", recipes.names())
def test_a_dry_run_prints_the_recipe(name, call, tmp_path):
    code, out, errors = call("train", "--model", name, "--dry-run", "--batch-size", "6", "--data-dir", "some where")
    found = recipes.from_json(out)
    assert (code, errors, found.name) == (0, "", name)
    assert (found.batch_size, found.data_dir) == (6, tmp_path / "some where")
    assert json.loads(out)["model"] == name
    assert list(tmp_path.iterdir()) == []


def test_paths_of_a_run_are_absolute(call, tmp_path):
    _, out, _ = call("train", "--dry-run", "--dataset", "folder:pictures", "--data-dir", "some where")
    found = recipes.from_json(out)
    assert (found.dataset, found.data_dir) == (f"folder:{tmp_path}/pictures", tmp_path / "some where")


@pytest.fixture
def trained(monkeypatch):
    """Stands for the training: notes what it was asked for, and ends at step 7, finished or not."""
    asked = []

    def pretend(finished):
        def train(*arguments):
            asked.append(arguments)
            return types.SimpleNamespace(
                run=Path("runs/x y"), exported="there/1", step=7, finished=finished, chief=True
            )

        monkeypatch.setattr(training, "train", train)
        return asked

    return pretend


def test_a_finished_run_says_where_everything_is(trained, call):
    asked = trained(finished=True)
    code, out, _ = call("train", "--model", "gan", "--steps", "7", "--exports-dir", "there")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == ["Report", "Pictures", "TensorBoard", "Export"]
    assert "runs/x y/report.html" in out and "runs/x y/samples" in out and "runs/x y/train" in out and "there/1" in out
    ((recipe, runs_dir, exports_dir, resume),) = asked
    assert (recipe.name, recipe.steps, runs_dir, exports_dir, resume) == ("gan", 7, Path("runs"), Path("there"), None)


@pytest.mark.parametrize("flags, more", [((), ""), (("--exports-dir", "my exports"), " --exports-dir 'my exports'")])
def test_a_stopped_run_says_how_to_go_on(flags, more, trained, call):
    trained(finished=False)
    code, out, _ = call("train", *flags)
    advice = f"python scripts/train.py --resume 'runs/x y'{more}"
    assert (code, out) == (130, f"Stopped at step 7 with a checkpoint. Go on: {advice}\n")
