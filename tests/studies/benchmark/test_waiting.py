"""What a user waits for."""

import subprocess
import sys

import pytest

from kgen.studies.benchmark import waiting
from kgen.studies.benchmark.case import ONCE, Timing
from kgen.studies.benchmark.meter import Meter


def test_input_pipeline_ends_when_the_meter_has_enough():
    meter = Meter(Timing(2, 0.01, 0.01), 0.0)
    assert waiting.input_pipeline(meter) == {"amount": 64} and len(meter.seconds) == 2


def test_a_server_that_ended_is_an_error():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(RuntimeError, match="does not answer"):
        waiting.wait_for("http://127.0.0.1:9/", ended)


@pytest.mark.slow
@pytest.mark.parametrize("function", [waiting.help_of_kgen, waiting.first_step, waiting.export, waiting.serving])
def test_each_of_them_is_timed(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    meter = Meter(ONCE, 0.0)
    assert function(meter)["amount"] == 1 and meter.seconds[0] > 0


@pytest.mark.slow
def test_an_evaluation_takes_every_measure_of_a_generator(monkeypatch):
    monkeypatch.setattr(waiting, "EVALUATED", 200)
    meter = Meter(ONCE, 0.0)
    found = waiting.evaluation(meter)
    assert {"fid", "kid", "parzen", "mmd", "pr", "is"} <= set(found["measures"]) and meter.seconds[0] > 0
