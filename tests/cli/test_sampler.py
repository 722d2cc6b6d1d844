"""kgen sampler exports a trained autoencoder with a density to draw codes from."""

import numpy as np
import pytest

from kgen.inference import loading
from tests.helpers import tiny_runs


@pytest.mark.slow
def test_an_export_is_written_that_other_commands_take(call, tmp_path):
    run = tiny_runs.autoencoder(tmp_path)
    code, out, _ = call("sampler", "--run", str(run), "--components", "2")
    path, told = out.splitlines()
    assert code == 0 and path == "saved_models/autoencoder-mnist5k-sampler/1"
    assert told.startswith("a mixture of 2 normal distributions of 3 numbers. Mean log-density of a code, nats: ")
    assert "; of held-out images " in told
    assert call("sample", "--saved-model", path, "--count", "9")[0] == 0 and (tmp_path / "samples.png").exists()
    flags = ("--saved-model", path, "--frames", "3", "--kind", "linear")
    assert call("interpolate", *flags)[0] == 0 and (tmp_path / "interpolation.gif").exists()
    drawn = loading.load(tmp_path / path).generator.draw(1, 300)
    assert drawn.shape == (300, 28, 28, 1) and np.ptp(drawn) > 0.01


@pytest.mark.parametrize(
    "flags, words",
    [
        (("--components", "0"), "--components must be at least 1, not 0."),
        (("--count", "1"), "--count must be at least 2, not 1."),
        (("--seed", "-1"), "--seed must be from 0 to 2147483647, not -1."),
    ],
)
def test_a_mistake_is_a_sentence(flags, words, call):
    code, out, errors = call("sampler", *flags)
    assert (code, out) == (2, "") and words in " ".join(errors.split()) and "Traceback" not in errors
