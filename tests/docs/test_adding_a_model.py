"""The example of docs/adding-a-model.md is a paper in one file, under 60 lines. It trains, exports and draws."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import kgen
import kgen.models

PAGE = Path(__file__).parents[2] / "docs/adding-a-model.md"


def example():
    """Returns the source of the page's first Python block."""
    return re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S)[1]


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Puts the example into the folder of papers, as far as this process sees it."""
    (tmp_path / "ragan.py").write_text(example())
    monkeypatch.setattr(kgen.models, "__path__", [*kgen.models.__path__, str(tmp_path)])
    yield
    sys.modules.pop("kgen.models.ragan", None)


def test_the_example_is_short():
    assert len([line for line in example().splitlines() if line.strip()]) < 60


@pytest.mark.slow
def test_the_example_is_found_trained_exported_and_drawn_from(added, tmp_path):
    small = {"width": 2, "latent_dim": 4, "batch_size": 4, "steps": 3}
    result = kgen.train("ragan", tmp_path / "runs", tmp_path / "exports", **small)
    assert result.finished and result.run.name == "ragan-mnist5k-0001"
    drawn = kgen.load(result.exported).generator.draw(seed=1, count=3)
    assert drawn.shape == (3, 28, 28, 1)
    np.testing.assert_array_equal(drawn, kgen.load(result.run).generator.draw(seed=1, count=3))


def test_the_loss_is_the_papers(added):
    import importlib

    module = importlib.import_module("kgen.models.ragan")
    real, fake = np.array([[1.0], [3.0]]), np.array([[-1.0], [0.5]])

    def by_hand(x, y):
        s = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        return -np.log(s(x - y.mean())).mean() - np.log(1 - s(y - x.mean())).mean()

    np.testing.assert_allclose(module.LOSS.discriminator(real, fake), by_hand(real, fake), rtol=1e-6)
    np.testing.assert_allclose(module.LOSS.generator_loss(real, fake), by_hand(fake, real), rtol=1e-6)
