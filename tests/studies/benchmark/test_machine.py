"""What is said of the machine."""

import keras

from kgen.studies.benchmark import machine
from kgen.studies.benchmark.case import ONCE
from kgen.studies.benchmark.meter import Meter


def test_versions_and_the_machine_are_there():
    found = machine.described(Meter(ONCE, 0.0))
    assert found["environment"]["keras"] == keras.__version__
    assert {"torch", "processor", "cores", "gpus"} <= set(found["environment"])
