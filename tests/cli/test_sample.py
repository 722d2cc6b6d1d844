"""kgen sample draws one class, or a sheet of all."""

import numpy as np
import pytest
from PIL import Image

from kgen.inference import loading


@pytest.fixture(scope="module")
def exported(class_conditional):
    return class_conditional[1]


@pytest.fixture(scope="module")
def source(exported):
    return loading.load(exported).generator


def test_the_script_draws_one_class(exported, source, tmp_path):
    from kgen.cli import sample

    for name, arguments, label in (("one", ["--class", "seven", "--count", "4"], 7), ("all", ["--count", "4"], None)):
        out = tmp_path / f"{name}.png"
        sample.main(["--saved-model", str(exported), "--seed", "3", "--out", str(out), *arguments])
        tiles = np.asarray(Image.open(out)).reshape(2, 32, 2, 32).swapaxes(1, 2).reshape(4, 32, 32, 1)
        assert np.abs(tiles - source.draw(3, 4, label) * 255).max() <= 0.51
    sample.main(["--saved-model", str(exported), "--out", str(tmp_path / "sheet.png")])
    assert Image.open(tmp_path / "sheet.png").size == (320, 320)
