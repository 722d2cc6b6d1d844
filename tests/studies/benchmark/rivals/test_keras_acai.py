"""ACAI in plain Keras has the sizes of kgen's, and trains."""

import pytest

from kgen.studies.benchmark.case import Timing
from kgen.studies.benchmark.meter import Meter
from kgen.studies.benchmark.rivals import keras_acai
from tests.helpers import rivals


def test_networks_have_as_many_weights_as_those_of_kgen():
    game, model = rivals.game("acai", (32, 32, 1)), keras_acai.ACAI()
    ours = [rivals.size(network) for network in (game.encoder, game.decoder, game.critic)]
    assert [rivals.size(network) for network in (model.encoder, model.decoder, model.critic)] == ours


@pytest.mark.slow
def test_steps_are_told_until_the_meter_has_enough(monkeypatch):
    monkeypatch.setattr(keras_acai, "DEPTH", 2)
    meter = Meter(Timing(1, 0.01, 0.01), 0.0)
    assert keras_acai.steps(meter, "mixed_bfloat16", 4) == {"amount": 4} and len(meter.seconds) == 1
