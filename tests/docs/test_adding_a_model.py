"""The example of docs/adding-a-model.md is the file of a paper, under 60 lines. It trains, exports and draws."""

import re
from pathlib import Path

import numpy as np
import pytest

import kgen

ROOT = Path(__file__).parents[2]


def example():
    """Returns the source of the page's first Python block."""
    return re.search(r"```python\n(.*?)```", (ROOT / "docs/adding-a-model.md").read_text(), re.S)[1]


def test_the_example_is_the_file():
    assert example() == (ROOT / "kgen/models/ragan.py").read_text()


def test_the_example_is_short():
    assert len([line for line in example().splitlines() if line.strip()]) < 60


@pytest.mark.slow
def test_the_example_is_trained_exported_and_drawn_from(tmp_path):
    small = {"width": 2, "latent_dim": 4, "batch_size": 4, "steps": 3}
    result = kgen.train("ragan", tmp_path / "runs", tmp_path / "exports", **small)
    assert result.finished and result.run.name == "ragan-mnist5k-0001"
    drawn = kgen.load(result.exported).generator.draw(seed=1, count=3)
    assert drawn.shape == (3, 28, 28, 1)
    np.testing.assert_array_equal(drawn, kgen.load(result.run).generator.draw(seed=1, count=3))
