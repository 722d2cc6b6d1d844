"""Studies of a hyper-parameter search: their database, their settings, trials whose process died."""

import dataclasses
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from kgen.core import recipe as recipes
from kgen.data import Images
from kgen.errors import UsageError
from kgen.studies.search import study as search_study
from kgen.studies.search.trial import Rules, Search

AUTOENCODER = recipes.find("autoencoder")
RATE = ("learning_rate=1e-4..1e2:log",)
SHAPE = (28, 28, 1)


def begin(folder, images=None, vary=RATE, rules=None, **changes):
    """Returns a study with an SQLite file."""
    search = Search(dataclasses.replace(AUTOENCODER, **changes), vary, Rules(**(rules or {})))
    images = Images(np.zeros((4, *SHAPE), np.uint8), None, ()) if images is None else images
    return search_study.begin(search, images, folder, "digits")[0]


def test_a_study_goes_on_with_the_same_settings_and_other_places(tmp_path):
    begin(tmp_path).enqueue_trial({"learning_rate": 0.1})
    again = begin(tmp_path, data_dir=tmp_path, keep=9, checkpoint_every=7, sample_every=3)
    assert len(again.trials) == 1


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"steps": 7}, "was started with --steps 25000, not 7"),
        ({"units": (9, 8)}, "was started with --units [57], not [9, 8]"),
        ({"vary": ("learning_rate=1e-4..2:log",)}, "was started with --vary ['learning_rate=1e-4..1e2:log'], not"),
        ({"rules": {"latent_weight": 0.5}}, "was started with --latent-weight 0.01, not 0.5"),
        ({"rules": {"objective": "a", "maximize": True}}, "was started with --objective None, not a"),
        ({"images": Images(np.ones((4, *SHAPE), np.uint8), None, ())}, "was started with --dataset other images"),
    ],
)
def test_a_study_with_other_settings_is_refused(changes, words, tmp_path):
    begin(tmp_path)
    with pytest.raises(UsageError) as error:
        begin(tmp_path, **changes)
    assert words in str(error.value) and "--study" in str(error.value)


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////no/such/folder/a.db", "mysql://localhost/x"])
def test_a_database_that_cannot_be_opened(url, tmp_path):
    search = Search(AUTOENCODER, RATE)
    images = Images(np.zeros((4, *SHAPE), np.uint8), None, ())
    words = "study's database cannot be opened: .|driver of the database is not installed; for PostgreSQL: pip"
    with pytest.raises(UsageError, match=words):
        search_study.begin(search, images, tmp_path, "digits", url)


@pytest.mark.filterwarnings("ignore:Heartbeat")
def test_trials_of_dead_processes_are_tried_again_at_once_and_those_of_others_are_not(tmp_path):
    study = begin(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    owners = [(platform.node(), child.pid), (platform.node(), os.getpid()), ("elsewhere", child.pid)]
    for number, (host, pid) in enumerate(owners):
        study.enqueue_trial({"learning_rate": 0.1 + number})
        trial = study.ask()
        trial.suggest_float("learning_rate", 1e-4, 1e2, log=True)
        trial.set_user_attr("host", host)
        trial.set_user_attr("pid", pid)
        (tmp_path / f"trial-000{number}").mkdir()
    search_study.adopt(study, tmp_path)
    search_study.adopt(study, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "RUNNING", "RUNNING", "WAITING"]
    assert study.trials[3].params == {"learning_rate": 0.1} and study.trials[3].user_attrs == {}
    assert not (tmp_path / "trial-0000").exists() and (tmp_path / "trial-0001").exists()


@pytest.mark.filterwarnings("ignore:Heartbeat")
def test_a_trial_whose_process_always_dies_is_dropped(tmp_path):
    study = begin(tmp_path)
    study.enqueue_trial({"learning_rate": 0.1})
    for _ in range(1 + search_study.RETRIES):
        trial = study.ask()
        assert trial.suggest_float("learning_rate", 1e-4, 1e2, log=True) == 0.1
        trial.set_user_attr("host", platform.node())
        trial.set_user_attr("pid", 2**22 + 1)  # above the largest there is
        search_study.adopt(study, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 4


@pytest.mark.filterwarnings("ignore:Heartbeat")
def test_a_trial_killed_before_it_said_whose_it_is_is_tried_again_after_a_while(tmp_path, monkeypatch):
    study = begin(tmp_path)
    study.ask()
    search_study.adopt(study, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["RUNNING"]
    monkeypatch.setattr(search_study, "GRACE", -1)
    search_study.adopt(study, tmp_path)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "WAITING"]
