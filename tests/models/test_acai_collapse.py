"""Report 000's collapse in miniature; in a file of its own beside test_acai.py, since ACAI's page names it."""

import dataclasses
import json

import pytest

from kgen.core import recipe as recipes
from kgen.training import train as training

# A critic that moves eleven times a step, fast and without spectral norm, soon tells mixed images from others.
MINIATURE = {
    "dataset": "mnist5k", "classes": None, "halves": 0, "flip": False, "image_size": 16, "latent_width": 2, "depth": 4,
    "steps": 90, "log_every": 30, "sample_every": 90, "checkpoint_every": 90, "learning_rate": 1e-3,
    "spectral_norm": False, "extra_critic_steps": 10,
}  # fmt: skip


def trained(weight, folder):
    small = dataclasses.replace(recipes.find("acai-report000"), **MINIATURE, weight=weight)
    run = training.train(small, folder, None).run
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("weight, collapses", [(32.0, True), (0.5, False)])
def test_a_critic_that_solves_alpha_ends_reconstruction_only_if_its_pull_outweighs_it(weight, collapses, tmp_path):
    first, _, last = trained(weight, tmp_path)
    assert first["alpha_error"] > 0.034  # a constant guess of 1/8 has .0365
    assert last["alpha_error"] < 0.025  # mixed images are told from others; alpha's variance is .0208
    if collapses:  # one colour throughout costs at most log 2
        assert last["reconstruction"] > 0.9 > first["reconstruction"]
    else:
        assert last["reconstruction"] < 0.75 * first["reconstruction"]
