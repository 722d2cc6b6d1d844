"""Where a step's time goes: each part is there, and parts are measured by the clock."""

import time

import pytest

from kgen.core import recipe as recipes
from kgen.studies.benchmark import where
from tests.helpers.recipes import new_trainer, pictures, shrink


def test_repetitions_are_divided_by_their_number(monkeypatch):
    monkeypatch.setattr(where, "SECONDS", 0.3)
    assert 0.05 <= where.repeated(lambda: time.sleep(0.05)) < 0.3


@pytest.mark.slow
def test_facts_of_a_step(monkeypatch):
    monkeypatch.setattr(where, "SECONDS", 0.01)
    monkeypatch.setattr(where, "SIDE", {"CPU": 64, "GPU": 64})
    monkeypatch.setattr(where, "CHANNELS", {"CPU": 4, "GPU": 4})
    trainer = new_trainer("dcgan")
    trainer.fit(where.inputs(trainer, shrink(recipes.find("dcgan")), pictures()).take(1), verbose=0)
    found = where.facts(trainer, shrink(recipes.find("dcgan")), pictures())
    assert list(found["where"])[0] == "step without fit" and list(found["where"])[-2:] == [
        "optimizers",
        "input pipeline",
    ]
    assert {"convolutions", "matrix products"} < set(found["where"])
    assert found["flops"] > 10**5 and set(found["ceilings"]) == {"matrix product", "convolution"}
    assert all(seconds > 0 for seconds in found["where"].values())
