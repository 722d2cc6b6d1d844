"""What is said at the end of a run that learnt nothing: planted logs, and real runs at a hopeless rate."""

import json

import pytest

from kgen.callbacks.diagnostics import COLLAPSED, SATURATED
from kgen.training.outcome import complaints
from tests.helpers import processes
from tests.helpers.small_dcgan import train


def plant(run, log=(), diagnosis=()):
    """Writes logs whose steps are 10, 20, ..."""
    for name, lines in (("log.jsonl", log), ("diagnosis.jsonl", diagnosis)):
        text = "".join(json.dumps({"step": 10 * i + 10, **line}) + "\n" for i, line in enumerate(lines))
        (run / name).write_text(text)
    return run


def losses(*values, **others):
    return [{"generator_loss": value, "critic_loss": 1.0, **others} for value in values]


def diagnoses(*warnings):
    numbers = {"real_score": 1.0, "fake_score": 0.0, "sample_distance": 0.01, "real_distance": 0.3}
    return [{**numbers, "warnings": list(names)} for names in warnings]


@pytest.mark.parametrize("values", [(0.7, 0.9), (0.7, 999.0), (-3.0, -2_999.0), (200.0, 99_000.0), (-1.0, 1.0)])
def test_losses_of_an_ordinary_size_are_not_told(tmp_path, values):
    assert complaints(plant(tmp_path, losses(*values))) == []


@pytest.mark.parametrize("values", [(0.7, 1_001.0), (-3.0, -3_001.0), (200.0, 101_000.0), (1e21, 7e5)])
def test_a_loss_out_of_all_bounds_is_told(tmp_path, values):
    (told,) = complaints(plant(tmp_path, losses(*values)))
    assert told.startswith(f"generator_loss ended at {values[-1]:.3g} and began at {values[0]:.3g}")


@pytest.mark.parametrize("first, last, told", [(0.5, 0.5, 1), (0.5, 0.51, 1), (0.5, 0.49, 0)])
def test_the_loss_of_an_only_player_must_fall(tmp_path, first, last, told):
    lines = [{"autoencoder_loss": value} for value in (first, 9.0, last)]
    assert len(complaints(plant(tmp_path, lines))) == told


def test_one_line_of_a_log_says_nothing(tmp_path):
    assert complaints(plant(tmp_path, [{"autoencoder_loss": 0.5}])) == []
    assert complaints(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "norms, told",
    [((1.0, 1.0, 0.0, 0.0), 1), ((0.0, 0.0, 0.0, 1.0), 0), ((1.0, 1.0, 1.0, 0.0), 0), ((1.0, 1e-3, 1e-5, 1e-9), 0)],
)
def test_a_player_whose_gradients_are_0_is_told(tmp_path, norms, told):
    lines = [{"critic_loss": 1.0, "generator_loss": 1.0, "critic_gradient_norm": norm} for norm in norms]
    found = complaints(plant(tmp_path, lines))
    assert len(found) == told
    assert not told or found[0].startswith("critic_gradient_norm was 0 in 2 of the last 2 lines")


@pytest.mark.parametrize(
    "warnings, told",
    [
        (([], [], [SATURATED], [SATURATED]), 1),
        (([], [], [], [SATURATED], [SATURATED], [SATURATED]), 1),
        (([SATURATED], [SATURATED], [SATURATED], []), 0),  # it has passed
        (([], [], [], [SATURATED]), 0),  # it has only begun
        (([], [], [COLLAPSED, SATURATED], [SATURATED, COLLAPSED]), 2),
    ],
)
def test_a_lasting_diagnosis_is_told(tmp_path, warnings, told):
    found = complaints(plant(tmp_path, diagnosis=diagnoses(*warnings)))
    assert len(found) == told
    assert all("--r1 1" in each for each in found)  # what usually helps


@pytest.mark.slow
def test_the_losses_of_an_ordinary_run_are_not_told(tmp_path):
    found = complaints(train(tmp_path, sample_every=5).run)
    assert not [each for each in found if "collapsed generator" not in each]  # of 20 steps it is no more


@pytest.mark.slow
def test_a_rate_of_a_million_is_told_at_the_end(tmp_path):
    process = processes.fork(*processes.DCGAN, "--learning-rate", "1e6", "--ema", "0", cwd=tmp_path)
    _, errors = process.communicate()
    assert process.returncode in (0, 3)
    assert "a smaller --learning-rate" in errors.splitlines()[-1]


def test_lines_that_lost_a_name_are_no_error(tmp_path):
    lines = [{"step": step, "g_loss": 1.0, "g_gradient_norm": 0.0} for step in range(8)]
    lines[0] = {"step": 0, "f_loss": 1.0}
    lines[5] = {"step": 5, "f_gradient_norm": 0.0}
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "diagnosis.jsonl").write_text('{"step": 0}\n{"step": 1}\n')
    (found,) = complaints(tmp_path)
    assert found.startswith("g_gradient_norm was 0 in 3 of the last 4 lines")
