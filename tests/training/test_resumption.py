"""What a resumed run finds: a cut log, lost checkpoints."""

import dataclasses
import json
import shutil

import pytest

from kgen.core import recipe as recipes
from kgen.errors import UsageError
from kgen.runs import build, checkpoint
from kgen.training import resumption
from tests.helpers.recipes import pictures
from tests.helpers.small_dcgan import SMALL, train


@pytest.mark.slow
def test_a_line_of_the_log_that_a_kill_has_cut_does_not_stop_a_resumption(tmp_path):
    first = train(tmp_path, steps=5)
    whole = (first.run / "log.jsonl").read_text()
    (first.run / "log.jsonl").write_text(whole + '{"step": 10, "generator_lo')
    train(tmp_path, resume=first.run, steps=10)
    steps = [json.loads(line)["step"] for line in (first.run / "log.jsonl").read_text().splitlines()]
    assert steps == [5, 10]


@pytest.mark.slow
def test_a_run_whose_checkpoints_are_gone_says_that_it_begins_again(tmp_path):
    first = train(tmp_path, steps=20)
    shutil.rmtree(first.run / "checkpoints")
    with pytest.warns(UserWarning, match="has a log of 20 steps and no checkpoint: it begins again at step 0"):
        train(tmp_path, resume=first.run, steps=20)


def test_a_worker_that_writes_elsewhere_gets_the_checkpoint_that_it_goes_on_from(tmp_path):
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL)
    trainer = build.prepare(small, pictures(size=28))
    checkpoint.save(trainer, tmp_path / "run/checkpoints", 2)
    assert resumption.restored(trainer, small, tmp_path / "run", tmp_path / "mine") == 2
    read = [checkpoint.read(tmp_path / name / "checkpoints/000002") for name in ("run", "mine")]
    assert read[0].keys() == read[1].keys() and all((read[0][key] == read[1][key]).all() for key in read[0])


def test_a_checkpoint_of_other_images_is_refused_though_all_numbers_are_equal(tmp_path):
    small = dataclasses.replace(recipes.find("dcgan"), **SMALL)
    trainer = build.prepare(small, pictures(size=28))
    resumption.mark(trainer, "a" * 64)
    checkpoint.save(trainer, tmp_path / "checkpoints", 2)
    assert resumption.restored(trainer, small, tmp_path, tmp_path) == 2
    resumption.mark(trainer, "b" * 64)
    with pytest.raises(UsageError, match="was saved with images_sha256 aaa.*: it is of another run"):
        resumption.restored(trainer, small, tmp_path, tmp_path)


def test_a_file_in_place_of_the_folder_of_checkpoints_is_told(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(
        UsageError, match="checkpoints is a file, where the folder of checkpoints must be: move it away"
    ):
        resumption.restored(None, recipes.find("dcgan"), tmp_path, tmp_path)
