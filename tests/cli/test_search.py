"""kgen search: what it leaves, a sentence for every mistake, small searches with networks."""

import json
import os
import runpy
import subprocess
import sys
import warnings

import pytest

from tests.helpers import processes
from tests.helpers.searches import FREE, RATE, SEARCH, rows, search, states

TINY = "--channels 4 --kernels 3 --strides 2 --paddings 1 --units 8 --steps 2 --log-every 1 --sample-every 2".split()


# What it leaves.


@pytest.mark.slow
def test_a_search_goes_on_to_its_total_and_trains_the_best(tmp_path):
    code, out, errors = search(*RATE, "--trials", 1, "--no-train-best", cwd=tmp_path)
    assert code == 0, errors
    before, values = states(tmp_path)
    assert before == {"COMPLETE": [0]}
    assert not list(tmp_path.glob("runs/autoencoder-*")) and "export" not in out
    code, out, errors = search(*RATE, "--trials", 3, "--jobs", 2, "--exports-dir", "there", cwd=tmp_path)
    assert code == 0, errors
    after, more = states(tmp_path)
    assert after == {"COMPLETE": [0, 1, 2]} and values.items() <= more.items()
    assert len({row["learning_rate"] for row in rows(tmp_path)}) == 3  # no two processes draw the same
    best = min(more.values(), key=lambda pair: float(pair[0]))
    found = {name.strip(): value.strip() for name, value in (line.split("  ", 1) for line in out.splitlines())}
    assert float(found["value"]) == pytest.approx(float(best[0]), rel=1e-4)
    assert (found["run"], found["export"]) == ("runs/autoencoder-mnist5k-0001", "there")
    folder = tmp_path / "runs/search"
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {"study.db", "trials.csv", "history.png", "best.json", "best_run.txt", "training.png"}
    assert json.loads((folder / "best.json").read_text())["learning_rate"] == float(best[1])
    assert errors.count("\n") < 10 and "Warning" not in errors and "best" in errors


@pytest.mark.slow
def test_the_reports_space_is_searched_by_default(tmp_path):
    code, _, errors = search("--trials", 4, "--jobs", 2, "--no-train-best", cwd=tmp_path)
    assert code == 0, errors
    assert len(rows(tmp_path)) == 4 and {"convolutions", "channels_2", "patience", "prunes"} <= rows(tmp_path)[0].keys()
    for row in rows(tmp_path):
        assert bool(row["refused"]) != (tmp_path / f"runs/search/trial-{int(row['number']):04d}").exists()


# Mistakes.


@pytest.mark.parametrize(
    "line, words",
    [
        ("--trials 0", "--trials and --jobs must be at least 1."),
        ("--jobs 0", "--trials and --jobs must be at least 1."),
        ("--study a/b", "--study must be the name of a folder, not 'a/b'."),
        ("--study ..", "--study must be the name of a folder, not '..'."),
        ("--vary learning_rate", "--vary learning_rate cannot be read"),
        ("--vary latent_dm=1..2", "Did you mean latent_dim?"),
        ("--model dcgan", "The recipe dcgan has no space of its own: name what to search with --vary."),
        ("--model dcgan --vary l2=0..1", "name with --objective a number"),
        ("--model nothing", "no model 'nothing'"),
        ("--hopeless nan", "--hopeless must be a finite number, not nan."),
        ("--latent-dim 8", "--latent-dim is searched by autoencoder's own space"),
        ("--steps 0", "--steps must be at least 1, not 0."),
    ],
)
def test_a_mistake_is_a_sentence(line, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run sets its own
    monkeypatch.setattr(sys, "argv", ["search.py", *line.split()])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SEARCH), run_name="__main__")
    out, errors = capsys.readouterr()
    assert (end.value.code, out) == (2, "") and words in " ".join(errors.split())
    assert not list(tmp_path.iterdir())


def test_help_needs_no_optuna_and_a_missing_one_is_named(tmp_path):
    hide = "import runpy, sys; sys.modules['optuna'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], "
    hide += "run_name='__main__')"
    environment = {**os.environ, "PYTHONPATH": str(processes.ROOT)}
    for arguments, code, words in ((["--help"], 0, "--vary"), ([], 2, 'pip install -e ".[lab]"')):
        command = [sys.executable, "-c", hide, str(SEARCH), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == code and words in done.stdout + done.stderr


# With networks.


@pytest.mark.slow
def test_autoencoders_are_searched_trained_and_exported(tmp_path):
    arguments = [*TINY, *RATE, "--jobs", 2, "--exports-dir", "exports"]
    for trials in (3, 4, 4):
        out, _ = processes.finish(processes.start(*arguments, "--trials", trials, cwd=tmp_path, script="search.py"))
    assert len(rows(tmp_path)) == 4 and len(list((tmp_path / "exports").glob("*/*"))) <= 2
    assert (tmp_path / "exports/autoencoder-mnist5k/1/saved_model.pb").is_file()
    for row in rows(tmp_path):
        assert 0 < float(row["loss"]) < 1 and float(row["value"] or row["loss"]) == float(row["loss"])
        kept = tmp_path / f"runs/search/trial-{int(row['number']):04d}/fold-0"
        assert {path.name for path in kept.iterdir()} == {"recipe.json", "log.jsonl", "epochs.jsonl"}
    assert "exports/autoencoder-mnist5k/1" in out


@pytest.mark.slow
def test_a_gan_is_searched_by_a_number_of_its_logs(tmp_path):
    small = "--model dcgan --width 4 --latent-dim 8 --batch-size 8 --steps 3 --log-every 3 --sample-every 3".split()
    asked = "--vary beta1=0.1..0.9 --objective sample_distance --maximize --trials 2 --no-train-best".split()
    processes.finish(processes.start(*small, *asked, *FREE, cwd=tmp_path, script="search.py"))
    assert [row["state"] for row in rows(tmp_path)] == ["COMPLETE"] * 2
    assert all(float(row["value"]) > 0 for row in rows(tmp_path))
