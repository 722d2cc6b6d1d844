"""The results of a search: the table of trials, pictures, the best recipe, curves of losses."""

import csv
import functools

import optuna

from kgen.core import recipe as recipes
from kgen.studies.search import results as search_results
from kgen.studies.search import trial as search_trial
from kgen.studies.search.trial import Rules, Search
from tests.helpers import fake_training
from tests.helpers.searches import plant

optuna.logging.set_verbosity(optuna.logging.WARNING)
AUTOENCODER = recipes.find("autoencoder")
RATE = ("learning_rate=1e-4..1e2:log",)
SHAPE = (28, 28, 1)
FREE = {"minutes_weight": 0.0, "latent_weight": 0.0}


def test_results_are_a_table_pictures_and_the_best_recipe(tmp_path):
    study = optuna.create_study()
    search = Search(AUTOENCODER, (*RATE, "units=57,64+32"), Rules(search_folds=1, **FREE))
    assert search_results.write(study, search, tmp_path) is None
    assert search_results.summary(study, tmp_path) == f"No trial is complete yet, see {tmp_path / 'trials.csv'}."
    study.enqueue_trial({"learning_rate": 100.0, "units": "57"})
    study.enqueue_trial({"learning_rate": 1e-4, "units": "64+32"})
    run = functools.partial(
        search_trial.objective, search=search, folder=tmp_path, shape=SHAPE, train=fake_training.train
    )
    study.optimize(run, n_trials=12)
    best = search_results.write(study, search, tmp_path)
    assert (best.learning_rate, best.units, best.fold) == (1e-4, (64, 32), AUTOENCODER.fold)
    assert recipes.from_json((tmp_path / "best.json").read_text()) == best
    for name in ("history", "importances"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == list(range(12))
    assert rows[0]["state"] == "PRUNED" and rows[0]["diverged"] == "loss was not a finite number at step 1."
    assert float(rows[1]["value"]) == float(rows[1]["loss"]) == 1e-4 and rows[1]["units"] == "64+32"
    lines = dict(line.split("  ", 1) for line in search_results.summary(study, tmp_path).splitlines())
    found = {name: lines[name].strip() for name in ("value", "learning_rate", "units")}
    assert found == {"value": "0.0001", "learning_rate": "0.0001", "units": "64+32"}


def test_few_trials_have_no_importances(tmp_path):
    study, search = optuna.create_study(), Search(AUTOENCODER, RATE, Rules(**FREE))
    study.enqueue_trial({"learning_rate": 0.5})
    run = functools.partial(
        search_trial.objective, search=search, folder=tmp_path, shape=SHAPE, train=fake_training.train
    )
    study.optimize(run, n_trials=1)
    search_results.write(study, search, tmp_path)
    assert (tmp_path / "history.png").exists() and not (tmp_path / "importances.png").exists()


def test_curves_are_the_losses_over_the_steps(tmp_path):
    log = [{"step": n, "a_loss": 0.1 * n, "a_gradient_norm": 5.0} for n in (5, 10)]
    epochs = [{"step": n, "epoch": 1.0, "validation_a": 0.2 * n, "validation_b": 1.0, "best": True} for n in (4, 8)]
    run = plant(tmp_path / "run", log=log, epochs=epochs)
    assert search_results.series(run) == {"a_loss": [(5, 0.5), (10, 1.0)], "validation_a": [(4, 0.8), (8, 1.6)]}
    search_results.curves(run, tmp_path / "training.png")
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")
