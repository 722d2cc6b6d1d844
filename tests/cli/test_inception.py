"""kgen inception writes what --inception reads, and tells mistakes."""

import numpy as np
import pytest

from kgen.metrics import inception_files, inception_network
from tests.helpers import commands


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: commands.call(monkeypatch, capsys, "inception", *arguments)


@pytest.mark.parametrize("logits", [True, False])
def test_what_is_written_can_be_read(logits, call, monkeypatch, tmp_path):
    arrays = {"c0.weight": np.ones((2, 3, 1, 1), np.float32)}
    arrays |= {"logits.weight": np.zeros((4, 2), np.float32)} if logits else {}
    asked = []
    monkeypatch.setattr(inception_files, "convert", lambda path: asked.append(path) or arrays)
    code, out, errors = call("--weights", "x.pth", "--out", "y.npz")
    assert (code, errors, [path.name for path in asked]) == (0, "", ["x.pth"])
    assert out == f"y.npz, 94 convolutions {'with' if logits else 'without'} logits: kgen evaluate --inception y.npz\n"
    read = inception_network.read(tmp_path / "y.npz")
    assert read.keys() == arrays.keys()
    np.testing.assert_array_equal(read["c0.weight"], arrays["c0.weight"])
    assert [path.name for path in tmp_path.iterdir()] == ["y.npz"]


@pytest.mark.parametrize(
    "line, words",
    [
        ("--weights x.pth", "--weights x.pth: there is no such file."),
        ("--weights x.h5", "--weights must end in .pth or .pb, not x.h5"),
        ("--weights x.pth --out x.pth", "--out must end in .npz, not x.pth."),
        ("--weights x.pth --out no/x.npz", "--out no/x.npz: there is no folder no."),
        ("", "--weights"),
    ],
)
def test_a_mistake_is_a_sentence(line, words, call, tmp_path):
    code, out, errors = call(*line.split())
    assert (code, out) == (2, "") and words in errors
    assert list(tmp_path.iterdir()) == []
