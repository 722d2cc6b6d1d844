"""A trial of a search: what may be searched, how a trial is scored, kept, and given up."""

import dataclasses
import functools
import math

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.studies.search import trial as search_trial
from kgen.studies.search.trial import Rules, Search
from tests.helpers import fake_training
from tests.helpers.searches import plant

optuna.logging.set_verbosity(optuna.logging.WARNING)
AUTOENCODER = recipes.find("autoencoder")
RATE = ("learning_rate=1e-4..1e2:log",)
SHAPE = (28, 28, 1)
FREE = {"minutes_weight": 0.0, "latent_weight": 0.0}


# What is searched.


@pytest.mark.parametrize(
    "name, changes, vary, rules, words",
    [
        ("dcgan", {}, (), {"objective": "x"}, "The recipe dcgan has no space of its own"),
        ("dcgan", {}, RATE, {}, "name with --objective a number of log.jsonl"),
        ("autoencoder", {"folds": 0, "patience": 0}, RATE, {}, "name with --objective"),
        ("autoencoder", {"latent_dim": 8}, (), {}, "--latent-dim is searched by autoencoder's own space"),
        ("autoencoder", {}, RATE, {"search_folds": 6}, "--search-folds must be at most --folds 5, not 6."),
        ("autoencoder", {}, RATE, {"search_folds": 0}, "--search-folds must be at least 1, not 0."),
        ("autoencoder", {}, RATE, {"search_folds": 1, "hopeless": 0.2}, "--hopeless needs a second fold"),
        ("autoencoder", {}, RATE, {"hopeless": math.nan}, "--hopeless must be a finite number"),
        ("autoencoder", {}, RATE, {"latent_weight": -1.0}, "must be 0 or more"),
        ("autoencoder", {}, RATE, {"minutes_weight": math.inf}, "must be 0 or more"),
        ("autoencoder", {}, RATE, {"maximize": True}, "--maximize needs --objective"),
    ],
)
def test_a_search_that_cannot_be_is_refused(name, changes, vary, rules, words):
    with pytest.raises(UsageError) as error:
        Search(dataclasses.replace(recipes.find(name), **changes), vary, Rules(**rules))
    assert words in str(error.value)


# Judgement.


def test_the_value_is_the_reports(tmp_path):
    """Trial 47: .18874 = .12866 + .06 + 1e-5 * 7.69."""
    assert Rules().value([0.12766, 0.12966], [7.0, 8.38], 6) == pytest.approx(0.18874, abs=5e-6)
    assert Rules(minutes_weight=0.5, latent_weight=2.0).value([1.0, 3.0], [2.0, 4.0], 10) == 2 + 1.5 + 20
    better = Rules(objective="x", maximize=True, minutes_weight=0.5, latent_weight=2.0)
    assert better.value([1.0, 3.0], [2.0, 4.0], 10) == 2 - 1.5 - 20


def test_a_score_is_the_least_validation_loss_of_the_first_measure(tmp_path):
    lines = [{"step": n, "validation_z": loss, "validation_a": -loss, "best": True} for n, loss in enumerate((3, 1, 2))]
    run = plant(tmp_path, epochs=lines, log=[{"step": 1, "validation_z": 0.1}])
    assert search_trial.score(run) == 1


def test_a_score_may_be_a_number_of_a_last_line(tmp_path):
    log = [{"step": 1, "a_loss": 5.0}, {"step": 2, "a_loss": 4, "images_per_second": 9.0}]
    run = plant(tmp_path, log=log, epochs=[{"step": 2, "x": 7.0, "best": True}], diagnosis=[{"step": 2, "d": -1.5}])
    assert [search_trial.score(run, name) for name in ("a_loss", "x", "d")] == [4.0, 7.0, -1.5]
    for name in ("b_loss", "step", "best"):
        with pytest.raises(UsageError, match=f"--objective {name} is .* there are: a_loss, images_per_second, x, d"):
            search_trial.score(run, name)
    with pytest.raises(UsageError, match="no validation loss"):
        search_trial.score(run)


# Trials.


def tried(tmp_path, params, rules=None, vary=RATE, train=fake_training.train, **changes):
    """Returns the trials of a study that is told what to try, and whether a directory was made of each."""
    search = Search(dataclasses.replace(AUTOENCODER, **changes), vary, Rules(**{**FREE, **(rules or {})}))
    study = optuna.create_study(pruner=search.rules.pruner())
    for wanted in params:
        study.enqueue_trial(wanted)
    run = functools.partial(search_trial.objective, search=search, folder=tmp_path, shape=SHAPE, train=train)
    study.optimize(run, n_trials=len(params))
    places = [search_trial.folder_of(tmp_path, number).exists() for number in range(len(params))]
    return study.trials, places


def test_a_trial_is_the_mean_of_its_folds_and_keeps_three_files(tmp_path):
    (trial,), _ = tried(tmp_path, [{"learning_rate": 0.5}], {"search_folds": 3})
    assert trial.value == pytest.approx(np.mean([0.5, 0.55, 0.6]))
    assert trial.user_attrs["losses"] == pytest.approx([0.5, 0.55, 0.6])
    assert trial.user_attrs["minutes"] < 1
    for fold in range(3):
        run = tmp_path / f"trial-0000/fold-{fold}"
        assert {path.name for path in run.iterdir()} == {"recipe.json", "log.jsonl", "epochs.jsonl"}
        recipe = recipes.from_json((run / "recipe.json").read_text())
        assert (recipe.name, recipe.fold, recipe.learning_rate) == ("autoencoder", fold, 0.5)


def test_codes_cost(tmp_path):
    (trial,), _ = tried(tmp_path, [{"learning_rate": 0.5}], {"latent_weight": 0.01, "search_folds": 1}, latent_dim=7)
    assert trial.value == pytest.approx(0.5 + 0.07)


def test_a_hopeless_trial_ends_after_its_first_fold(tmp_path):
    trials, _ = tried(tmp_path, [{"learning_rate": rate} for rate in (0.19, 0.21)], {"hopeless": 0.2})
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert "Fold 0 came to 0.21" in trials[1].user_attrs["hopeless"]
    assert [len(list(tmp_path.glob(f"trial-000{n}/fold-*"))) for n in (0, 1)] == [2, 1]


def test_of_what_is_maximised_the_low_is_hopeless(tmp_path):
    rules = {"hopeless": 2.0, "objective": "a_loss", "maximize": True}
    trials, _ = tried(tmp_path, [{"learning_rate": rate} for rate in (0.25, 0.35)], rules)
    assert [trial.state for trial in trials] == [TrialState.PRUNED, TrialState.COMPLETE]


def test_without_a_threshold_the_median_decides(tmp_path):
    rates = (0.1, 0.2, 0.3, 0.4, 0.5, 0.31, 0.29)
    trials, _ = tried(tmp_path, [{"learning_rate": rate} for rate in rates])
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 5 + ["PRUNED", "COMPLETE"]


def test_what_cannot_be_built_is_refused_without_a_directory(tmp_path):
    vary = ("kernels=2+2+3,2+2+64", "latent_dim=1..4")
    trials, places = tried(tmp_path, [{"kernels": kernels} for kernels in ("2+2+64", "2+2+3")], vary=vary)
    assert [trial.state.name for trial in trials] == ["PRUNED", "COMPLETE"]
    assert "leaves nothing" in trials[0].user_attrs["refused"]
    assert places == [False, True]


def test_numbers_that_do_not_go_together_are_refused_without_a_directory(tmp_path):
    clocks = {"log_every": 2, "sample_every": 2, "checkpoint_every": 2, "steps": 10}
    params = [{"steps": 11, "steps_per_execution": 2}, {"steps": 11, "steps_per_execution": 1}]
    trials, places = tried(tmp_path, params, vary=("steps=10,11", "steps_per_execution=1,2"), **clocks)
    assert [trial.state.name for trial in trials] == ["PRUNED", "COMPLETE"] and places == [False, True]
    assert trials[0].user_attrs["refused"] == "--steps must be a multiple of --steps-per-execution 2, not 11."


def test_a_refusal_by_the_training_leaves_no_directory(tmp_path):
    def refuses(*arguments):
        raise UsageError("This model makes images of 32 pixels.")

    (trial,), places = tried(tmp_path, [{}], train=refuses)
    assert trial.state == TrialState.PRUNED and places == [False]
    assert trial.user_attrs["refused"] == "This model makes images of 32 pixels."


def test_another_mistake_during_training_is_no_refusal(tmp_path):
    def stops(recipe, runs_dir, exports_dir, run):
        (run / "environment.json").write_text("{}")
        raise UsageError("The folder cannot be written to.")

    with pytest.raises(UsageError, match="cannot be written to"):
        tried(tmp_path, [{}], train=stops)


def test_a_diverged_trial_is_given_up_with_its_reason(tmp_path):
    (trial,), places = tried(tmp_path, [{"learning_rate": 100.5}], vary=("learning_rate=1..200",))
    assert trial.state == TrialState.PRUNED and places == [True]
    assert trial.user_attrs["diverged"] == "loss was not a finite number at step 1."
    assert {path.name for path in (tmp_path / "trial-0000/fold-0").iterdir()} == {"recipe.json"}
