"""Checkpoints are saved by the clock and at the last step, and only the newest are kept."""

import pytest

from kgen.runs import checkpoint
from tests.helpers import processes
from tests.helpers.small_dcgan import train


@pytest.mark.slow
def test_keep_and_the_last_step_whatever_the_clock(tmp_path):
    result = train(tmp_path, steps=18, checkpoint_every=4, keep=4, sample_every=7, log_every=5)
    assert checkpoint.steps(result.run / "checkpoints") == [8, 12, 16, 18]
    assert [line["step"] for line in processes.log(result.run)] == [5, 10, 15, 18]
    assert sorted(path.stem for path in (result.run / "samples").iterdir()) == ["000000", "000007", "000014", "000018"]
