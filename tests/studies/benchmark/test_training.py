"""A run as a contestant."""

import numpy as np
import pytest
from PIL import Image

from kgen.studies.benchmark import training, where
from kgen.studies.benchmark.case import Timing
from kgen.studies.benchmark.meter import Meter


def test_random_pictures_are_a_folder_of_classes(tmp_path):
    folder = training.random_pictures(tmp_path / "pictures", (8, 16), count=2)
    assert sorted(path.name for path in folder.iterdir()) == list(training.CLASSES)
    seen = [np.asarray(Image.open(path)) for path in folder.rglob("*.png")]
    assert len(seen) == 8 and {each.shape for each in seen} == {(8, 16, 3)}
    assert len({each.tobytes() for each in seen}) == 8


@pytest.mark.slow
def test_a_run_is_timed_until_the_meter_has_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(where, "SECONDS", 0.01)
    meter = Meter(Timing(2, 0.1, 0.1), 0.0)
    changes = {"width": 4, "batch_size": 8, "image_size": 32}
    found = training.steps(meter, "dcgan", changes, noise=True)
    assert found["amount"] == 8 and len(meter.seconds) == 2 and found["flops"] > 0
    assert len(list((tmp_path / "runs").glob("*/samples/*.png"))) >= 1
